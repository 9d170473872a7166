"""Who may write a meeting, on the database in memory and on Postgres alike: nodes, leases, and what is found by whom.

A lease of no seconds has run out as soon as it is given, so nothing here waits.
"""

from typing import Any

import pytest

from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.model import Phase
from actors.domain.pending import next_wakeup
from actors.ports import Append, Claim, Fenced, LeaseLost, NameTaken, OwnedElsewhere, RecorderRow
from tests.contract.databases import LEASE_SECONDS, Database, M, append_of
from tests.contract.test_database_inbox import notice
from tests.unit.domain.story import BEGIN_MS, in_phase

LATER_MS = BEGIN_MS * 2


async def live(db: Database, ownership: Any) -> Claim:
    """A live recording in M, owned by that node."""
    claim: Claim = await ownership.claim(M)
    story = in_phase(Phase.ACTIVE)
    await db.journal.commit(append_of(story, claim))
    return Claim(claim.epoch, story.meeting)


async def waits(db: Database, ownership: Any, name: str, wake_at_ms: int | None) -> None:
    """A meeting of that name, owned by that node, with a wake-up time."""
    claim, meeting_id = await ownership.claim(MeetingId(name)), MeetingId(name)
    await db.journal.commit(
        Append(meeting_id=meeting_id, epoch=claim.epoch, expected_seq=0, state=claim.state, wake_at_ms=wake_at_ms)
    )


async def test_a_meeting_with_a_live_recording_is_its_owners_alone(db: Database) -> None:
    held = await live(db, db.ownership)
    with pytest.raises(OwnedElsewhere) as refused:
        await db.other.claim(M)
    assert refused.value.node == "a"
    await db.journal.commit(append_of(in_phase(Phase.ACTIVE), held))
    assert (await db.ownership.claim(M)).epoch == held.epoch + 1


async def test_a_meeting_whose_owner_has_no_lease_any_more_is_taken_and_the_old_owner_fenced(db: Database) -> None:
    held = await live(db, db.ownership)
    await db.ownership.renew(0)
    claim = await db.other.claim(M)
    assert claim == Claim(held.epoch + 1, held.state)
    with pytest.raises(Fenced):
        await db.journal.commit(append_of(in_phase(Phase.ACTIVE), held))


async def test_who_has_no_lease_claims_nothing(db: Database) -> None:
    await db.ownership.renew(0)
    with pytest.raises(LeaseLost):
        await db.ownership.claim(M)
    with pytest.raises(LeaseLost):
        await db.process("c", "that never entered").claim(M)


async def test_a_lease_that_ran_out_is_renewed_as_another_incarnation(db: Database) -> None:
    first = await db.ownership.renew(LEASE_SECONDS)
    assert await db.ownership.renew(LEASE_SECONDS) == first
    await live(db, db.ownership)
    await db.ownership.renew(0)
    second = await db.ownership.renew(LEASE_SECONDS)
    assert second > first
    assert await db.ownership.unowned(10) == [M]
    assert (await db.ownership.claim(M)).epoch == 2
    assert await db.ownership.unowned(10) == []


async def test_who_has_let_go_begins_anew_though_its_lease_holds(db: Database) -> None:
    await live(db, db.ownership)
    first = await db.ownership.renew(LEASE_SECONDS)
    assert await db.ownership.renew(LEASE_SECONDS, anew=True) > first
    assert await db.ownership.unowned(10) == [M]
    assert await db.other.unowned(10) == []


async def test_a_restarted_node_takes_its_meetings_at_once(db: Database) -> None:
    held = await live(db, db.ownership)
    restarted = db.process("a", "second of a")
    await restarted.enter(LEASE_SECONDS, await restarted.holder())
    assert await restarted.unowned(10) == [M]
    assert await db.other.unowned(10) == []
    assert (await restarted.claim(M)).epoch == held.epoch + 1


async def test_the_ghost_of_a_restarted_node_neither_renews_nor_claims_nor_leaves(db: Database) -> None:
    held = await live(db, db.ownership)
    later = db.process("a", "second of a")
    await later.enter(LEASE_SECONDS, await later.holder())
    await later.claim(M)
    with pytest.raises(NameTaken):
        await db.ownership.renew(LEASE_SECONDS)
    with pytest.raises(LeaseLost):
        await db.ownership.claim(M)
    with pytest.raises(Fenced):
        await db.journal.commit(append_of(in_phase(Phase.ACTIVE), held))
    await db.ownership.leave()
    await later.renew(LEASE_SECONDS)
    await later.claim(M)


