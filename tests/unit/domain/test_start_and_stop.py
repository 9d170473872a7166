"""The rules of starting and stopping, one test a rule."""

import itertools

import pytest

from actors.domain.commands import Accepted, Refused
from actors.domain.media import MediaReport
from actors.domain.model import EndReason, Failure, FailureCode, Phase, State, StorageStatus
from actors.domain.outcomes import (
    AlreadyRunning,
    Ambiguous,
    Done,
    Leaving,
    NotFound,
    NothingRecorded,
    Rejected,
    ResourceUnusable,
    RetryLater,
    Seen,
    Stopped,
)
from actors.domain.pending import next_wakeup
from actors.domain.projections import state_of
from tests.unit.domain.story import SID, Story, accepted_beside_an_eviction, in_phase, whole_media

REFUSAL = Failure(FailureCode.PROVIDER_UNAUTHORIZED, "wrong credentials", retryable=False)
FULL = Failure(FailureCode.CAPACITY, "full", retryable=True)


def test_the_ordinary_way() -> None:
    story = in_phase(Phase.COMPLETED)
    assert story.public_kinds == [
        "recording.starting",
        "recording.active",
        "recording.stopping",
        "recording.processing",
        "recording.completed",
    ]
    assert [event.sequence for event in story.log if event.sequence] == [1, 2, 3, 4, 5]
    assert [event.seq for event in story.log] == list(range(1, len(story.log) + 1))
    assert story.last.duration_seconds == 60
    assert story.last.end_reason is EndReason.STOP_REQUESTED


def test_a_second_start_is_refused_with_the_live_one() -> None:
    story = in_phase(Phase.ACTIVE)
    assert story.start("r-2") == []
    assert story.reply == Refused("recording_already_active", "r-1", retryable=False)


def test_a_start_while_the_last_one_stops_may_be_tried_again() -> None:
    story = in_phase(Phase.ACTIVE, stopping=True)
    assert story.start("r-2") == []
    assert story.reply == Refused("recording_already_active", "r-1", retryable=True)


def test_a_new_recording_may_start_while_the_last_is_processed() -> None:
    story = in_phase(Phase.PROCESSING)
    story.start("r-2")
    assert story.live.recording_id == "r-2"
    assert list(story.meeting.finishing) == ["r-1"]


def test_a_stop_is_about_the_last_recording_and_no_older_one() -> None:
    story = in_phase(Phase.PROCESSING)
    story.stop()
    assert story.reply == Accepted("r-1")
    story.start("r-2")
    story.stop()
    assert (story.reply, story.last.phase) == (Accepted("r-2"), Phase.ABORTED)
    assert story.stop() == []
    assert story.reply == Refused("no_active_recording")
    assert list(story.meeting.finishing) == ["r-1"]


def test_the_start_is_sent_only_after_its_resource_is_stored() -> None:
    story = Story()
    story.start()
    assert story.due() == ["AgoraAcquire"]
    story.acquired()
    assert story.due() == ["AgoraStart"]


def test_an_unclear_start_is_repeated_with_the_same_resource_and_uid() -> None:
    story = in_phase(Phase.STARTING)
    first = story.effects()
    for pause in (1, 3, 6, 9, 15, 15):
        story.started(Ambiguous("timeout"))
        assert story.due() == []
        assert story.later(pause).effects() == first


def test_a_lost_answer_is_adopted_by_code_7_and_a_webhook_with_our_uid() -> None:
    story = in_phase(Phase.STARTING)
    story.started(Ambiguous("cut"))
    story.later(1).started(Done(AlreadyRunning(7)))
    assert story.last.phase is Phase.STARTING
    story.noticed(40, status=0)
    assert story.kinds[-2:] == ["recorder.accepted", "recording.active"]
    assert story.live.sid == SID


def test_a_webhook_with_a_foreign_uid_is_not_adopted() -> None:
    story = in_phase(Phase.STARTING)
    assert story.noticed(40, uid="77") == []


def test_a_webhook_of_another_session_with_our_uid_is_not_ours() -> None:
    story = in_phase(Phase.ACTIVE)
    assert story.noticed(41, sid="f" * 32, leaveCode=2) == []


