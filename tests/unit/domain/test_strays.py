"""Recorders of ours that nobody wants any more, and what only looks like one."""

from actors.domain.evolve import recall
from actors.domain.ids import RecordingId
from actors.domain.model import Phase
from tests.unit.domain.story import SID, accepted_beside_an_eviction, in_phase

OTHER_SID = "f" * 32


def test_a_second_sid_under_a_uid_that_is_being_evicted_changes_nothing() -> None:
    story = accepted_beside_an_eviction()
    story.noticed(40, uid=story.settled["r-1"].recorder_uids[0])
    story.meeting = recall(story.meeting, story.settled[RecordingId("r-1")])
    story.later(60).noticed(42, uid=story.settled["r-1"].recorder_uids[0], sid=OTHER_SID)
    assert [eviction.attempt.sid for eviction in story.meeting.evictions] == [SID]


def test_a_report_of_an_attempt_that_never_sent_a_start_is_not_ours() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    story.noticed(11, exitStatus=1)
    story.later(1).wake()
    story.stop()
    assert story.last.phase is Phase.PROCESSING
    assert story.later(60).noticed(42, sid=OTHER_SID) == []
