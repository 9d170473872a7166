"""The shell around the core, on a virtual clock: order, supervision, passivation, drain."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import structlog

from actors.domain.commands import (
    Accepted,
    DeleteRecording,
    Notice,
    Refused,
    StartRecording,
    StopRecording,
    UpdateRecording,
)
from actors.domain.effects import AgoraUpdate
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.model import Actor, ActorKind, Meeting, Phase, RecordingSpec, is_told
from actors.domain.policy import Policy
from actors.errors import (
    CommandFailed,
    CommandOutcomeUnknown,
    DatabaseUnavailable,
    Draining,
    KeyReused,
    MailboxFull,
    MeetingQuarantined,
)
from actors.mailbox import CommandKey
from actors.ports import Append, JournalUnavailable, OutcomeUnknown, Ports
from actors.reconciler import Reconciler, ReconcilerSettings
from actors.system import ActorSystem, SystemSettings
from tests.fakes.agora import FakeAgora
from tests.fakes.memory import MemoryDatabase, MemoryInbox, MemoryJournal, MemoryOwnership
from tests.simulation.loop import VirtualLoop

M = MeetingId("m-1")
USER = Actor(ActorKind.USER, "host")


class Journal(MemoryJournal):
    """The journal in memory, which fails as it is told to."""

    def __init__(self, database: MemoryDatabase) -> None:
        super().__init__(database)
        self.failures: list[Exception] = []
        self.log: list[str] = []

    async def commit(self, append: Append) -> None:
        await asyncio.sleep(0.01)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, OutcomeUnknown):
                await super().commit(append)
            raise failure
        await super().commit(append)
        self.log.append("committed")


class World:
    """One system with everything that it needs."""

    def __init__(self, settings: SystemSettings | None = None, database: MemoryDatabase | None = None) -> None:
        self.database = database or MemoryDatabase()
        self.journal = Journal(self.database)
        self.agora = FakeAgora(self, random.Random(1))
        self.hints: list[JournalEvent] = []
        self._number = 0
        self.ports = Ports(
            journal=self.journal,
            ownership=MemoryOwnership(self.database, f"incarnation-{id(self)}"),
            inbox=MemoryInbox(self.database),
            recorder=self.agora,
            media=self.agora.media,
            publisher=self,
            clock=self,
            ids=self,
        )
        self.system = ActorSystem(self.ports, Policy(), settings or SystemSettings())

    def now_ms(self) -> int:
        return 1_790_000_000_000 + round(asyncio.get_running_loop().time() * 1000)

    def recording_id(self) -> RecordingId:
        self._number += 1
        return RecordingId(f"r-{self._number}")

    def recorder_uid(self) -> str:
        self._number += 1
        return str(self._number)

    def jitter(self) -> float:
        return 0.0

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        self.journal.log += [event.event.kind for event in events]
        self.hints += events

    def start_command(self) -> StartRecording:
        spec = RecordingSpec(channel_name=M)
        return StartRecording(recording_id=self.recording_id(), prefix=("t", "r"), spec=spec, by=USER)

    async def start(self, key: CommandKey | None = None) -> Any:
        return await self.system.ask(M, self.start_command(), key)

    async def stop(self) -> Any:
        return await self.system.ask(M, StopRecording(by=USER))

    async def until(self, phase: Phase, recording_id: RecordingId) -> Any:
        return await self.system.wait(M, recording_id, lambda recording: recording.phase is phase, 60)


def virtual(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story on a loop whose time jumps."""
    structlog.configure(processors=[_drop])
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(story())  # type: ignore[arg-type]
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        structlog.reset_defaults()


def _drop(*_: object) -> Any:
    raise structlog.DropEvent


def test_nothing_is_told_before_its_commit() -> None:
    async def story() -> None:
        world = World()
        answer = await world.start()
        assert answer.recording.phase is Phase.ACQUIRING
        assert world.journal.log[:2] == ["committed", "recording.starting"]

    virtual(story)


def test_an_answered_call_is_not_sent_again_before_its_answer_is_worked_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        world = World()
        started = (await world.start()).reply.recording_id
        await world.system.wait(M, started, lambda item: item.sid is not None, 60)
        await asyncio.sleep(10)
        world.system.wake(M)
        await world.until(Phase.ACTIVE, started)
        sent, update = [], FakeAgora.update

        async def slow(agora: FakeAgora, call: AgoraUpdate) -> Any:
            sent.append(call)
            await asyncio.sleep(0.005)
            return await update(agora, call)

        monkeypatch.setattr(FakeAgora, "update", slow)
        await world.system.ask(M, UpdateRecording(by=USER, subscribe={"audio": ("42",)}))
        elsewhere = Notice(
            notice_id=NoticeId("n"), event_type=40, sid="x", uid="9", cname=M, sequence=0, at_ms=world.now_ms()
        )
        world.system.report(M, elsewhere)
        await world.system.wait(M, started, is_told, 60)
        await asyncio.sleep(1)
        assert len(sent) == 1

    virtual(story)


