"""One run: a node (made anew after each crash), its users, the provider, and what must hold throughout and at the end.

Everything that is drawn comes from one `random.Random(seed)`, everything that waits waits on the virtual clock.
"""

import asyncio
import random
from dataclasses import dataclass, field

from actors.domain.commands import (
    Accepted,
    DeleteRecording,
    Notice,
    StartRecording,
    StopRecording,
    UpdateRecording,
)
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import (
    SETTLED_PHASES,
    Actor,
    ActorKind,
    Layout,
    Phase,
    Recording,
    RecordingSpec,
    Want,
    is_live,
)
from actors.domain.policy import Policy
from actors.errors import ActorError
from actors.heartbeat import Heartbeat
from actors.lease import Lease, LeaseSettings
from actors.mailbox import CommandKey
from actors.ports import JournalUnavailable, Observer, Ports
from actors.reconciler import Reconciler, ReconcilerSettings
from actors.system import ActorSystem, SystemSettings
from tests.fakes.agora import FakeAgora
from tests.fakes.memory import MemoryDatabase, MemoryInbox, MemoryJournal, MemoryOwnership
from tests.simulation.cable import Cable, DatabaseCable, ProviderCable, SilentPublisher, Wire
from tests.simulation.faults import Faults

BEGIN_MS = 1_790_000_000_000
FAULTY_SECONDS = 900.0
"""So long users act and faults strike."""
CATCHING_UP_SECONDS = 180.0
"""By so long after the faults every recorder has been told what is wanted of it."""
SETTLING_SECONDS = 3600.0
"""So long everything may take to come to its end once the faults have stopped."""
USER = Actor(ActorKind.USER, "host")


class Broken(AssertionError):
    """A promise was not kept."""


@dataclass(slots=True)
class Told:
    """What the users were told, to be held against the journal."""

    started: dict[RecordingId, MeetingId] = field(default_factory=dict)
    stopped: set[RecordingId] = field(default_factory=set)


