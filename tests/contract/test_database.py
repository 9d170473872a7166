"""What the core needs of a database, on the one in memory and on Postgres alike: claims and commits."""

from dataclasses import replace

import pytest

from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Phase
from actors.ports import CommandMark, Fenced, JournalRejected
from tests.contract.databases import Database, M, append_of
from tests.unit.domain.story import in_phase


async def test_a_new_meeting_is_claimed_empty(db: Database) -> None:
    claim = await db.ownership.claim(M)
    assert claim.epoch == 1
    assert claim.state.seq == 0
    assert claim.state.live is None


async def test_what_was_committed_is_read_back_by_the_next_owner(db: Database) -> None:
    story = in_phase(Phase.ACTIVE)
    await db.journal.commit(append_of(story, await db.ownership.claim(M)))
    await db.ownership.leave()
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
