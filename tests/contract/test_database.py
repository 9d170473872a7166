"""What the core needs of a database, on the one in memory and on Postgres alike."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from actors.domain.commands import Notice
from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.model import Actor, ActorKind, Completeness, Phase, Recording, State, Status
from actors.domain.outcomes import Done
from actors.domain.pending import next_wakeup
from actors.domain.step import take_step
from actors.ports import (
    Append,
    Claim,
    CommandMark,
    Fenced,
    JournalRejected,
    ListQuery,
    RecorderRow,
)
from clients.postgres.feed import PostgresFeed
from clients.postgres.inbox import PostgresInbox
from clients.postgres.journal import PostgresJournal
from clients.postgres.ownership import PostgresOwnership
from clients.postgres.pool import Pool
from clients.postgres.records import PostgresRecords
from tests.fakes.memory import (
    MemoryDatabase,
    MemoryFeed,
    MemoryInbox,
    MemoryJournal,
    MemoryOwnership,
    MemoryRecords,
)
from tests.unit.domain.story import BEGIN_MS, Story, in_phase, whole_media

M = MeetingId("m-1")
USER = Actor(ActorKind.USER, "u")


@dataclass
class Database:
    journal: Any
    ownership: Any
    other: Any
    inbox: Any
    records: Any
    feed: Any


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def db(request: pytest.FixtureRequest, pool: Pool) -> AsyncIterator[Database]:
    if request.param == "memory":
        memory = MemoryDatabase()
        yield Database(
            MemoryJournal(memory),
            MemoryOwnership(memory, "a"),
            MemoryOwnership(memory, "b"),
            MemoryInbox(memory),
            MemoryRecords(memory),
            MemoryFeed(memory),
        )
    else:
        yield Database(
            PostgresJournal(pool),
            PostgresOwnership(pool, "node-a", "a"),
            PostgresOwnership(pool, "node-b", "b"),
            PostgresInbox(pool),
            PostgresRecords(pool),
            await PostgresFeed.open(pool),
        )


def append_of(story: Story, claim: Claim, **more: Any) -> Append:
    """All of a story's events so far as one append."""
    return Append(
        meeting_id=M,
        epoch=claim.epoch,
        expected_seq=claim.state.seq,
        state=story.meeting,
        wake_at_ms=next_wakeup(story.meeting),
        events=tuple(story.log[claim.state.seq :]),
        recordings=tuple(story.settled.values()),
        **more,
    )


async def test_a_new_meeting_is_claimed_empty(db: Database) -> None:
    claim = await db.ownership.claim(M)
    assert claim.epoch == 1
    assert claim.state.seq == 0
    assert claim.state.live is None


async def test_what_was_committed_is_read_back_by_the_next_owner(db: Database) -> None:
    story = in_phase(Phase.ACTIVE)
    await db.journal.commit(append_of(story, await db.ownership.claim(M)))
    claim = await db.other.claim(M)
    assert claim.state == story.meeting
    assert claim.epoch == 2
    assert await db.records.live(M) == story.live


async def test_an_older_epoch_is_fenced_and_writes_nothing(db: Database) -> None:
    old = await db.ownership.claim(M)
    await db.other.claim(M)
    with pytest.raises(Fenced):
        await db.journal.commit(append_of(in_phase(Phase.ACTIVE), old))
    assert await db.records.latest(M) is None
    assert await db.feed.after(M, 0, 10) == []


async def test_an_append_that_does_not_follow_the_last_one_is_fenced(db: Database) -> None:
    claim = await db.ownership.claim(M)
    story = in_phase(Phase.ACQUIRING)
    await db.journal.commit(append_of(story, claim))
    with pytest.raises(Fenced):
        await db.journal.commit(append_of(story, claim))


async def test_a_command_is_remembered_with_its_commit(db: Database) -> None:
    mark = CommandMark("key", "hash", RecordingId("r-1"))
    await db.journal.commit(append_of(in_phase(Phase.ACQUIRING), await db.ownership.claim(M), command=mark))
    assert await db.journal.find_command(M, "key") == mark
    assert await db.journal.find_command(MeetingId("m-2"), "key") is None


