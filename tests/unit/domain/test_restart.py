"""A recorder that is lost while it is wanted: missed, moved, replaced; and the parts that come of it."""

from dataclasses import replace

import pytest

from actors.domain.model import Completeness, EndReason, Failure, FailureCode, Gap, Phase, State, StorageStatus
from actors.domain.outcomes import (
    AlreadyRunning,
    Ambiguous,
    Done,
    NotFound,
    NothingRecorded,
    Rejected,
    Seen,
    Started,
    Stopped,
)
from actors.domain.pending import next_wakeup
from actors.domain.projections import state_of, status_of
from tests.unit.domain.story import SID, Story, in_phase, whole_media

SECOND_SID = "b" * 32
REFUSAL = Failure(FailureCode.PROVIDER_UNAUTHORIZED, "wrong credentials", retryable=False)


def lost(seconds: float = 60) -> Story:
    """A recorder that captured for so long, and left by itself."""
    story = in_phase(Phase.ACTIVE).later(seconds)
    story.noticed(11, exitStatus=1)
    return story


def replaced() -> Story:
    story = lost()
    story.later(1).wake()
    story.acquired()
    story.started(Done(Started(SECOND_SID)))
    story.later(4).noticed(40, sid=SECOND_SID, status=0)
    return story


def test_a_lost_recorder_leaves_the_state_and_opens_a_gap() -> None:
    story = lost()
    assert state_of(story.live) is State.ACTIVE
    assert story.live.gaps == (Gap(story.now_ms, None, "recorder_lost"),)
    assert story.public_kinds[-1] == "recorder.lost"


def test_it_is_replaced_by_an_attempt_with_a_new_uid_a_little_later() -> None:
    story = lost()
    assert story.due() == []
    story.later(1).wake()
    assert story.due() == ["AgoraAcquire"]
    assert len(set(story.live.recorder_uids)) == 2


def test_proof_of_the_next_one_closes_the_gap_and_begins_nothing_anew() -> None:
    story = lost()
    lost_ms, started_ms, deadline_ms = story.now_ms, story.live.started_at_ms, story.live.deadline_at_ms
    story = replaced()
    assert story.live.phase is Phase.ACTIVE
    assert story.live.gaps == (Gap(lost_ms, story.now_ms, "recorder_lost"),)
    assert (story.live.started_at_ms, story.live.deadline_at_ms) == (started_ms, deadline_ms)
    assert story.public_kinds.count("recording.active") == 1
    assert story.live.sid == SECOND_SID


def test_recorders_that_keep_dying_are_replaced_ever_more_slowly() -> None:
    story, pauses = in_phase(Phase.ACTIVE).later(5), []
    for number in range(5):
        story.noticed(11, sid=story.live.sid or "", exitStatus=1)
        pauses.append((story.live.check_at_ms - story.now_ms) / 1000)
        story.later(pauses[-1]).wake()
        story.acquired()
        story.started(Done(Started(f"{number:032x}")))
        story.noticed(40, sid=f"{number:032x}", status=0)
    assert pauses == [1, 5, 15, 60, 60]
    assert story.live.phase is Phase.ACTIVE


def test_one_that_is_not_found_is_told_to_stop_before_it_is_replaced() -> None:
    """The query may be wrong: what still runs would be recorded twice."""
    story = in_phase(Phase.ACTIVE).later(60)
    for pause in (0, 30, 30, 31):
        story.later(pause).queried(Done(NotFound()))
    assert story.live.phase is Phase.ACCEPTED
    assert story.due() == ["AgoraStop"]
    story.later(1).evicted(Done(Stopped("uploaded")))
    assert story.due() == ["AgoraAcquire"]


def test_one_that_stop_does_not_find_either_is_replaced_at_once() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    for pause in (0, 30, 30, 31):
        story.later(pause).queried(Done(NotFound()))
    story.later(1).evicted(Done(NotFound()))
    assert story.due() == ["AgoraAcquire"]


def test_a_sign_of_life_ends_a_series_of_misses() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    for pause in (0, 30, 30):
        story.later(pause).queried(Done(NotFound()))
    story.later(1).noticed(33, progress=9000)
    story.later(30).queried(Done(NotFound()))
    assert story.live.phase is Phase.ACTIVE


def test_an_old_sign_of_life_ends_nothing() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    for pause in (0, 30, 30):
        story.later(pause).queried(Done(NotFound()))
    story.noticed(33, at_ms=story.now_ms - 61_000, progress=9000)
    story.later(31).queried(Done(NotFound()))
    assert story.live.phase is Phase.ACCEPTED


def test_a_move_adds_its_uid_to_the_same_attempt_and_is_looked_at_soon() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    first = story.live.recorder_uids[0]
    story.noticed(12, uid="4242", newUid=4242)
    assert story.live.recorder_uids == (first, "4242")
    assert story.live.attempts == 1
    assert story.live.attempt is not None
    assert story.live.attempt.check_at_ms == story.now_ms + 5_000