def test_a_settled_meeting_leaves_memory_and_comes_back() -> None:
    async def story() -> None:
        world = World()
        started = (await world.start()).reply.recording_id
        recording = await world.system.wait(M, started, lambda item: item.sid is not None, 60)
        assert recording.sid is not None
        await world.stop()
        await world.until(Phase.COMPLETED, started)
        await asyncio.sleep(1)
        assert world.system.meetings == 0
        assert world.database.meetings[M].owner is None
        deleted = await world.system.ask(M, DeleteRecording(recording_id=started, by=USER))
        assert deleted.reply == Accepted(started)
        assert (await world.until(Phase.DELETED, started)).deleted_at_ms is not None

    virtual(story)


def test_equal_keys_in_flight_are_one_command() -> None:
    async def story() -> None:
        world = World()
        answers = await asyncio.gather(*(world.start(CommandKey("k", "h")) for _ in range(5)))
        assert len({answer.reply for answer in answers}) == 1
        assert [answer.replayed for answer in answers] == [False, True, True, True, True]
        with pytest.raises(KeyReused):
            await world.start(CommandKey("k", "another"))

    virtual(story)


def test_a_full_mailbox_refuses_at_once() -> None:
    async def story() -> None:
        world = World(SystemSettings(mailbox_messages_max=2))
        asks = [asyncio.ensure_future(world.start()) for _ in range(3)]
        results = await asyncio.gather(*asks, return_exceptions=True)
        assert [type(item) for item in results].count(MailboxFull) == 1

    virtual(story)


def test_a_caller_who_leaves_does_not_undo_the_command() -> None:
    async def story() -> None:
        world = World()
        ask = asyncio.ensure_future(world.start())
        await asyncio.sleep(0.001)
        ask.cancel()
        await asyncio.sleep(1)
        assert len(world.database.recordings) == 1

    virtual(story)


def test_a_fenced_actor_goes_on_under_a_new_epoch() -> None:
    async def story() -> None:
        world = World()
        await world.start()
        await MemoryOwnership(world.database, "thief").claim(M)
        answer = await world.stop()
        assert isinstance(answer.reply, Accepted)
        assert world.database.meetings[M].epoch == 3

    virtual(story)


def test_an_unknown_outcome_is_said_and_the_state_is_read_anew() -> None:
    async def story() -> None:
        world = World()
        world.journal.failures = [OutcomeUnknown("cut")]
        with pytest.raises(CommandOutcomeUnknown):
            await world.start(CommandKey("k", "h"))
        again = await world.start(CommandKey("k", "h"))
        assert again.replayed
        assert isinstance((await world.start()).reply, Refused)

    virtual(story)


def test_without_a_database_nothing_is_stored_and_facts_are_kept() -> None:
    async def story() -> None:
        world = World()
        world.journal.failures = [JournalUnavailable("away")]
        with pytest.raises(DatabaseUnavailable):
            await world.start()
        assert not world.database.recordings
        started = (await world.start()).reply.recording_id
        world.journal.failures = [JournalUnavailable("away")] * 3
        recording = await world.system.wait(M, started, lambda item: item.sid is not None, 60)
        assert recording.sid is not None
        assert len(world.agora.sessions) == 1

    virtual(story)


def test_a_command_that_fails_twice_is_set_aside_and_others_go_on() -> None:
    async def story() -> None:
        world = World()
        world.journal.failures = [ValueError("bug"), ValueError("bug")]
        with pytest.raises(CommandFailed):
            await world.start()
        assert isinstance((await world.start()).reply, Accepted)

    virtual(story)


def test_a_meeting_that_keeps_failing_is_quarantined_and_tried_again_later() -> None:
    async def story() -> None:
        world = World()
        world.journal.failures = [ValueError("bug")] * 4
        results = await asyncio.gather(*(world.start() for _ in range(4)), return_exceptions=True)
        assert {type(item) for item in results} == {CommandFailed, MeetingQuarantined}
        with pytest.raises(MeetingQuarantined):
            await world.start()
        assert isinstance((await world.system.ask(MeetingId("m-2"), world.start_command())).reply, Accepted)
        await asyncio.sleep(31)
        assert isinstance((await world.start()).reply, Accepted)

    virtual(story)


def test_failures_one_after_another_quarantine_too_and_are_forgiven_in_time() -> None:
    async def story() -> None:
        world = World()
        world.journal.failures = [ValueError("bug")] * 4
        with pytest.raises(CommandFailed):
            await world.start()
        with pytest.raises((CommandFailed, MeetingQuarantined)):
            await world.start()
        with pytest.raises(MeetingQuarantined):
            await world.start()
        await asyncio.sleep(31)
        await world.system.wait(M, (await world.start()).reply.recording_id, lambda item: item.sid is not None, 60)

        world.journal.failures = [ValueError("bug")] * 2
        with pytest.raises(CommandFailed):
            await world.system.ask(MeetingId("m-2"), world.start_command())
        assert world.system.meetings == 2
        await asyncio.sleep(61)
        assert world.system.meetings == 1

    virtual(story)