async def test_the_same_command_twice_is_rejected_whole(db: Database) -> None:
    claim = await db.ownership.claim(M)
    mark = CommandMark("key", "hash", RecordingId("r-1"))
    story = in_phase(Phase.ACQUIRING)
    await db.journal.commit(append_of(story, claim, command=mark))
    before = story.meeting.seq
    story.acquired()
    with pytest.raises(JournalRejected):
        await db.journal.commit(append_of(story, replace(claim, state=replace(claim.state, seq=before)), command=mark))
    assert (await db.ownership.claim(M)).state.seq == before


async def test_two_live_recordings_are_refused_by_the_database_itself(db: Database) -> None:
    claim = await db.ownership.claim(M)
    story = in_phase(Phase.ACTIVE)
    second = replace(story.live, recording_id=RecordingId("r-2"))
    append = append_of(story, claim)
    with pytest.raises(JournalRejected):
        await db.journal.commit(replace(append, recordings=(story.live, second)))
    assert await db.records.latest(M) is None


async def test_a_recording_may_end_and_the_next_begin_in_one_commit(db: Database) -> None:
    claim = await db.ownership.claim(M)
    first = in_phase(Phase.ACTIVE)
    await db.journal.commit(append_of(first, claim))
    second = replace(first.live, recording_id=RecordingId("r-0"))
    ended = replace(first.live, phase=Phase.PROCESSING)
    append = replace(append_of(first, replace(claim, state=first.meeting)), recordings=(second, ended))
    await db.journal.commit(append)
    assert await db.records.live(M) == second


async def test_release_is_only_for_the_present_owner(db: Database) -> None:
    old = await db.ownership.claim(M)
    await db.journal.commit(append_of(in_phase(Phase.ACTIVE), old))
    new = await db.other.claim(M)
    await db.ownership.release(M, old.epoch)
    assert await db.other.unowned(10) == []
    await db.other.release(M, new.epoch)
    assert await db.other.unowned(10) == [M]


async def test_what_is_due_and_what_nobody_owns_is_found(db: Database) -> None:
    story = in_phase(Phase.ACTIVE)
    await db.journal.commit(append_of(story, await db.ownership.claim(M)))
    wake_at_ms = next_wakeup(story.meeting)
    assert wake_at_ms is not None
    assert await db.ownership.due(wake_at_ms - 1, 10) == []
    assert await db.ownership.due(wake_at_ms, 10) == [M]
    assert await db.ownership.unowned(10) == []
    assert await db.other.unowned(10) == [M]


async def test_what_is_due_comes_page_by_page(db: Database) -> None:
    for name, wake_at_ms in (("a", 3_000), ("b", 1_000), ("c", 2_000)):
        claim = await db.ownership.claim(MeetingId(name))
        meeting_id = MeetingId(name)
        await db.journal.commit(
            Append(meeting_id=meeting_id, epoch=claim.epoch, expected_seq=0, state=claim.state, wake_at_ms=wake_at_ms)
        )
    assert await db.ownership.due(9_000, 10) == ["a", "b", "c"]
    assert await db.ownership.due(9_000, 2) == ["a", "b"]
    assert await db.ownership.due(9_000, 2, MeetingId("b")) == ["c"]
    assert await db.other.unowned(2) == ["b", "c"]


async def test_a_settled_meeting_is_never_due(db: Database) -> None:
    await db.journal.commit(append_of(in_phase(Phase.COMPLETED), await db.ownership.claim(M)))
    assert await db.ownership.due(BEGIN_MS * 2, 10) == []
    assert await db.other.unowned(10) == []


def notice(number: int = 1, **fields: Any) -> Notice:
    known = {"event_type": 40, "sid": "s" * 32, "uid": "4711", "cname": "m-1", "sequence": number, "at_ms": BEGIN_MS}
    return Notice(notice_id=NoticeId(f"n-{number}"), **{**known, "details": {"status": 0}, **fields})