def test_a_move_is_also_seen_in_any_notification_with_our_sid() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    story.noticed(42, uid="4242", startUtcMs=story.now_ms)
    assert story.live.recorder_uids[-1] == "4242"


def test_the_word_on_the_files_of_an_earlier_part_is_not_taken_for_all_parts() -> None:
    """It comes when the next attempt is open, and its sid not known yet."""
    story = in_phase(Phase.ACTIVE).later(60)
    first = story.live.recorder_uids[0]
    story.noticed(11, exitStatus=1)
    story.later(1).wake()
    story.noticed(31, uid=first)
    assert story.live.storage_status is StorageStatus.UPLOADING
    story.acquired()
    story.started(Done(Started("f" * 32)))
    story.stop()
    story.stopped(Done(NothingRecorded()))
    assert story.last.stored_at_ms is None


def test_moves_that_are_told_in_the_reverse_order_do_not_make_the_middle_machine_the_last() -> None:
    story = in_phase(Phase.ACTIVE).later(300)
    first = story.live.recorder_uids[0]
    story.noticed(12, uid="78", newUid=78, at_ms=story.now_ms - 10_000)
    story.noticed(12, uid="77", newUid=77, at_ms=story.now_ms - 20_000)
    assert story.live.attempt is not None
    assert story.live.attempt.uids == (first, "77", "78")
    story.noticed(41, uid="77", leaveCode=0)
    assert (story.live.phase, story.live.attempts) == (Phase.ACTIVE, 1)
    story.noticed(41, uid="78", leaveCode=0)
    assert story.live.phase is not Phase.ACTIVE


def test_the_old_machine_leaving_is_no_end() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    first = story.live.recorder_uids[0]
    story.noticed(12, uid="4242", newUid=4242)
    story.noticed(41, uid=first, leaveCode=0)
    assert story.live.phase is Phase.ACTIVE


def test_an_idle_exit_is_not_replaced() -> None:
    story = in_phase(Phase.ACTIVE).later(400)
    story.noticed(41, leaveCode=4)
    assert story.last.phase is Phase.PROCESSING
    assert story.last.end_reason is EndReason.PROVIDER_IDLE


def test_a_stop_while_it_is_replaced_ends_it_at_once_with_what_there_is() -> None:
    story = lost()
    lost_ms = story.now_ms
    story.later(0.5).stop()
    assert story.last.phase is Phase.PROCESSING
    assert story.last.stopped_at_ms == lost_ms
    assert story.last.end_reason is EndReason.STOP_REQUESTED
    assert status_of(story.last).value == "processing"


def test_what_was_wanted_of_a_lost_recorder_until_the_stop_is_named_as_missing() -> None:
    story = lost()
    lost_ms, media = story.now_ms, Done(whole_media(story))
    story.later(20).stop()
    story.later(1800).examined(media)
    assert story.last.completeness is Completeness.PARTIAL
    assert [(gap.from_ms, gap.to_ms) for gap in story.last.gaps] == [(lost_ms, lost_ms + 20_000)]


def test_a_refusal_while_it_is_replaced_keeps_what_was_captured() -> None:
    story = lost()
    story.later(1).wake()
    story.acquired(Rejected(REFUSAL))
    assert story.last.phase is Phase.PROCESSING
    assert story.last.end_reason is EndReason.PROVIDER_ERROR


def test_attempts_that_come_to_nothing_end_it_with_what_there_is() -> None:
    story = lost()
    story.later(1).wake()
    for number in range(story.policy.attempts_max):
        story.acquired()
        story.started(Done(Started(f"{number:032x}")))
        story.noticed(11, sid=f"{number:032x}", exitStatus=1)
        story.later(60).wake()
    assert story.last.phase is Phase.PROCESSING
    assert story.last.end_reason is EndReason.PROVIDER_ERROR


def test_its_limits_hold_while_it_is_replaced() -> None:
    story = lost()
    story.later(1).wake()
    story.acquired(Ambiguous("timeout"))
    story.later(14400).wake()
    assert story.last.end_reason is EndReason.MAX_DURATION
    assert story.last.phase is Phase.PROCESSING


def test_a_recorder_that_does_not_capture_in_time_is_replaced() -> None:
    story = in_phase(Phase.CONFIRMING).later(90)
    story.wake()
    assert story.due() == ["AgoraStop"]
    story.evicted(Done(Stopped("unknown")))
    assert story.due() == ["AgoraAcquire"]
    assert state_of(story.live) is State.STARTING


def test_a_start_is_not_repeated_beyond_the_life_of_its_resource() -> None:
    story = lost()
    story.later(1).wake()
    story.acquired()
    acquired_ms = story.now_ms
    while story.live.phase is Phase.STARTING:
        story.started(Ambiguous("timeout"))
        story.now_ms = next_wakeup(story.meeting) or story.now_ms
        story.wake()
    assert story.now_ms == acquired_ms + 300_000
    story.banned(attempt=2)
    story.later(15).wake()
    assert story.due() == ["AgoraAcquire", "AgoraMembers"]