def test_a_refused_start_fails_with_its_code() -> None:
    story = in_phase(Phase.STARTING)
    story.started(Rejected(REFUSAL))
    assert story.last.error == REFUSAL
    assert story.public_kinds[-1] == "recording.failed"
    assert story.meeting.evictions == ()


def test_an_acquire_that_is_refused_for_now_waits_as_long_as_it_is_told() -> None:
    story = Story()
    story.start()
    story.acquired(RetryLater("full", FULL, after_ms=20_000))
    assert story.later(19).due() == []
    assert story.later(1).due() == ["AgoraAcquire"]


def test_a_capacity_that_never_frees_is_named_at_the_deadline() -> None:
    story = Story()
    story.start()
    story.acquired(RetryLater("full", FULL))
    story.later(180).wake()
    assert story.last.error == FULL
    assert story.last.end_reason is EndReason.NEVER_STARTED


def test_an_unusable_resource_leads_to_a_new_attempt_with_a_new_uid() -> None:
    story = in_phase(Phase.STARTING)
    story.started(Done(ResourceUnusable(1001, "unknown")))
    assert story.live.attempts == 1
    story.later(1).wake()
    assert story.live.attempts == 2
    assert len(set(story.live.recorder_uids)) == 2
    assert story.due() == ["AgoraAcquire"]


def test_a_worker_that_is_said_to_have_failed_is_evicted_before_the_next_attempt() -> None:
    story = in_phase(Phase.STARTING)
    story.started(Done(ResourceUnusable(502, "no worker", may_run=True)))
    assert story.live.phase is Phase.ACCEPTED
    assert story.due() == ["AgoraBan"]
    story.banned()
    story.later(15).wake()
    assert story.live.attempts == 2


def test_an_unusable_resource_after_an_unclear_start_is_evicted_first() -> None:
    story = in_phase(Phase.STARTING)
    story.started(Ambiguous("timeout"))
    story.later(1).started(Done(ResourceUnusable(433, "expired")))
    assert story.meeting.evictions
    assert story.live.phase is Phase.ACCEPTED
    assert story.due() == ["AgoraBan"]


def test_attempts_are_not_endless_nor_all_made_in_a_moment() -> None:
    story = in_phase(Phase.STARTING)
    opened_ms = [story.now_ms]
    for _ in range(story.policy.attempts_max):
        story.started(Done(ResourceUnusable(1001, "unknown")))
        story.now_ms = next_wakeup(story.meeting) or story.now_ms
        story.wake()
        opened_ms.append(story.now_ms)
        story.acquired()
    assert [after - before for before, after in itertools.pairwise(opened_ms)][:4] == [1_000, 5_000, 15_000, 60_000]
    assert story.last.phase is Phase.FAILED
    assert story.last.attempts == story.policy.attempts_max


@pytest.mark.parametrize("phase", [Phase.ACQUIRING])
def test_a_stop_before_any_start_was_sent_ends_it_at_once(phase: Phase) -> None:
    story = in_phase(phase, stopping=True)
    assert story.last.phase is Phase.ABORTED
    assert story.public_kinds[-2:] == ["recording.stopping", "recording.aborted"]


def test_a_stop_while_starting_waits_for_the_sid_and_then_stops() -> None:
    story = in_phase(Phase.STARTING, stopping=True)
    assert state_of(story.live) is State.STOPPING
    assert story.due() == ["AgoraStart"]
    story.started()
    assert story.due() == ["AgoraStop"]


def test_a_proof_of_capture_after_the_stop_does_not_move_the_state_back() -> None:
    story = in_phase(Phase.CONFIRMING, stopping=True)
    story.noticed(42)
    assert "recording.active" not in story.public_kinds


def test_stop_twice_is_answered_with_the_same_recording() -> None:
    story = in_phase(Phase.ACTIVE, stopping=True)
    assert story.stop() == []
    assert story.reply == Accepted("r-1")
    story.stopped()
    assert story.stop() == []
    assert story.reply == Accepted("r-1")


