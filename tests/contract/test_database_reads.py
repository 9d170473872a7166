"""What both databases show of recordings: one, lists, histories, and what subscribers follow."""

from dataclasses import replace
from typing import Any

from actors.domain.commands import Notice
from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.model import Completeness, Phase, Recording, State, Status
from actors.domain.outcomes import Done
from actors.ports import RecorderRow
from actors.reading import ListQuery
from tests.contract.databases import Database, M, append_of
from tests.unit.domain.story import BEGIN_MS, SID, in_phase, whole_media


async def test_a_recording_is_recalled_in_its_own_meeting_only(db: Database) -> None:
    story = in_phase(Phase.COMPLETED)
    await db.journal.commit(append_of(story, await db.ownership.claim(M)))
    assert await db.journal.recall(M, story.last.recording_id) == story.last
    assert await db.journal.recall(MeetingId("m-2"), story.last.recording_id) is None
    assert await db.records.recording(story.last.recording_id) == story.last


async def test_a_recording_is_found_by_its_recorder_in_its_own_meeting_only(db: Database) -> None:
    story = in_phase(Phase.COMPLETED)
    uid, other = story.last.recorder_uids[0], "4242"
    recorder = RecorderRow(cname="m-1", uid=uid, sid=SID, recording_id=story.last.recording_id, attempt=1)
    await db.journal.commit(append_of(story, await db.ownership.claim(M), recorders=(recorder,)))
    assert await db.journal.recorded_by(M, notice_of(uid, "")) == story.last
    assert await db.journal.recorded_by(M, notice_of(other, SID)) == story.last
    assert await db.journal.recorded_by(M, notice_of(other, "f" * 32)) is None
    assert await db.journal.recorded_by(M, notice_of(other, "")) is None
    assert await db.journal.recorded_by(MeetingId("m-2"), notice_of(uid, SID)) is None


def notice_of(uid: str, sid: str) -> Notice:
    return Notice(notice_id=NoticeId("n-1"), event_type=42, sid=sid, uid=uid, cname="m-1", sequence=1, at_ms=BEGIN_MS)


async def test_live_recordings_are_counted_up_to_a_limit(db: Database) -> None:
    assert await db.records.live_count(2) == 0
    for number, phase in enumerate((Phase.ACTIVE, Phase.PROCESSING, Phase.STARTING, Phase.ACTIVE)):
        story, meeting = in_phase(phase), MeetingId(f"m-{number}")
        append = append_of(story, await db.ownership.claim(meeting))
        row = replace((story.meeting.live or story.last), meeting_id=meeting, recording_id=RecordingId(f"r-{number}"))
        await db.journal.commit(replace(append, meeting_id=meeting, recordings=(row,)))
    assert [await db.records.live_count(limit) for limit in (2, 3, 4)] == [2, 3, 3]


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
