"""The shell around the core, on a virtual clock: order, supervision, passivation, drain."""

import asyncio
from typing import Any

import pytest

from actors.domain.commands import Accepted, DeleteRecording, Notice, Refused, UpdateRecording
from actors.domain.effects import AgoraStart, AgoraUpdate
from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.model import Phase
from actors.domain.outcomes import Done, ResourceUnusable
from actors.domain.projections import is_told
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
from actors.ports import Append, JournalUnavailable, OutcomeUnknown
from actors.reconciler import Reconciler, ReconcilerSettings
from actors.system import SystemSettings
from tests.fakes.agora import FakeAgora
from tests.fakes.files import FakeMedia
from tests.fakes.shell import USER, M, World, virtual


def test_nothing_is_told_before_its_commit() -> None:
    async def story() -> None:
        world = World()
        answer = await world.start()
        assert answer.recording.phase is Phase.ACQUIRING
        assert world.journal.log[:2] == ["committed", "recording.starting"]

    virtual(story)


def test_no_second_recorder_is_started_beside_a_start_whose_sender_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        world, sent = World(), []

        async def start(_agora: FakeAgora, call: AgoraStart) -> Any:
            sent.append(call)
            if len(sent) == 1:
                await asyncio.sleep(1_000)
            return Done(ResourceUnusable(433, "too old"))

        monkeypatch.setattr(FakeAgora, "start", start)
        await world.start()
        await asyncio.sleep(1)
        world.system.let_go()
        world.system.wake(M)
        await asyncio.sleep(5)
        assert [call.attempt for call in sent] == [1, 1]
        state = world.database.meetings[M].state
        assert [eviction.attempt.number for eviction in state.evictions] == [1]

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
        world.database.meetings[M].epoch += 1  # as an owner does that has come and gone
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


def test_a_new_owner_asks_at_once_whether_what_recorded_still_does() -> None:
    async def story() -> None:
        world = World()
        looking = asyncio.create_task(Reconciler(world.system, world.ports, ReconcilerSettings()).run())
        started = (await world.start()).reply.recording_id
        await world.system.wait(M, started, lambda item: item.phase is Phase.ACTIVE, 60)
        await asyncio.sleep(30)
        looking.cancel()
        await world.system.drain(5)
        heir = World(database=world.database)
        heir.agora.sessions = world.agora.sessions
        taken_over_ms = heir.now_ms()
        heir.system.wake(M)
        await asyncio.sleep(1)
        attempt = heir.database.recordings[started].attempt
        assert attempt is not None
        assert attempt.proven_at_ms is not None
        assert attempt.proven_at_ms >= taken_over_ms

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


def test_nothing_waits_behind_a_manifest_and_leaving_does_not_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take minutes. Another node writes it then."""

    async def story() -> None:
        world, sealing = World(SystemSettings(calls_max=1)), asyncio.Event()

        async def endless(*_: Any) -> Any:
            sealing.set()
            await asyncio.get_running_loop().create_future()

        monkeypatch.setattr(FakeMedia, "seal", endless)
        first = await _completed(world)
        await sealing.wait()
        second = await _active(world)
        before = asyncio.get_running_loop().time()
        await world.system.drain(5)
        assert asyncio.get_running_loop().time() - before < 1
        monkeypatch.undo()
        heir = World(database=world.database)
        heir.agora.sessions = world.agora.sessions
        heir.system.wake(M)
        await asyncio.sleep(1)
        assert heir.database.recordings[first].manifest_sha256 == "0" * 64
        assert heir.database.recordings[second].phase is Phase.ACTIVE
        assert not heir.database.meetings[M].state.finishing

    virtual(story)


async def _active(world: World) -> RecordingId:
    looking = asyncio.create_task(Reconciler(world.system, world.ports, ReconcilerSettings()).run())
    started: RecordingId = (await world.start()).reply.recording_id
    assert (await world.until(Phase.ACTIVE, started)).phase is Phase.ACTIVE
    looking.cancel()
    return started


async def _completed(world: World) -> RecordingId:
    """A recording from its start to its proof."""
    started = await _active(world)
    await asyncio.sleep(30)
    await world.stop()
    assert (await world.until(Phase.COMPLETED, started)).phase is Phase.COMPLETED
    return started