def test_stop_without_anything_to_stop_is_refused() -> None:
    story = in_phase(Phase.COMPLETED)
    assert story.stop() == []
    assert story.reply == Refused("no_active_recording")


@pytest.mark.parametrize("outcome", [Done(Leaving()), Done(NotFound()), Ambiguous("code 50"), Rejected(REFUSAL)])
def test_what_is_no_proof_of_exit_is_followed_by_another_stop(outcome: object) -> None:
    story = in_phase(Phase.ACTIVE, stopping=True)
    story.stopped(outcome)  # type: ignore[arg-type]
    assert story.live.phase is Phase.ACTIVE
    assert story.later(5).due() == ["AgoraStop"]


def test_not_found_is_proof_of_exit_once_it_outlasts_a_failover() -> None:
    story = in_phase(Phase.ACTIVE, stopping=True)
    for pause in (5, 10, 15, 30, 30):
        story.stopped(Done(NotFound()))
        assert story.live.phase is Phase.ACTIVE
        story.later(pause)
    story.later(1).stopped(Done(NotFound()))
    assert story.last.phase is Phase.PROCESSING


def test_nothing_recorded_ends_as_aborted_after_a_look_at_storage() -> None:
    story = in_phase(Phase.CONFIRMING, stopping=True)
    story.stopped(Done(NothingRecorded()))
    assert story.last.phase is Phase.PROCESSING
    assert story.due() == ["StorageExamine"]


@pytest.mark.parametrize("event_type", [11, 41])
def test_an_exit_by_webhook_ends_the_stop_and_its_answer_still_tells_of_the_files(event_type: int) -> None:
    story = in_phase(Phase.ACTIVE, stopping=True)
    story.noticed(event_type, exitStatus=0, leaveCode=16)
    assert story.last.phase is Phase.PROCESSING
    story.stopped(Done(Stopped("uploaded")))
    assert story.last.storage_status is StorageStatus.STORED


def test_the_recorder_that_leaves_an_empty_room_ends_the_recording() -> None:
    story = in_phase(Phase.ACTIVE).later(400)
    story.noticed(41, leaveCode=4)
    assert story.last.end_reason is EndReason.PROVIDER_IDLE
    assert story.last.phase is Phase.PROCESSING


def test_the_end_of_capture_is_the_time_in_the_event_not_of_its_arrival() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    left_ms = story.now_ms
    notice_ms = left_ms
    story.noticed(41, leaveCode=4)
    assert story.last.stopped_at_ms == notice_ms


@pytest.mark.parametrize("status", [4, 5])
def test_query_status_4_and_5_prove_capture(status: int) -> None:
    story = in_phase(Phase.CONFIRMING).later(5)
    story.queried(Done(Seen(status)))
    assert story.live.phase is Phase.ACTIVE


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_a_session_that_comes_up_is_not_yet_capture(status: int) -> None:
    story = in_phase(Phase.CONFIRMING).later(5)
    story.queried(Done(Seen(status)))
    assert story.live.phase is Phase.CONFIRMING
    assert story.due() == []
    assert story.later(15).due() == ["AgoraQuery"]


def test_a_few_misses_are_not_the_end_and_being_seen_forgets_them() -> None:
    story = in_phase(Phase.ACTIVE)
    for pause in (5, 10, 30):
        story.later(pause).queried(Done(NotFound()))
    story.later(30).queried(Done(Seen(5)))
    assert story.live.attempt is not None
    assert story.live.attempt.misses == 0
    for pause in (5, 10, 30):
        story.later(pause).queried(Done(NotFound()))
    assert story.live.phase is Phase.ACTIVE


def test_a_recording_ends_at_its_maximum_duration() -> None:
    story = Story()
    story.start(max_duration_seconds=60)
    story.acquired()
    story.started()
    story.noticed(42)
    story.later(59).wake()
    assert story.live.stop_requested_at_ms is None
    story.later(1).wake()
    assert story.live.end_reason is EndReason.MAX_DURATION
    assert story.due() == ["AgoraStop"]


def test_a_session_that_never_captures_is_stopped_at_the_deadline_and_fails() -> None:
    story = in_phase(Phase.CONFIRMING).later(180)
    story.wake()
    assert story.due() == ["AgoraStop"]
    assert story.live.end_reason is EndReason.NEVER_STARTED