class World:
    """All of one run."""

    def __init__(self, seed: int, crash_at: int | None = None, faults: Faults | None = None) -> None:
        self.rng = random.Random(seed)
        self.faults = faults or Faults.drawn(self.rng)
        self.database = MemoryDatabase(self.now_ms)
        self.agora = FakeAgora(self, self.rng)
        self.wire = Wire(self.faults, self._check_safety)
        self.broken: Broken | None = None
        """The first promise that was broken: kept aside, since the code under test may swallow what is raised in a call."""
        self.wire.crash_at = crash_at
        self.meetings = [MeetingId(f"m-{number}") for number in range(self.rng.randint(1, 3))]
        self.told = Told()
        self.hints: list[JournalEvent] = []
        self.nodes = 0
        self.node: Node | None = None

    # --- ports.Clock, ports.Ids ---

    def now_ms(self) -> int:
        return BEGIN_MS + round(asyncio.get_running_loop().time() * 1000)

    def recording_id(self) -> RecordingId:
        return RecordingId(f"{self.now_ms():015d}-{self.rng.getrandbits(32):08x}")

    def recorder_uid(self) -> str:
        return str(self.rng.randint(1, 2**32 - 1))

    def jitter(self) -> float:
        return self.rng.random()

    # --- the run ---

    async def run(self) -> None:
        """Users act under faults; then the faults stop, and everything must come to its end."""
        self.boot()
        postman = asyncio.create_task(self._deliver_notices())
        users = [asyncio.create_task(self._use(meeting)) for meeting in self.meetings]
        await asyncio.sleep(FAULTY_SECONDS)
        for user in users:
            user.cancel()
        await asyncio.gather(*users, return_exceptions=True)
        self.faults.on = False
        self.wire.crash_at = None
        await asyncio.sleep(CATCHING_UP_SECONDS)
        self._check_told()
        await self._end_everything()
        await asyncio.sleep(SETTLING_SECONDS)
        if self.broken is not None:
            raise self.broken
        self.check_liveness()
        postman.cancel()
        await asyncio.gather(postman, *self.wire.late, return_exceptions=True)

    def boot(self) -> None:
        """A new process on the same data; there is nothing special about it."""
        self.nodes += 1
        self.node = Node(self, self.nodes)

    def crashed(self) -> None:
        """The node is dead. Another comes up a little later."""
        self.node = None
        asyncio.get_running_loop().call_later(self.rng.uniform(0.1, 20), self.boot)

    async def _use(self, meeting: MeetingId) -> None:
        while True:
            await asyncio.sleep(self.rng.choice((0.1, 2, 30, 120)) * self.rng.random())
            await self._act(meeting)

    async def _act(self, meeting: MeetingId) -> None:
        if self.node is None:
            return
        node = self.node
        action = self.rng.choice(("start", "start", "stop", "update", "update", "delete"))
        try:
            async with asyncio.timeout(30):
                if action == "start":
                    await self._start(node, meeting)
                elif action == "stop":
                    await self._stop(node, meeting)
                elif action == "update":
                    await node.system.ask(meeting, self._update())
                else:
                    await self._delete(node, meeting)
        except (ActorError, JournalUnavailable, TimeoutError):
            pass  # the user was told that it is not done, or nothing at all

    async def _start(self, node: "Node", meeting: MeetingId) -> None:
        recording_id = self.recording_id()
        command = StartRecording(
            recording_id=recording_id,
            prefix=("tapedeck", recording_id.replace("-", "")),
            spec=RecordingSpec(channel_name=meeting, streams="audio_video", layout=Layout()),
            by=USER,
        )
        answer = await node.system.ask(meeting, command, CommandKey(f"start-{recording_id}", "h"))
        if isinstance(answer.reply, Accepted) and self.node is node:
            self.told.started[answer.reply.recording_id] = meeting

    async def _stop(self, node: "Node", meeting: MeetingId) -> None:
        answer = await node.system.ask(meeting, StopRecording(by=USER))
        if isinstance(answer.reply, Accepted) and self.node is node:
            self.told.stopped.add(answer.reply.recording_id)

    def _update(self) -> UpdateRecording:
        layout = {"template": self.rng.choice(("best_fit", "floating", "vertical"))}
        return UpdateRecording(
            by=USER,
            subscribe={self.rng.choice(("audio", "video")): self.rng.choice((None, ("1",), ("1", "2")))},
            layout=layout if self.rng.random() < 0.5 else None,
        )

    async def _delete(self, node: "Node", meeting: MeetingId) -> None:
        settled = [item for item in self.database.recordings_of(meeting) if item.phase is Phase.COMPLETED]
        if settled:
            await node.system.ask(meeting, DeleteRecording(recording_id=settled[0].recording_id, by=USER))

    async def _end_everything(self) -> None:
        """Every meeting is stopped by a user who does not give up."""
        for meeting in self.meetings:
            while True:
                await asyncio.sleep(1)
                if self.node is None:
                    continue
                try:
                    await self.node.system.ask(meeting, StopRecording(by=USER))
                    break
                except (ActorError, JournalUnavailable):
                    continue

    # --- webhooks ---

    async def _deliver_notices(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            self.agora.advance(self.now_ms())
            for notice in self.agora.take_notices(self.now_ms()):
                self._send(notice)

    def _send(self, notice: Notice) -> None:
        if self.faults.strikes("webhook.lost"):
            return
        times = 2 if self.faults.strikes("webhook.doubled") else 1
        for _ in range(times):
            pause = self.rng.uniform(1, 30) if self.faults.strikes("webhook.late") else self.rng.uniform(0, 0.5)
            task = asyncio.get_running_loop().create_task(self._post(notice, pause))
            self.wire.late.add(task)
            task.add_done_callback(self.wire.late.discard)

    async def _post(self, notice: Notice, pause: float) -> None:
        """At most four posts, as the provider does (reference 9.1)."""
        for _ in range(4):
            await asyncio.sleep(pause)
            node = self.node
            if node is not None and await node.receive(notice):
                return
            pause = 5.0

    # --- what must hold ---

    def _check_safety(self) -> None:
        try:
            self.check_safety()
        except Broken as broken:
            self.broken = self.broken or broken

    def check_safety(self) -> None:
        """After every call: nothing doubled, nothing unknown, nothing out of order."""
        self.agora.advance(self.now_ms())
        for meeting in self.meetings:
            running = self.agora.running(meeting)
            if len(running) > 1:
                raise Broken(f"{len(running)} recorders run in {meeting}")
            for session in running:
                if session.uid not in self.database.uids_of(meeting):
                    raise Broken(f"recorder {session.uid} of {meeting} is unknown to the journal")
            self._check_journal(meeting)

    def _check_journal(self, meeting: MeetingId) -> None:
        if sum(map(is_live, self.database.recordings_of(meeting))) > 1:
            raise Broken(f"two live recordings in {meeting}")
        events = self.database.events_of(meeting)
        if [event.seq for event in events] != list(range(1, len(events) + 1)):
            raise Broken(f"the journal of {meeting} has a gap or a double")
        public = [event.sequence for event in events if event.sequence is not None]
        if public != list(range(1, len(public) + 1)):
            raise Broken(f"the public numbers of {meeting} have a gap or a double")

    def _check_told(self) -> None:
        """What was changed has reached the recorders, and nothing older came after it."""
        for meeting in self.meetings:
            for recording in self.database.recordings_of(meeting):
                if recording.phase is Phase.ACTIVE and recording.want is Want.RECORD:
                    self._check_made_as_wanted(meeting, recording)

    def _check_made_as_wanted(self, meeting: MeetingId, recording: Recording) -> None:
        wanted = (recording.spec.subscribe, recording.spec.layout)
        for session in self.agora.running(meeting):
            if (session.subscribe, session.layout) != wanted:
                raise Broken(f"a recorder of {meeting} records otherwise than is wanted")

    def check_liveness(self) -> None:
        """At the end: all that was promised is kept, and nothing runs that nobody wants."""
        self.agora.advance(self.now_ms())
        rows = {item.recording_id: item for meeting in self.meetings for item in self.database.recordings_of(meeting)}
        for recording_id in self.told.started:
            if recording_id not in rows:
                raise Broken(f"recording {recording_id} was promised and is lost")
        for recording in rows.values():
            self._check_ended(recording)
        for meeting in self.meetings:
            if self.agora.running(meeting):
                raise Broken(f"a recorder was left running in {meeting}")
        if self.database.unprocessed_count():
            raise Broken("notifications were never applied")

    def _check_ended(self, recording: Recording) -> None:
        if recording.phase not in SETTLED_PHASES:
            raise Broken(f"recording {recording.recording_id} is still {recording.phase}")
        if recording.want is not Want.STOP:
            raise Broken(f"recording {recording.recording_id} is settled and still wanted")

    def story(self) -> str:
        """Everything that a reader needs to see what happened."""
        lines = [f"nodes: {self.nodes}", f"rates: { {k: v for k, v in self.faults.rates.items() if v} }"]
        lines.append(f"fired: {dict(sorted(self.faults.fired.items()))}")
        for meeting in self.meetings:
            lines.append(f"journal of {meeting}:")
            lines += [f"  {line}" for line in journal_lines(self.database, meeting)]
        lines.append("last port calls:")
        lines += [f"  {line}" for line in self.wire.calls]
        return "\n".join(lines)


def journal_lines(database: MemoryDatabase, meeting: MeetingId) -> list[str]:
    """The journal of a meeting, an event a line: what a run is compared by."""
    return [
        f"{item.seq:4d} {(item.at_ms - BEGIN_MS) / 1000:10.3f} {item.event.kind} {item.event!r}"[:300]
        for item in database.events_of(meeting)
    ]


class Node:
    """One process: the shipped actor system behind a cable that can be cut."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self.cable = Cable(world.wire, self._crash)
        database = DatabaseCable(
            self.cable,
            MemoryJournal(world.database),
            MemoryOwnership(world.database, "node", f"process-{number}"),
            MemoryInbox(world.database),
        )
        provider = ProviderCable(self.cable, world.agora, world.agora.media)
        self._inbox = database
        ports = Ports(
            journal=database,
            ownership=database,
            inbox=database,
            recorder=provider,
            media=provider,
            publisher=SilentPublisher(self.cable, world.hints),
            clock=world,
            ids=world,
            observe=Observer(),
        )
        leases = LeaseSettings()
        lease = Lease(leases)
        self.system = ActorSystem(ports, Policy(), SystemSettings(), lease)
        works = (
            Heartbeat(self.system, ports, lease, leases).run(),
            Reconciler(self.system, ports, ReconcilerSettings()).run(),
        )
        self._works = [asyncio.get_running_loop().create_task(work) for work in works]

    def _crash(self) -> None:
        for work in self._works:
            work.cancel()
        self._world.crashed()

    async def receive(self, notice: Notice) -> bool:
        """The webhook's route: stored before it is answered. False: no answer, so it will be sent again."""
        try:
            async with asyncio.timeout(10):
                await self._inbox.store(notice, b"", self._world.now_ms())
                meeting = await self._inbox.meeting_of(notice)
        except (JournalUnavailable, TimeoutError):
            return False
        if meeting is not None and self.cable.alive:
            self.system.report(meeting, notice)
        return True