def test_waiting_ends_with_its_time_and_tells_what_is() -> None:
    async def story() -> None:
        world = World()
        started = (await world.start()).reply.recording_id
        before = asyncio.get_running_loop().time()
        recording = await world.system.wait(M, started, lambda item: item.phase is Phase.DELETED, 5)
        assert recording.recording_id == started
        assert asyncio.get_running_loop().time() - before == pytest.approx(5, abs=0.1)
        assert await world.system.wait(M, RecordingId("unknown"), lambda _: True, 5) is None

    virtual(story)


def test_a_drain_stops_no_recording_and_the_next_node_takes_it_up() -> None:
    async def story() -> None:
        world = World()
        started = (await world.start()).reply.recording_id
        await world.system.wait(M, started, lambda item: item.sid is not None, 60)
        waiting = asyncio.ensure_future(world.system.wait(M, started, lambda _: False, 60))
        await asyncio.sleep(0)
        await world.system.drain(5)
        with pytest.raises(Draining):
            await world.start()
        assert (await waiting).recording_id == started
        assert world.database.meetings[M].owner is None
        assert len(world.agora.running(M)) == 1
        heir = World(database=world.database)
        heir.agora.sessions = world.agora.sessions
        looking = asyncio.create_task(Reconciler(heir.system, heir.ports, ReconcilerSettings()).run())
        await asyncio.sleep(7)
        looking.cancel()
        recording = heir.database.recordings[started]
        assert recording.phase is Phase.ACTIVE
        assert len(heir.agora.running(M)) == 1

    virtual(story)


def test_a_step_that_hangs_is_given_up() -> None:
    async def story() -> None:
        world = World(SystemSettings(step_seconds_max=10))

        async def hang(_: Append) -> None:
            await asyncio.get_running_loop().create_future()

        commit, world.journal.commit = world.journal.commit, hang  # type: ignore[method-assign]
        with pytest.raises(CommandOutcomeUnknown):
            await world.start()
        world.journal.commit = commit  # type: ignore[method-assign]
        assert isinstance((await world.start()).reply, Accepted)

    virtual(story)


def test_a_notice_is_applied_once_and_marked_in_the_same_commit() -> None:
    async def story() -> None:
        world = World()
        started = (await world.start()).reply.recording_id
        await world.system.wait(M, started, lambda item: item.sid is not None, 60)
        await asyncio.sleep(2)
        world.agora.advance(world.now_ms())
        notices = world.agora.take_notices(world.now_ms() + 10_000)
        inbox = world.ports.inbox
        for notice in [*notices, *notices]:
            await inbox.store(notice, b"", world.now_ms())
            world.system.report(M, notice)
        await asyncio.sleep(1)
        assert world.database.recordings[started].phase is Phase.ACTIVE
        assert world.database.unprocessed_count() == 0
        assert [item.event.kind for item in world.hints].count("recording.active") == 1

    virtual(story)


def test_a_notice_that_fails_is_set_aside_and_holds_nothing_up() -> None:
    async def story() -> None:
        world = World()
        started = (await world.start()).reply.recording_id
        await world.system.wait(M, started, lambda item: item.sid is not None, 60)
        await asyncio.sleep(2)
        world.agora.advance(world.now_ms())
        first, *_ = world.agora.take_notices(world.now_ms() + 10_000)
        await world.ports.inbox.store(first, b"", world.now_ms())
        world.journal.failures = [ValueError("bug"), ValueError("bug")]
        world.system.report(M, first)
        await asyncio.sleep(1)
        assert world.database.unprocessed_count() == 0
        assert isinstance((await world.stop()).reply, Accepted)

    virtual(story)


def test_the_reconciler_finds_notices_that_nobody_reported() -> None:
    async def story() -> None:
        world = World()
        started = (await world.start()).reply.recording_id
        await world.system.wait(M, started, lambda item: item.sid is not None, 60)
        await asyncio.sleep(2)
        world.agora.advance(world.now_ms())
        for notice in world.agora.take_notices(world.now_ms() + 10_000):
            await world.ports.inbox.store(notice, b"", world.now_ms())
        reconciler = Reconciler(world.system, world.ports, replace(ReconcilerSettings(), inbox_age_ms=0))
        await reconciler.look()
        await asyncio.sleep(1)
        assert world.database.recordings[started].phase is Phase.ACTIVE
        assert world.database.unprocessed_count() == 0

    virtual(story)


def test_meetings_that_stay_due_hide_no_others() -> None:
    async def story() -> None:
        world = World()
        woken: list[MeetingId] = []
        world.system.wake = woken.append  # type: ignore[method-assign]
        meetings = [MeetingId(f"m-{number}") for number in range(5)]
        for meeting in meetings:
            await world.system.ask(meeting, world.start_command())
        await asyncio.sleep(400)
        woken.clear()
        await Reconciler(world.system, world.ports, replace(ReconcilerSettings(), batch=2)).look()
        assert woken == meetings

    virtual(story)
