"""A recorder with keys to the storage that end is given others in time, whatever becomes of answers, owners and attempts."""

import pytest

from actors.domain.codec import decode, encode
from actors.domain.effects import AgoraRekey
from actors.domain.ids import RecordingId
from actors.domain.key_events import RecorderRekeyed, RekeyDeferred
from actors.domain.model import Failure, FailureCode, Meeting, Phase
from actors.domain.outcomes import Acquired, Ambiguous, Done, Rejected, Rekeyed, RetryLater, Seen
from actors.domain.pending import next_wakeup
from tests.unit.domain.story import SID, Story

HOUR_MS = 3_600_000
NO = Failure(FailureCode.STORAGE_DENIED, "no keys", retryable=True)


def recorded(hours: float | None = 6.0) -> Story:
    """Active, with keys that end so many hours after it was acquired."""
    story = Story()
    story.start()
    ends_at_ms = None if hours is None else story.now_ms + round(hours * HOUR_MS)
    story.acquired(Done(Acquired("resource-1", ends_at_ms)))
    story.started()
    story.later(1).queried(Done(Seen(5)))
    return story


def test_it_is_given_others_after_an_hour() -> None:
    story = recorded()
    assert "AgoraRekey" not in story.later(3598).due()
    story.later(1)
    assert [effect for effect in story.effects() if isinstance(effect, AgoraRekey)] == [
        AgoraRekey(
            recording_id=RecordingId("r-1"),
            attempt=1,
            channel_name="m-1",
            uid=story.live.recorder_uids[0],
            resource_id="resource-1",
            sid=SID,
            prefix=("tapedeck", "r1"),
        )
    ]
    ends_at_ms = story.now_ms + 6 * HOUR_MS
    (event,) = story.rekeyed(Done(Rekeyed(ends_at_ms)))
    assert event == RecorderRekeyed(
        recording_id=RecordingId("r-1"), attempt=1, keys_end_at_ms=ends_at_ms, rekey_at_ms=story.now_ms + HOUR_MS
    )
    assert "AgoraRekey" not in story.due()
    assert "AgoraRekey" in story.later(3600).due()


@pytest.mark.parametrize(("hours", "after_seconds"), [(12, 3600), (2.5, 1800), (1, 0)])
def test_it_is_given_them_well_before_the_end(hours: float, after_seconds: int) -> None:
    story = recorded(hours)
    assert story.live.attempt is not None
    assert story.live.attempt.rekey_at_ms == story.live.attempt.opened_at_ms + after_seconds * 1000


def test_keys_that_do_not_end_need_no_others() -> None:
    assert "AgoraRekey" not in recorded(None).later(100_000).due()
    story = recorded().later(3600)
    story.rekeyed(Done(Rekeyed(None)))
    assert "AgoraRekey" not in story.later(100_000).due()


@pytest.mark.parametrize("outcome", [Ambiguous("lost"), RetryLater("no keys", NO), Rejected(NO)])
def test_it_is_tried_until_it_has_them(outcome: Ambiguous | RetryLater | Rejected) -> None:
    story = recorded().later(3600)
    pauses = []
    for _ in range(7):
        (event,) = story.rekeyed(outcome)
        assert isinstance(event, RekeyDeferred)
        pauses.append((event.check_at_ms - story.now_ms) / 1000)
        assert "AgoraRekey" not in story.due()
        assert "AgoraRekey" in story.later(pauses[-1]).due()
    assert pauses == [1, 3, 6, 15, 60, 60, 60]
    story.rekeyed(Done(Rekeyed(story.now_ms + 6 * HOUR_MS)))
    story.later(3600).rekeyed(outcome)
    assert story.live.attempt is not None
    assert story.live.attempt.rekey_at_ms == story.now_ms + 1_000


def test_a_wait_that_is_told_is_kept() -> None:
    (event,) = recorded().later(3600).rekeyed(RetryLater("busy", NO, after_ms=30_000))
    assert isinstance(event, RekeyDeferred)
    assert event.check_at_ms - recorded().later(3600).now_ms == 30_000


def test_it_goes_on_after_a_crash_and_wakes_for_it() -> None:
    story = recorded()
    story.later(60).queried(Done(Seen(5)))
    story.meeting = decode(Meeting, encode(story.meeting))
    story.later(3600)
    assert "AgoraRekey" in story.due()
    assert (next_wakeup(story.meeting) or 0) <= story.now_ms


def test_the_keys_of_a_start_whose_answer_was_lost_are_known_to_end() -> None:
    """Its sid comes by a notification, which says nothing of keys."""
    story = Story()
    story.start()
    story.acquired(Done(Acquired("resource-1", story.now_ms + 6 * HOUR_MS)))
    story.started(Ambiguous("no answer"))
    story.later(1).noticed(42, startUtcMs=story.now_ms)
    assert story.live.phase is Phase.ACTIVE
    assert "AgoraRekey" in story.later(3600).due()


def test_what_stops_needs_no_more_and_a_late_answer_is_dropped() -> None:
    story = recorded().later(3600)
    story.stop()
    assert "AgoraRekey" not in story.due()
    story.stopped()
    assert story.rekeyed(Done(Rekeyed(None))) == []
