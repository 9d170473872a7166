"""Notices on both databases: kept once, found by their recorder, marked with the commit that took them in."""

from dataclasses import replace
from typing import Any

from actors.domain.commands import Notice
from actors.domain.ids import NoticeId, RecordingId
from actors.domain.model import Phase
from actors.domain.step import take_step
from actors.ports import Append, RecorderRow
from tests.contract.databases import USER, Database, M, append_of
from tests.unit.domain.story import BEGIN_MS, in_phase


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
