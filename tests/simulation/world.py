"""One run: nodes over one database, their users, the provider, and what befalls them.

Everything that is drawn comes from the seed, everything that waits waits on the virtual clock.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Meeting
from actors.ports import Append
from tests.fakes.agora import FakeAgora
from tests.fakes.memory import MemoryDatabase, MemoryJournal
from tests.simulation.faults import BEYOND, EVENTS, Faults
from tests.simulation.listeners import Listener
from tests.simulation.node import Node
from tests.simulation.promises import SAFETY, Broken, Promises
from tests.simulation.shelf import Shelf
from tests.simulation.troubles import Postman, Troubles
from tests.simulation.users import Users
from tests.simulation.veil import Veil
from tests.simulation.wire import BEGIN_MS, Wire

CATCHING_UP_SECONDS = 420.0
"""By so long after the faults every recorder has been told what is wanted of it, and its loss is known."""
SETTLING_SECONDS = 6 * 3600.0
"""So long everything may take to come to its end once the faults have stopped."""
RULE_DELAY_MS = (200, 14_000)
"""A kicking rule strikes just before it is taken to have (`Policy.eviction_settle_ms`)."""
LOOK_SECONDS = 20.0
WATCH_SECONDS = 60.0
AFTERMATH_SECONDS = 60.0
"""What arrives late has arrived by then."""
DOWN_SECONDS = (0.1, 20.0)
"""So long a process that is gone is missing."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a world is, and how long faults strike in it."""

    nodes: int
    meetings: int
    seconds: float

    @classmethod
    def drawn(cls, dice: random.Random) -> "Size":
        return cls(dice.choice((1, 2, 2, 3, 4)), dice.randint(1, 3), dice.choice((300.0, 600.0, 900.0)))