async def test_a_notice_is_kept_once_and_its_meaning_too(db: Database) -> None:
    assert await db.inbox.store(notice(), b"{}", BEGIN_MS)
    assert not await db.inbox.store(notice(), b"{}", BEGIN_MS)
    assert not await db.inbox.store(replace(notice(), notice_id=NoticeId("redundant")), b"{}", BEGIN_MS)
    assert await db.inbox.store(notice(2), b"{}", BEGIN_MS)


async def test_a_notice_finds_its_meeting_by_uid_or_sid_and_is_marked_with_the_commit(db: Database) -> None:
    claim = await db.ownership.claim(M)
    story = in_phase(Phase.ACTIVE)
    row = RecorderRow(cname="m-1", uid="4711", sid=None, recording_id=RecordingId("r-1"), attempt=1)
    assert await db.inbox.store(notice(9, uid="unknown"), b"{}", BEGIN_MS)
    await db.journal.commit(append_of(story, claim, recorders=(row,)))
    await db.inbox.store(notice(), b"{}", BEGIN_MS)
    assert await db.inbox.meeting_of(notice()) == M
    assert await db.inbox.meeting_of(notice(uid="4712")) is None
    assert await db.inbox.unprocessed(BEGIN_MS, 10) == [(M, notice())]
    assert await db.inbox.unprocessed(BEGIN_MS - 1, 10) == []
    claim = replace(claim, state=story.meeting)
    known = replace(row, sid="t" * 32)
    await db.journal.commit(append_of(story, claim, recorders=(known,), notices=(NoticeId("n-1"),)))
    assert await db.inbox.unprocessed(BEGIN_MS, 10) == []
    assert await db.inbox.meeting_of(notice(uid="4712", sid="t" * 32)) == M


async def test_the_sid_of_a_recorder_is_not_forgotten(db: Database) -> None:
    claim, story = await db.ownership.claim(M), in_phase(Phase.ACTIVE)
    row = RecorderRow(cname="m-1", uid="4711", sid="t" * 32, recording_id=RecordingId("r-1"), attempt=1)
    await db.journal.commit(append_of(story, claim, recorders=(row,)))
    claim = replace(claim, state=story.meeting)
    await db.journal.commit(append_of(story, claim, recorders=(replace(row, sid=None),)))
    assert await db.inbox.meeting_of(notice(uid="4712", sid="t" * 32)) == M


async def test_notices_are_offered_in_the_order_in_which_they_came(db: Database) -> None:
    row = RecorderRow(cname="m-1", uid="4711", sid=None, recording_id=RecordingId("r-1"), attempt=1)
    await db.journal.commit(append_of(in_phase(Phase.ACTIVE), await db.ownership.claim(M), recorders=(row,)))
    for number, received_at_ms in ((1, 300), (2, 100), (3, 200)):
        assert await db.inbox.store(notice(number), b"{}", BEGIN_MS + received_at_ms)
    found = await db.inbox.unprocessed(BEGIN_MS + 999, 2)
    assert [item.notice_id for _, item in found] == ["n-2", "n-3"]


async def test_a_notice_that_was_set_aside_is_not_offered_again(db: Database) -> None:
    row = RecorderRow(cname="m-1", uid="4711", sid=None, recording_id=RecordingId("r-1"), attempt=1)
    await db.journal.commit(append_of(in_phase(Phase.ACTIVE), await db.ownership.claim(M), recorders=(row,)))
    await db.inbox.store(notice(), b"{}", BEGIN_MS)
    await db.inbox.set_aside(NoticeId("n-1"))
    assert await db.inbox.unprocessed(BEGIN_MS, 10) == []
    assert not await db.inbox.store(notice(), b"{}", BEGIN_MS)


async def test_a_recording_is_recalled_in_its_own_meeting_only(db: Database) -> None:
    story = in_phase(Phase.COMPLETED)
    await db.journal.commit(append_of(story, await db.ownership.claim(M)))
    assert await db.journal.recall(M, story.last.recording_id) == story.last
    assert await db.journal.recall(MeetingId("m-2"), story.last.recording_id) is None
    assert await db.records.recording(story.last.recording_id) == story.last


