"""Files that are added to a recording that is over: proven anew, never made worse."""

from dataclasses import replace

import pytest

from actors.domain.commands import (
    Accepted,
    AttachFile,
    DeleteRecording,
    ExamineAgain,
    MediaErased,
    MediaExamined,
    MediaSurveyed,
    Moment,
    Refused,
)
from actors.domain.decide import decide
from actors.domain.erasure import Lock
from actors.domain.events import AnyEvent
from actors.domain.evolve import recall
from actors.domain.ids import RecordingId
from actors.domain.media import ListedObject, MediaReport, Movie, StoredObject
from actors.domain.media_events import FileAttached, FilesArrived, RecordingReproven
from actors.domain.model import Completeness, Failure, FailureCode, Meeting, Phase, State
from actors.domain.outcomes import Done, Erased, Inventory, RetryLater
from actors.domain.policy import Policy
from actors.domain.projections import OVER_PHASES, state_of
from tests.unit.domain.story import HOST, Story, in_phase, whole_media

R = RecordingId("r-1")
AT = {"version": 0, "updated_at_ms": 0, "check_at_ms": 0}
"""What a look changes whatever it finds."""
ATTACH = AttachFile(recording_id=R, key="t/r1/x.ts", file_size=1000, by=HOST)


def over(report: MediaReport | None = None) -> tuple[Story, MediaReport]:
    """A recording that is over, with what storage holds of it if all is there; `report`: what was found of that, else all."""
    story = in_phase(Phase.PROCESSING)
    whole = whole_media(story)
    story.later(3600).examined(Done(report or whole))
    return story, whole


def without_a_slice(whole: MediaReport) -> MediaReport:
    (playlist,) = whole.playlists
    first, *rest = playlist.slices
    lacking = replace(playlist, slices=(replace(first, size=None), *rest))
    objects = tuple(each for each in whole.objects if each.key != first.key)
    return MediaReport(objects, (lacking,), whole.movies)


def partial() -> tuple[Story, MediaReport]:
    whole = over()[1]
    story, _ = over(without_a_slice(whole))
    assert (story.last.phase, story.last.completeness) == (Phase.COMPLETED, Completeness.PARTIAL)
    return story, whole


def attach(story: Story) -> list[AnyEvent]:
    story.meeting = recall(story.meeting, story.last)
    return story.do(ATTACH)


def test_what_was_missing_makes_it_complete() -> None:
    story, whole = partial()
    before = story.last
    (attached,) = attach(story)
    assert isinstance(attached, FileAttached)
    assert (attached.key, attached.file_size, attached.by) == (ATTACH.key, 1000, HOST.id)
    assert story.last.phase is Phase.REPROVING
    assert (state_of(story.last), story.last.phase in OVER_PHASES) == (State.COMPLETED, True)
    assert story.due() == ["StorageExamine"]
    (proven,) = story.examined(Done(whole))
    assert isinstance(proven, RecordingReproven)
    after = story.last
    assert (after.phase, after.completeness, after.gaps) == (Phase.COMPLETED, Completeness.COMPLETE, ())
    assert (after.completed_at_ms, after.error) == (before.completed_at_ms, None)
    assert after.duration_seconds is not None
    assert after.duration_seconds > (before.duration_seconds or 0)
    assert story.due() == ["StorageSeal"], "its manifest is written anew"
    assert story.public_kinds[-1] == "media.reproven"


def test_what_fits_nothing_does_not_make_it_worse() -> None:
    story, whole = over()
    assert story.last.completeness is Completeness.COMPLETE
    attach(story)
    stray = StoredObject("t/r1/x.mp4", 1000, 0)
    story.examined(
        Done(MediaReport((*whole.objects, stray), whole.playlists, (*whole.movies, Movie(stray.key, 1000, 7.0))))
    )
    after = story.last
    assert (after.completeness, after.gaps) == (Completeness.COMPLETE, ())
    assert stray.key in {file.key for file in after.files}
    assert after.file_size == sum(each.size for each in whole.objects) + 1000


def test_nothing_to_play_any_more_is_not_taken_for_what_there_was() -> None:
    story, _ = over()
    before = story.last
    attach(story)
    story.examined(Done(MediaReport((), (), ())))
    assert replace(story.last, **AT) == replace(before, **AT)


def test_one_that_failed_becomes_playable() -> None:
    story, whole = over(MediaReport((), (), ()))
    assert story.last.phase is Phase.FAILED
    attach(story)
    assert state_of(story.last) is State.FAILED
    story.examined(Done(whole))
    assert (story.last.phase, story.last.outcome, story.last.error) == (Phase.COMPLETED, State.COMPLETED, None)
    assert story.last.completeness is Completeness.COMPLETE


def test_one_that_failed_stays_so_without_anything_to_play() -> None:
    story, _ = over(MediaReport((), (), ()))
    error = story.last.error
    attach(story)
    story.examined(Done(MediaReport((), (), ())))
    assert (story.last.phase, story.last.error) == (Phase.FAILED, error)


