"""A node and its lease, on a virtual clock: what it does when it cannot renew it, and who has its meetings then."""

import asyncio

import pytest

from actors.domain.commands import Accepted
from actors.domain.effects import AgoraAcquire
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Phase
from actors.domain.outcomes import Acquired, Outcome
from actors.errors import (
    CommandFailed,
    CommandOutcomeUnknown,
    DatabaseUnavailable,
    MeetingQuarantined,
    OwnedByAnotherNode,
)
from actors.ports import Append
from tests.fakes.agora import FakeAgora
from tests.fakes.nodes import LEASES, Node
from tests.fakes.shell import M, virtual


async def live(node: Node) -> RecordingId:
    """A recording that runs."""
    started: RecordingId = (await node.start()).reply.recording_id
    await node.system.wait(M, started, lambda item: item.sid is not None, 60)
    return started


def test_a_lease_that_is_renewed_never_ends_anything() -> None:
    async def story() -> None:
        node = await Node("a").begin()
        await live(node)
        await asyncio.sleep(60)
        assert set(node.seen.renewals) == {"kept"}
        assert node.lease.age_seconds <= LEASES.renew_seconds
        assert node.database.meetings[M].epoch == 1

    virtual(story)


def test_without_a_renewal_calls_wait_and_go_out_with_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        node = await Node("a").begin()
        calls = counted_acquires(monkeypatch, 0.0)
        node.ownership.cut = True
        await asyncio.sleep(LEASES.silent_seconds)
        assert isinstance((await node.start()).reply, Accepted)
        await asyncio.sleep(1)
        assert calls == []
        node.ownership.cut = False
        await asyncio.sleep(LEASES.retry_seconds)
        assert len(calls) == 1
        assert set(node.seen.renewals) == {"kept", "failed"}

    virtual(story)


@pytest.mark.parametrize("how", ["cut", "hangs"])
def test_a_node_that_cannot_renew_ends_its_actors_before_others_take_its_meetings(how: str) -> None:
    async def story() -> None:
        node = await Node("a").begin()
        started = await live(node)
        other = await Node("b", beside=node).begin()
        setattr(node.ownership, how, True)
        renewed_at = asyncio.get_running_loop().time() - node.lease.age_seconds
        await asyncio.sleep(LEASES.let_go_seconds - node.lease.age_seconds - 0.1)
        assert node.system.meetings == 1
        await asyncio.sleep(0.2)
        assert node.system.meetings == 0
        assert node.database.meetings[M].owner == "a"
        assert other.system.meetings == 0
        await asyncio.sleep(renewed_at + LEASES.lease_seconds + 1.1 - asyncio.get_running_loop().time())
        assert node.database.meetings[M].owner == "b"
        assert len(node.agora.running(M)) == 1
        assert isinstance((await other.stop()).reply, Accepted)
        assert (await other.until(Phase.COMPLETED, started)).phase is Phase.COMPLETED
        assert len(node.agora.sessions) == 1

    virtual(story)


@pytest.mark.parametrize("how", ["cut", "hangs"])
def test_a_node_that_was_cut_off_goes_on_as_a_new_incarnation_and_takes_up_its_meetings(how: str) -> None:
    async def story() -> None:
        node = await Node("a").begin()
        started = await live(node)
        for seconds in (LEASES.let_go_seconds + 0.5, LEASES.lease_seconds + 30):
            epoch = node.database.meetings[M].epoch
            setattr(node.ownership, how, True)
            await asyncio.sleep(seconds)
            assert node.system.meetings == 0
            setattr(node.ownership, how, False)
            await asyncio.sleep(LEASES.renew_seconds + LEASES.retry_seconds + 1.5)
            assert node.system.meetings == 1
            assert node.database.meetings[M].epoch == epoch + 1
        assert node.seen.renewals.count("lapsed") == 2
        assert not node.heartbeat.ousted.is_set()
        await node.stop()
        await node.until(Phase.COMPLETED, started)
        assert len(node.agora.sessions) == 1

    virtual(story)


def test_a_node_whose_lease_ran_out_by_the_databases_clock_alone_claims_its_meetings_anew() -> None:
    async def story() -> None:
        node = await Node("a").begin()
        await live(node)
        node.database.nodes["a"].lease_until_ms = 0
        await asyncio.sleep(LEASES.renew_seconds + 1.5)
        assert "lapsed" in node.seen.renewals
        assert node.database.meetings[M].epoch == 2
        assert await node.ownership.unowned(10) == []

    virtual(story)


def test_a_lease_counts_from_when_its_renewal_was_sent() -> None:
    async def story() -> None:
        node = await Node("a").begin()
        node.ownership.slow_seconds = 2.5
        await asyncio.sleep(2.6)
        assert node.lease.age_seconds == pytest.approx(2.6)

    virtual(story)


def test_a_later_process_of_the_same_name_ousts_the_earlier_and_takes_its_meetings_at_once() -> None:
    async def story() -> None:
        earlier = await Node("a").begin()
        started = await live(earlier)
        later = await Node("a", "second", beside=earlier).begin()
        await asyncio.sleep(1.5)
        assert later.system.meetings == 1
        await asyncio.wait_for(earlier.heartbeat.ousted.wait(), LEASES.renew_seconds)
        assert earlier.system.meetings == 0
        assert earlier.seen.renewals[-1] == "taken"
        with pytest.raises(DatabaseUnavailable):
            await earlier.stop()
        await later.stop()
        await later.until(Phase.COMPLETED, started)
        assert len(earlier.agora.sessions) == 1

    virtual(story)