async def test_whose_name_was_taken_and_given_back_goes_on(db: Database) -> None:
    first = await db.ownership.renew(LEASE_SECONDS)
    later = db.process("a", "second of a")
    second = await later.enter(LEASE_SECONDS, await later.holder())
    await later.leave()
    assert await db.ownership.renew(LEASE_SECONDS) > second > first
    await db.ownership.claim(M)


async def test_a_late_request_of_a_dead_process_takes_no_name_from_its_successor(db: Database) -> None:
    dead, successor = db.process("a", "second of a"), db.process("a", "third of a")
    seen = await dead.holder()
    held = await successor.enter(LEASE_SECONDS, await successor.holder())
    with pytest.raises(NameTaken):
        await dead.enter(LEASE_SECONDS, seen)
    assert await successor.renew(LEASE_SECONDS) == await successor.holder() == held > seen


async def test_who_enters_twice_since_the_first_answer_was_lost_has_its_name(db: Database) -> None:
    later = db.process("a", "second of a")
    seen = await later.holder()
    first = await later.enter(LEASE_SECONDS, seen)
    assert await later.enter(LEASE_SECONDS, seen) > first


async def test_nobody_holds_a_name_that_is_new_or_was_given_back(db: Database) -> None:
    assert await db.process("c", "first of c").holder() == 0
    await db.ownership.leave()
    assert await db.ownership.holder() == 0


async def test_who_leaves_frees_its_meetings_at_once(db: Database) -> None:
    await live(db, db.ownership)
    await db.ownership.leave()
    assert await db.other.unowned(10) == [M]
    await db.other.claim(M)
    with pytest.raises(LeaseLost):
        await db.ownership.claim(M)


async def test_release_is_only_for_the_present_owner(db: Database) -> None:
    old = await live(db, db.ownership)
    new = await db.ownership.claim(M)
    await db.ownership.release(M, old.epoch)
    assert await db.other.unowned(10) == []
    await db.ownership.release(M, new.epoch)
    assert await db.other.unowned(10) == [M]
    assert (await db.other.claim(M)).epoch == new.epoch + 1


async def test_a_meeting_with_nothing_left_to_do_is_anybodys(db: Database) -> None:
    await db.journal.commit(append_of(in_phase(Phase.COMPLETED), await db.ownership.claim(M)))
    assert (await db.other.claim(M)).epoch == 2
    assert await db.ownership.due(LATER_MS, 10) == []
    assert await db.ownership.unowned(10) == []


async def test_what_is_due_is_found_by_its_owner_alone_while_there_is_one(db: Database) -> None:
    story = in_phase(Phase.ACTIVE)
    await live(db, db.ownership)
    wake_at_ms = next_wakeup(story.meeting)
    assert wake_at_ms is not None
    assert await db.ownership.due(wake_at_ms - 1, 10) == []
    assert await db.ownership.due(wake_at_ms, 10) == [M]
    assert await db.other.due(wake_at_ms, 10) == []
    assert await db.ownership.unowned(10) == []
    assert await db.other.unowned(10) == []
    await db.ownership.leave()
    assert await db.other.due(wake_at_ms, 10) == [M]
    assert await db.other.unowned(10) == [M]


async def test_what_is_due_comes_page_by_page(db: Database) -> None:
    for name, wake_at_ms in (("a", 3_000), ("b", 1_000), ("c", 2_000)):
        await waits(db, db.ownership, name, wake_at_ms)
    await waits(db, db.other, "ab", 500)
    assert await db.ownership.due(9_000, 10) == ["a", "b", "c"]
    assert await db.ownership.due(9_000, 2) == ["a", "b"]
    assert await db.ownership.due(9_000, 2, MeetingId("b")) == ["c"]
    await db.ownership.leave()
    assert await db.other.unowned(2) == ["b", "c"]


async def test_notices_are_offered_to_the_owner_and_to_all_when_there_is_none(db: Database) -> None:
    row = RecorderRow(cname="m-1", uid="4711", sid=None, recording_id=RecordingId("r-1"), attempt=1)
    await db.journal.commit(append_of(in_phase(Phase.ACTIVE), await db.ownership.claim(M), recorders=(row,)))
    await db.inbox_of_b.store(notice(), b"{}", BEGIN_MS)
    assert await db.inbox_of_b.unprocessed(BEGIN_MS, 10) == []
    assert await db.inbox.unprocessed(BEGIN_MS, 10) == [(M, notice())]
    await db.ownership.leave()
    assert [item.notice_id for _, item in await db.inbox_of_b.unprocessed(BEGIN_MS, 10)] == [NoticeId("n-1")]