def test_storage_that_does_not_answer_is_asked_again() -> None:
    story, whole = partial()
    attach(story)
    trouble = Failure(FailureCode.STORAGE_UNAVAILABLE, "busy", retryable=True)
    story.examined(RetryLater("busy", trouble))
    assert (story.last.phase, story.due()) == (Phase.REPROVING, [])
    assert story.later(100_000).due() == ["StorageExamine"]
    story.examined(Done(whole))
    assert story.last.completeness is Completeness.COMPLETE


def test_a_second_file_is_looked_at_with_the_first() -> None:
    story, whole = partial()
    attach(story)
    assert [event.kind for event in story.do(ATTACH)] == ["media.attached"]
    story.examined(Done(whole))
    assert story.last.phase is Phase.COMPLETED


def test_it_can_be_deleted_meanwhile() -> None:
    story, _ = partial()
    attach(story)
    story.do(DeleteRecording(recording_id=R, by=HOST))
    assert story.due() == ["StorageSurvey"]
    story.do(MediaExamined(recording_id=R, outcome=Done(MediaReport((), (), ()))))
    assert reply(story.meeting) == Refused("recording_deleted", R)
    surveyed(story, ListedObject("a.ts", 1))
    story.do(MediaErased(recording_id=R, outcome=Done(Erased(1, 1))))
    surveyed(story)
    assert story.last.phase is Phase.DELETED


def test_a_deletion_that_is_refused_lets_the_proof_go_on() -> None:
    story, whole = partial()
    attach(story)
    story.do(DeleteRecording(recording_id=R, by=HOST))
    surveyed(story, ListedObject("a.ts", 1), lock=Lock(None))
    assert (story.last.phase, story.due()) == (Phase.REPROVING, ["StorageExamine"])
    story.examined(Done(whole))
    assert story.last.completeness is Completeness.COMPLETE


def surveyed(story: Story, *objects: ListedObject, lock: Lock | None = None) -> None:
    story.do(MediaSurveyed(recording_id=R, after=None, outcome=Done(Inventory(objects, None, lock))))


@pytest.mark.parametrize("phase", [Phase.ACQUIRING, Phase.ACTIVE, Phase.PROCESSING])
def test_what_is_not_over_proves_itself(phase: Phase) -> None:
    assert reply(in_phase(phase).meeting) == Refused("recording_live", R)


def test_what_never_recorded_or_is_gone_takes_nothing() -> None:
    story = Story()
    assert reply(story.meeting) == Refused("not_found")
    story.start()
    story.stop()
    story.acquired()
    assert story.last.phase is Phase.ABORTED
    assert reply(recall(story.meeting, story.last)) == Refused("recording_aborted", R)
    for phase in (Phase.DELETING, Phase.DELETED):
        gone = replace(in_phase(Phase.COMPLETED).last, phase=phase)
        assert reply(recall(Meeting(meeting_id=gone.meeting_id), gone)) == Refused("recording_deleted", R)


def test_what_is_over_takes_it() -> None:
    story, _ = partial()
    assert reply(recall(story.meeting, story.last)) == Accepted(R)


def reply(meeting: Meeting) -> Accepted | Refused | None:
    return decide(meeting, ATTACH, Moment(at_ms=10**13, uid="1"), Policy()).reply


def test_the_providers_word_that_all_is_stored_has_a_partial_recording_proven_anew() -> None:
    story, whole = partial()
    story.meeting = recall(story.meeting, story.last)
    (arrived,) = story.later(3600).noticed(31)
    assert isinstance(arrived, FilesArrived)
    assert (story.last.phase, story.due()) == (Phase.REPROVING, ["StorageExamine"])
    story.examined(Done(whole))
    assert (story.last.phase, story.last.completeness) == (Phase.COMPLETED, Completeness.COMPLETE)
    assert story.public_kinds[-1] == "media.reproven"
    story.meeting = recall(story.meeting, story.last)
    assert story.noticed(31) == [], "there is nothing that could come"


def test_files_that_a_sweep_has_seen_raise_a_partial_recording_but_not_one_that_is_being_deleted() -> None:
    again = ExamineAgain(recording_id=R, by=HOST)
    story, whole = partial()
    story.meeting = recall(story.meeting, story.last)
    story.do(again)
    assert story.due() == ["StorageExamine"]
    story.examined(Done(without_a_slice(whole)))
    assert (story.last.phase, story.last.completeness) == (Phase.COMPLETED, Completeness.PARTIAL)
    story.meeting = recall(story.meeting, story.last)
    story.do(DeleteRecording(recording_id=R, by=HOST))
    assert story.do(again) == []
    assert story.due() == ["StorageSurvey"]
    whole_story, _ = over()
    whole_story.meeting = recall(whole_story.meeting, whole_story.last)
    assert whole_story.do(again) == []