def test_a_restarted_node_takes_up_its_meetings_without_waiting_for_its_lease() -> None:
    async def story() -> None:
        node = await Node("a").begin()
        started = await live(node)
        node.die()
        heir = await Node("a", "second", beside=node).begin()
        await asyncio.sleep(0.5)
        assert heir.system.meetings == 1
        await heir.stop()
        await heir.until(Phase.COMPLETED, started)
        assert len(heir.agora.sessions) == 1

    virtual(story)


def test_a_node_that_leaves_frees_its_meetings_at_once() -> None:
    async def story() -> None:
        node = await Node("a").begin()
        await live(node)
        other = await Node("b", beside=node).begin()
        await node.system.drain(5)
        await node.heartbeat.leave()
        assert "a" not in node.database.nodes
        await asyncio.sleep(1.1)
        assert other.system.meetings == 1
        await asyncio.sleep(LEASES.renew_seconds)
        assert "a" not in node.database.nodes

    virtual(story)


def test_a_command_for_a_meeting_owned_elsewhere_is_refused_and_leaves_nothing_behind() -> None:
    async def story() -> None:
        node = await Node("a").begin()
        started = await live(node)
        other = await Node("b", beside=node).begin()
        with pytest.raises(OwnedByAnotherNode):
            await other.stop()
        other.system.wake(M)
        await asyncio.sleep(10)
        assert other.system.meetings == 0
        assert other.seen.refusals == ["elsewhere", "elsewhere"]
        assert node.database.meetings[M].epoch == 1
        assert node.database.recordings[started].phase in (Phase.STARTING, Phase.ACTIVE)

    virtual(story)


def test_an_actor_that_is_fenced_by_another_node_hands_its_command_back_and_ends() -> None:
    async def story() -> None:
        node = await Node("a").begin()
        await live(node)
        other = await Node("b", beside=node).begin()
        node.database.nodes["a"].lease_until_ms = 0
        await other.system.drain(0)
        await other.ownership.claim(M)
        node.database.nodes["a"].lease_until_ms = node.now_ms() + 60_000
        with pytest.raises(OwnedByAnotherNode):
            await node.stop()
        assert node.system.meetings == 0

    virtual(story)


def test_a_command_that_is_at_hand_when_the_actors_end_is_told_that_its_outcome_is_unknown() -> None:
    async def story() -> None:
        node = await Node("a").begin()

        async def hang(_: Append) -> None:
            await asyncio.get_running_loop().create_future()

        node.journal.commit = hang  # type: ignore[method-assign]
        first = asyncio.ensure_future(node.start())
        second = asyncio.ensure_future(node.start())
        await asyncio.sleep(1)
        node.ownership.cut = True
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(result) for result in results] == [CommandOutcomeUnknown, DatabaseUnavailable]
        assert asyncio.get_running_loop().time() < LEASES.lease_seconds

    virtual(story)


def test_without_a_lease_nothing_is_claimed_and_the_database_is_not_asked() -> None:
    async def story() -> None:
        node = Node("a")
        with pytest.raises(DatabaseUnavailable):
            await node.start()
        assert node.seen.refusals == ["lease"]
        assert node.ownership.claims == 0
        assert MeetingId("m-1") not in node.database.meetings
        await node.begin()
        assert isinstance((await node.start()).reply, Accepted)

    virtual(story)


def test_a_call_that_waited_for_the_lease_is_never_sent_by_actors_that_have_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        node = await Node("a").begin()
        calls = counted_acquires(monkeypatch, 0.0)
        node.ownership.cut = True
        await asyncio.sleep(LEASES.silent_seconds)
        await node.start()
        await asyncio.sleep(LEASES.let_go_seconds)
        node.ownership.cut = False
        await asyncio.sleep(5)
        assert len(calls) == 1

    virtual(story)


def test_the_end_of_an_old_call_does_not_hide_the_same_call_of_the_next_actor(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        node = await Node("a").begin()
        calls = counted_acquires(monkeypatch, 2.0)
        started = (await node.start()).reply.recording_id
        waiting = asyncio.ensure_future(node.system.wait(M, started, lambda item: item.sid is not None, 20))
        await asyncio.sleep(0.1)
        node.system.let_go()
        for _ in range(10):
            node.system.wake(M)
            await asyncio.sleep(0.1)
        assert (await waiting).sid is not None
        assert len(calls) == 2

    virtual(story)


def test_a_meeting_that_is_let_go_is_no_longer_quarantined_here() -> None:
    async def story() -> None:
        node = await Node("a").begin()
        node.journal.failures = [ValueError("bug")] * 4
        for _ in range(2):
            with pytest.raises((CommandFailed, MeetingQuarantined)):
                await node.start()
        assert node.seen.quarantines == 1
        node.system.let_go()
        assert node.seen.quarantines == 0
        assert isinstance((await node.start()).reply, Accepted)

    virtual(story)


def counted_acquires(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[float]:
    """When each acquire arrived at the provider, which takes so long for it."""
    calls: list[float] = []
    acquire = FakeAgora.acquire

    async def noted(agora: FakeAgora, call: AgoraAcquire) -> Outcome[Acquired]:
        calls.append(asyncio.get_running_loop().time())
        await asyncio.sleep(seconds)
        return await acquire(agora, call)

    monkeypatch.setattr(FakeAgora, "acquire", noted)
    return calls