class World:
    """All of one run."""

    def __init__(self, faults: Faults, size: Size, crash_at: frozenset[int] = frozenset()) -> None:
        self.faults = faults
        self.size = size
        self.database = MemoryDatabase(self.now_ms)
        self.journal = WatchedJournal(self)
        self.agora = FakeAgora(self, faults.dice("agora"), RULE_DELAY_MS)
        self.shelf = Shelf(self.agora, faults)
        self.veil = Veil()
        self.promises = Promises(self)
        self.wire = Wire(faults, self.check, crash_at)
        self.meetings = [MeetingId(f"m-{number}") for number in range(size.meetings)]
        self.listeners = [Listener(self, meeting) for meeting in self.meetings]
        self.emptied: set[MeetingId] = set()
        """Whose room was empty at some time."""
        self.astray: set[str] = set()
        """Sessions that were between two machines for longer than the service says."""
        self.nodes: list[Node] = []
        self.past: list[Node] = []
        """Kept so that what a dead process would still do in `finally` is not done before the end."""
        self.broken: Broken | None = None
        """The first promise that was broken: kept aside, since the code under test may swallow what is raised in a call."""
        self._ids = faults.dice("ids")
        self._dice = faults.dice("world")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._incarnations = 0
        self._over: asyncio.Future[None] | None = None

    # --- ports.Clock, ports.Ids ---

    def now_ms(self) -> int:
        return BEGIN_MS + round(asyncio.get_running_loop().time() * 1000)

    def recording_id(self) -> RecordingId:
        return RecordingId(f"{self.now_ms():015d}-{self._ids.getrandbits(32):08x}")

    def recorder_uid(self) -> str:
        return str(self._ids.randint(1, 2**32 - 1))

    def jitter(self) -> float:
        return self._ids.random()

    # --- the run ---

    async def play(self, story: "Callable[[World], Awaitable[None]]") -> None:
        """Until the story is over, or a promise is broken: what comes after that says little. Raises what ended it."""
        self._over = asyncio.get_running_loop().create_future()
        task = self.spawn(story(self))  # type: ignore[arg-type]
        await asyncio.wait({task, self._over}, return_when=asyncio.FIRST_COMPLETED)
        if self.broken is not None:
            raise self.broken
        task.result()

    async def run(self) -> None:
        """Users act under faults; then the faults stop, and everything must come to its end."""
        self.begin()
        troubles = Troubles(self)
        brewing = [self.spawn(troubles.brew(kind)) for kind in (*EVENTS, *BEYOND)]
        users = [Users(self, meeting) for meeting in self.meetings]
        using = [self.spawn(each.use()) for each in users]
        await asyncio.sleep(self.size.seconds)
        for task in using:
            task.cancel()
        await self.calm(brewing)
        await asyncio.sleep(CATCHING_UP_SECONDS)
        for meeting in self.meetings:
            self._keep(lambda meeting=meeting: self.promises.made_as_wanted(meeting))
            self._keep(lambda meeting=meeting: self.promises.recorded_as_said(meeting))
            self._keep(lambda meeting=meeting: self.promises.moved_as_told(meeting))
            self._keep(lambda meeting=meeting: self.promises.strays_put_out(meeting))
        await self.end(users)

    def begin(self) -> None:
        """The nodes come up, and the postman goes his rounds."""
        self.wire.open(copy_context())
        for number in range(self.size.nodes):
            self.boot(f"n{number + 1}")
        self.spawn(Postman(self).deliver())
        for listener in self.listeners:
            self.spawn(listener.listen())
        self.spawn(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if not any(node.process.running and not node.line.cut for node in self.nodes):
                continue
            for meeting in self.meetings:
                self._keep(lambda meeting=meeting: self.promises.in_time(meeting))

    async def calm(self, brewing: "Sequence[asyncio.Task[None]]" = ()) -> None:
        """No fault strikes any more; those that last come to their end."""
        self.wire.tell("the faults are over")
        self.faults.on = False
        self.wire.crash_at = frozenset()
        for task in brewing:
            task.cancel()
        for node in self.nodes:
            node.process.thaw()
            node.line.cut.clear()
        self.veil.lift()
        for room in self.meetings:
            self.agora.occupy(room)

    async def end(self, users: "Sequence[Users]") -> None:
        """Every meeting is stopped, and then all that was promised must come true."""
        for each in users:
            while not await each.stop(1):
                pass
        deadline = asyncio.get_running_loop().time() + SETTLING_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            if next(self.promises.unsettled(), None) is None:
                break
        await asyncio.sleep(AFTERMATH_SECONDS)
        await self._conclude()

    async def _conclude(self) -> None:
        self.check()
        for sentence in self.promises.unsettled():
            self.breaks(Broken(sentence))
        for recording in self.database.recordings.values():
            report = await self.shelf.report(recording.prefix, self.now_ms())
            for sentence in self.promises.recorded(recording, report):
                self.breaks(Broken(f"recording {recording.recording_id}: {sentence}"))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """A task of the world."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- nodes ---

    def boot(self, name: str) -> None:
        """A new process on the same data; there is nothing special about it."""
        self._incarnations += 1
        self.nodes.append(Node(self, name, self._incarnations))

    def lost(self, node: Node) -> None:
        """That process is gone."""
        self.nodes.remove(node)
        self.past.append(node)

    def outlived(self, process: str) -> None:
        """A request of a dead process has taken the name that this one had, and which it had not seen this one have."""
        if any(node.process_id == process for node in self.nodes):
            self.breaks(Broken(f"process {process} lost its name to one that is dead"))

    def replace(self, node: Node) -> None:
        """Another comes up a little later, mostly under its name."""
        name = node.name
        if self.faults.on and self._dice.random() < 0.2:
            self.faults.happened("node.renamed")
            name = f"n{self._incarnations + 100}"
        self.wire.after(self._dice.uniform(*DOWN_SECONDS), self.boot, name)

    def some_node(self, dice: random.Random) -> Node | None:
        """Any that is up, as far as those outside can tell."""
        return dice.choice(self.nodes) if self.nodes else None

    def hear(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        """A hint goes to every node, and may be lost on its way to each."""
        for event in events:
            self.promises.hint_was_heard(event)
        for node in self.nodes:
            if not self.faults.strikes("hint.lost"):
                node.hear(state, events)

    def asked(self, call: Any, name: str, process: str) -> None:
        """A call to the provider is about to leave that process of a node."""
        self._keep(lambda: self.promises.asked(call))
        self._keep(lambda: self.promises.sent_by(name, process))

    # --- what must hold ---

    def check(self) -> None:
        """After every call that may change the world."""
        self.agora.advance(self.now_ms())
        for meeting in self.meetings:
            for promise in SAFETY:
                self._keep(lambda promise=promise, meeting=meeting: promise(self.promises, meeting))

    def breaks(self, broken: Broken) -> None:
        """A promise was not kept; the first one counts."""
        if self.broken is None:
            self.broken = broken
            self.wire.tell(f"BROKEN: {broken}")
            if self._over is not None:
                self._over.set_result(None)

    def _keep(self, check: Any) -> None:
        try:
            check()
        except Broken as broken:
            self.breaks(broken)


class WatchedJournal(MemoryJournal):
    """The journal in memory, with an eye on each commit."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database)
        self._world = world

    async def commit(self, append: Append) -> None:
        await super().commit(append)
        try:
            self._world.promises.committed(append)
        except Broken as broken:
            self._world.breaks(broken)