async def fill(db: Database, count: int) -> list[Recording]:
    """So many completed recordings, newest first."""
    story = in_phase(Phase.COMPLETED)
    made = [
        replace(story.last, recording_id=RecordingId(f"r-{number:02d}"), created_at_ms=BEGIN_MS + number // 2)
        for number in range(count)
    ]
    append = append_of(story, await db.ownership.claim(M))
    await db.journal.commit(replace(append, recordings=tuple(made)))
    return made[::-1]


async def test_pages_by_offset_and_by_cursor_show_the_same(db: Database) -> None:
    made = await fill(db, 7)
    by_offset = [(await db.records.page(ListQuery(meeting_id=M, limit=3, offset=at))).items for at in (0, 3, 6)]
    assert [item for page in by_offset for item in page] == made
    after, by_cursor = None, []
    while True:
        page = await db.records.page(ListQuery(limit=3, after=after))
        by_cursor += page.items
        assert page.total == 7
        if not page.more:
            break
        after = (page.items[-1].created_at_ms, page.items[-1].recording_id)
    assert by_cursor == made


async def test_lists_are_filtered_and_show_tombstones_only_when_asked(db: Database) -> None:
    story = in_phase(Phase.COMPLETED)
    gone = replace(story.last, recording_id=RecordingId("r-2"), phase=Phase.DELETED)
    append = append_of(story, await db.ownership.claim(M))
    await db.journal.commit(replace(append, recordings=(story.last, gone)))

    async def ids(**filters: Any) -> list[str]:
        return sorted(item.recording_id for item in (await db.records.page(ListQuery(**filters))).items)

    assert await ids() == ["r-1"]
    assert await ids(statuses=(Status.DELETED,)) == ["r-2"]
    assert await ids(statuses=(Status.DELETED, Status.COMPLETED)) == ["r-1", "r-2"]
    assert await ids(states=(State.COMPLETED,)) == ["r-1"]
    assert await ids(states=(State.FAILED,)) == []
    assert await ids(meeting_id=MeetingId("m-2")) == []


async def test_lists_are_filtered_by_names_times_and_deadlines(db: Database) -> None:
    story = in_phase(Phase.COMPLETED)
    base, at = story.last, BEGIN_MS

    def made(name: str, *, external_id: str | None = None, **changed: Any) -> Recording:
        spec = replace(base.spec, external_id=external_id)
        return replace(base, recording_id=RecordingId(name), spec=spec, **changed)

    rows = (
        made("a", external_id="x", created_at_ms=at, updated_at_ms=at + 9),
        made("b", external_id="X", created_at_ms=at + 1, updated_at_ms=at + 5, completeness=Completeness.PARTIAL),
        made("c", created_at_ms=at + 2, updated_at_ms=at + 4, phase=Phase.PROCESSING, deadline_at_ms=at + 100),
        made("d", created_at_ms=at + 3, updated_at_ms=at + 6, phase=Phase.PROCESSING, deadline_at_ms=at + 101),
        made("e", created_at_ms=at + 4, updated_at_ms=at + 7, deadline_at_ms=at + 1),
        made("f", external_id="x", created_at_ms=at + 5, updated_at_ms=at + 8, phase=Phase.DELETED),
    )
    append = append_of(story, await db.ownership.claim(M))
    await db.journal.commit(replace(append, recordings=rows))

    async def ids(**filters: Any) -> str:
        page = await db.records.page(ListQuery(**filters))
        assert page.total == len(page.items)
        return "".join(item.recording_id for item in page.items)

    assert await ids(external_id="x") == "a"
    assert await ids(external_id="x", statuses=(Status.DELETED,)) == "f"
    assert await ids(external_id="y") == ""
    assert await ids(completeness=Completeness.PARTIAL) == "b"
    assert await ids(completeness=Completeness.COMPLETE) == "edca"
    assert await ids(created_from_ms=at + 1, created_before_ms=at + 3) == "cb"
    assert await ids(created_before_ms=at) == ""
    assert await ids(created_from_ms=at + 4) == "e"
    assert await ids(updated_since_ms=at + 6) == "eda"
    assert await ids(updated_since_ms=at + 10) == ""
    assert await ids(overdue_at_ms=at + 100) == "c"
    assert await ids(overdue_at_ms=at + 99) == ""
    assert await ids(overdue_at_ms=at + 500, created_from_ms=at + 3, updated_since_ms=at + 6) == "d"
    assert await ids(overdue_at_ms=at + 500, meeting_id=MeetingId("m-2")) == ""
    assert await ids(statuses=(Status.COMPLETED,), states=(State.PROCESSING,)) == ""
    far = 253_402_300_800_000
    assert await ids(created_from_ms=-62_135_596_800_000, created_before_ms=far) == "edcba"


async def test_a_row_that_changes_is_found_by_what_it_is_now(db: Database) -> None:
    claim, story = await db.ownership.claim(M), in_phase(Phase.PROCESSING)
    await db.journal.commit(append_of(story, claim))
    since, claim = story.last.updated_at_ms + 1, replace(claim, state=story.meeting)
    assert (await db.records.page(ListQuery(updated_since_ms=since))).total == 0
    story.later(1).examined(Done(whole_media(story)))
    await db.journal.commit(append_of(story, claim))
    found = await db.records.page(ListQuery(updated_since_ms=since, completeness=Completeness.COMPLETE))
    assert found.items == (story.last,)
    assert (await db.records.page(ListQuery(overdue_at_ms=BEGIN_MS * 2))).items == ()


async def test_a_history_has_every_event_in_order(db: Database) -> None:
    story = in_phase(Phase.COMPLETED)
    await db.journal.commit(append_of(story, await db.ownership.claim(M)))
    assert await db.records.history(story.last, 0, 100) == story.log
    assert await db.records.history(story.last, 3, 2) == story.log[3:5]


async def test_subscribers_read_public_events_behind_a_number(db: Database) -> None:
    story = in_phase(Phase.COMPLETED)
    await db.journal.commit(append_of(story, await db.ownership.claim(M)))
    public = [event for event in story.log if event.sequence is not None]
    assert await db.feed.after(M, 0, 100) == public
    assert await db.feed.after(M, 3, 1) == public[3:4]
    assert await db.feed.sequences([M, MeetingId("m-2")]) == {M: 5}


async def test_a_snapshot_has_the_live_recording_and_the_last_number(db: Database) -> None:
    empty = await db.feed.snapshot(M)
    assert (empty.sequence, empty.live) == (0, None)
    story = in_phase(Phase.ACTIVE)
    await db.journal.commit(append_of(story, await db.ownership.claim(M)))
    snapshot = await db.feed.snapshot(M)
    assert (snapshot.sequence, snapshot.live) == (2, story.live)
    assert snapshot.at_ms == next(event.at_ms for event in story.log if event.sequence == 2)
    assert await db.feed.all_live() == [snapshot]


async def test_the_feed_over_all_meetings_goes_on_from_a_position(db: Database) -> None:
    start = await db.feed.position()
    story = in_phase(Phase.ACTIVE)
    claim = await db.ownership.claim(M)
    await db.journal.commit(append_of(story, claim))
    first = await db.feed.all_after(start, 100)
    assert [event.sequence for _, event in first] == [1, 2]
    story.later(5).stop()
    await db.journal.commit(
        append_of(story, replace(claim, state=replace(claim.state, seq=claim.state.seq + len(story.log) - 1)))
    )
    assert [event.sequence for _, event in await db.feed.all_after(first[-1][0], 100)] == [3]
    assert [event.sequence for _, event in await db.feed.all_after(first[0][0], 1)] == [2]


async def test_an_append_without_events_marks_a_notice_and_keeps_the_seq(db: Database) -> None:
    claim = await db.ownership.claim(M)
    await db.inbox.store(notice(), b"{}", BEGIN_MS)
    step = take_step(claim.state, (), BEGIN_MS, USER)
    append = Append(
        meeting_id=M,
        epoch=claim.epoch,
        expected_seq=0,
        state=step.after,
        wake_at_ms=None,
        recorders=(RecorderRow(cname="m-1", uid="4711", sid=None, recording_id=RecordingId("r"), attempt=1),),
        notices=(NoticeId("n-1"),),
    )
    await db.journal.commit(append)
    assert await db.inbox.unprocessed(BEGIN_MS, 10) == []
    assert (await db.ownership.claim(M)).state.seq == 0