def test_a_start_without_an_answer_is_given_up_at_the_deadline_and_its_attempt_is_evicted() -> None:
    story = in_phase(Phase.STARTING).later(180)
    story.wake()
    assert story.meeting.evictions
    assert story.meeting.live is None
    assert (story.last.phase, story.last.end_reason) == (Phase.PROCESSING, EndReason.NEVER_STARTED)
    story.banned()
    story.later(15).wake()
    story.later(45).examined(Done(MediaReport((), (), ())))
    assert story.last.error is not None
    assert (story.last.phase, story.last.error.code) == (Phase.FAILED, FailureCode.NEVER_STARTED)


def test_the_deadline_of_a_start_beside_an_eviction_begins_when_an_attempt_may_be_opened() -> None:
    story = accepted_beside_an_eviction().later(150)
    story.wake()
    assert story.live.deadline_at_ms == story.now_ms + 180_000


def test_a_stop_without_proof_by_its_deadline_goes_on_as_an_eviction() -> None:
    story = in_phase(Phase.ACTIVE, stopping=True).later(300)
    story.wake()
    assert story.last.phase is Phase.PROCESSING
    assert story.meeting.evictions
    assert "AgoraStop" in story.due()


def test_storage_is_asked_again_and_again_until_it_proves() -> None:
    story = in_phase(Phase.PROCESSING)
    whole = whole_media(story)
    story.examined(RetryLater("slow", FULL))
    assert story.due() == []
    story.later(1).examined(Done(whole))
    assert story.last.phase is Phase.COMPLETED


def test_storage_that_never_answers_fails_the_recording_at_the_deadline() -> None:
    story = in_phase(Phase.PROCESSING).later(1800)
    denied = Failure(FailureCode.STORAGE_DENIED, "no right to list", retryable=True)
    story.examined(RetryLater("denied", denied))
    assert story.last.error == denied


def test_upload_reports_never_go_back() -> None:
    story = in_phase(Phase.ACTIVE)
    story.noticed(33, progress=5000)
    assert story.live.storage_status is StorageStatus.UPLOADING
    story.noticed(32)
    story.noticed(33, progress=6000)
    assert story.live.storage_status is StorageStatus.BACKUP


def test_files_that_were_in_the_backup_before_the_exit_may_take_a_day_too() -> None:
    story = in_phase(Phase.ACTIVE)
    story.noticed(32)
    story.stop()
    story.stopped(Done(Stopped("backuped")))
    assert story.last.phase is Phase.PROCESSING
    assert story.last.deadline_at_ms == story.now_ms + 86_400_000


def test_a_fatal_error_names_the_failure_that_follows() -> None:
    story = in_phase(Phase.CONFIRMING)
    story.noticed(1, errorLevel=5, errorCode=110, module=0)
    story.noticed(11, exitStatus=1)
    assert story.last.trouble is not None
    assert story.last.trouble.code is FailureCode.PROVIDER_REJECTED


@pytest.mark.parametrize(("code", "name"), [(32, "storage_denied"), (47, "storage_unavailable")])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("phase", [Phase.ACTIVE, Phase.PROCESSING])
def test_a_recorder_that_could_not_store_says_why_there_is_nothing(
    code: int, name: str, late: bool, phase: Phase
) -> None:
    story = in_phase(phase)
    story.noticed(1, errorLevel=5, errorCode=code, module=1)
    if phase is Phase.ACTIVE:
        story.stop()
        story.stopped()
    story.later(3600 if late else 45).examined(Done(MediaReport((), (), ())))
    assert story.last.phase is Phase.FAILED
    assert story.last.error is not None
    assert story.last.error.code == name


def test_a_recorder_without_a_token_does_not_explain_missing_files() -> None:
    story = in_phase(Phase.ACTIVE)
    story.noticed(1, errorLevel=5, errorCode=109, module=0)
    story.stop()
    story.stopped()
    story.later(3600).examined(Done(MediaReport((), (), ())))
    assert story.last.error is not None
    assert story.last.error.code == "no_media"