def test_a_sid_is_not_waited_for_beyond_its_time() -> None:
    story = lost()
    story.later(1).wake()
    story.acquired()
    story.later(5).started(Done(AlreadyRunning(7)))
    story.later(15).started(Done(AlreadyRunning(7)))
    story.later(15).wake()
    assert story.live.phase is Phase.ACCEPTED


def test_whatever_a_provider_says_of_the_start_there_is_a_maximum_age() -> None:
    story = in_phase(Phase.CONFIRMING, max_duration_seconds=82_800)
    story.policy = replace(story.policy, max_age_ms=3_600_000)
    story.noticed(42, startUtcMs=story.now_ms + 10**12)
    assert story.live.started_at_ms == story.now_ms
    story.later(3600).wake()
    assert story.live.end_reason is EndReason.MAX_DURATION


@pytest.mark.parametrize("at_ms", [1, 10**15])
def test_impossible_times_of_an_exit_are_kept_within_the_attempt(at_ms: int) -> None:
    story = in_phase(Phase.ACTIVE)
    opened_ms = story.live.created_at_ms
    story.later(60).noticed(41, leaveCode=0, at_ms=at_ms)
    assert opened_ms <= story.live.gaps[0].from_ms <= story.now_ms
    story = in_phase(Phase.ACTIVE, stopping=True)
    story.later(60).noticed(41, leaveCode=24, at_ms=at_ms)
    assert story.last.stopped_at_ms is not None
    assert opened_ms <= story.last.stopped_at_ms <= story.now_ms


# --- the files of the parts ---


def test_the_word_on_the_first_parts_files_is_not_taken_for_the_last() -> None:
    story = lost()
    story.noticed(31, status=0)
    story.later(1).wake()
    story.acquired()
    story.started(Done(Started(SECOND_SID)))
    story.noticed(40, sid=SECOND_SID, status=0)
    story.later(60).stop()
    story.stopped(Done(Stopped("unknown")))
    assert story.last.storage_status is StorageStatus.UPLOADING
    assert story.last.stored_at_ms is None
    story.noticed(31, sid=SECOND_SID, status=0)
    assert story.last.storage_status is StorageStatus.STORED


def test_a_part_in_the_providers_backup_is_waited_for() -> None:
    story = replaced()
    story.noticed(32, uid=story.live.recorder_uids[0], sid=SID, status=0)
    story.later(60).stop()
    story.stopped(Done(Stopped("uploaded")))
    assert story.last.storage_status is StorageStatus.BACKUP
    assert story.last.deadline_at_ms == story.now_ms + 86_400_000
    story.noticed(31, uid=story.last.recorder_uids[0], sid=SID, status=0)
    assert story.last.storage_status is StorageStatus.STORED


def test_nothing_is_concluded_while_a_recorder_that_was_given_up_on_may_capture() -> None:
    story = lost()
    story.later(1).wake()
    story.acquired()
    story.noticed(31, uid=story.live.recorder_uids[0])
    story.started(Done(AlreadyRunning(7)))
    story.later(60).stop()
    story.later(60).wake()
    assert story.last.phase is Phase.PROCESSING
    part = Done(replace(whole_media(story), movies=()))
    story.later(60).examined(part)
    assert story.kinds[-1] == "media.awaited"
    story.banned(attempt=2)
    story.later(15).wake()
    story.later(30).examined(part)  # so long what it has left by then may take to come
    assert story.kinds[-1] == "media.awaited"
    story.later(15).examined(part)
    assert (story.last.phase, story.last.completeness) == (Phase.COMPLETED, Completeness.PARTIAL)


def test_a_recorder_that_may_still_capture_is_not_waited_for_beyond_the_deadline() -> None:
    story = lost()
    story.later(1).wake()
    story.acquired()
    story.started(Done(AlreadyRunning(7)))
    story.later(1).stop()
    story.later(60).wake()
    story.later(1800).examined(Done(whole_media(story)))
    assert story.last.phase is Phase.COMPLETED


def test_nothing_recorded_by_the_last_part_does_not_speak_for_the_first() -> None:
    story = replaced()
    story.stop()
    story.stopped(Done(NothingRecorded()))
    assert not story.last.nothing_recorded


def test_seen_again_by_a_query_ends_the_misses() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    for pause in (0, 30, 30):
        story.later(pause).queried(Done(NotFound()))
    story.later(5).queried(Done(Seen(5)))
    story.later(30).queried(Done(NotFound()))
    assert story.live.phase is Phase.ACTIVE


def test_whole_media_of_one_part_is_complete() -> None:
    story = in_phase(Phase.PROCESSING)
    story.examined(Done(whole_media(story)))
    assert story.last.gaps == ()
