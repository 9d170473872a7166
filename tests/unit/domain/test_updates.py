"""Changes of a live recording: who is told what, and what an answer leaves to be told."""

from dataclasses import replace
from typing import Any

import pytest

from actors.domain.codec import decode, encode
from actors.domain.commands import Accepted, Refused, UpdateRecording
from actors.domain.effects import AgoraUpdate, AgoraUpdateLayout, key_of
from actors.domain.ids import RecordingId
from actors.domain.model import ActorKind, Failure, FailureCode, Layout, Meeting, Phase, Subscription, Video
from actors.domain.outcomes import Ambiguous, Done, Rejected, RetryLater, Seen
from actors.domain.projections import is_told
from actors.domain.update_events import RecorderUpdated, RecordingUpdated, UpdateDeferred, UpdateRefused
from tests.unit.domain.story import HOST, Story, accepted_beside_an_eviction, in_phase

PICTURE: dict[str, Any] = {
    "streams": "audio_video",
    "video": Video(1280, 720, 15, 1130),
    "layout": Layout("best_fit", "7", "#112233"),
}
ONE, BOTH = Subscription(audio=("42",)), Subscription(audio=("42",), video=("7",))
VERTICAL = Layout("vertical", "7", "#112233")
FLOATING = Layout("floating", "7", "#112233")
NO = Failure(FailureCode.PROVIDER_REJECTED, "no", retryable=False)


@pytest.fixture
def story() -> Story:
    return in_phase(Phase.ACTIVE, **PICTURE)


def test_only_the_given_fields_change(story: Story) -> None:
    (event,) = story.update(layout={"template": "vertical"})
    assert isinstance(event, RecordingUpdated)
    assert event.public
    assert story.reply == Accepted(RecordingId("r-1"))
    assert story.live.spec.layout == VERTICAL
    story.update(subscribe={"video": ("7",)})
    story.update(subscribe={"audio": ("42",)})
    story.update(layout={"max_resolution_uid": None})
    assert story.live.spec.subscribe == BOTH
    assert story.live.spec.layout == Layout("vertical", None, "#112233")


def test_the_recorder_is_told_of_what_changed_and_only_then(story: Story) -> None:
    assert not any(name.startswith("AgoraUpdate") for name in story.due())
    version = story.live.version
    story.update(subscribe={"audio": ("42",)})
    assert story.live.version == version + 1
    (effect,) = story.effects()
    assert effect == AgoraUpdate(
        recording_id=RecordingId("r-1"),
        attempt=1,
        channel_name="m-1",
        uid=story.live.recorder_uids[0],
        resource_id="resource-1",
        sid=story.live.sid or "",
        streams="audio_video",
        subscribe=ONE,
    )
    assert not is_told(story.live)
    assert [type(event) for event in story.updated(ONE)] == [RecorderUpdated]
    assert is_told(story.live)
    assert story.due() == []
    assert story.live.version == version + 1


def test_one_after_the_other_and_both_count_as_one_call(story: Story) -> None:
    story.update(subscribe={"audio": ("42",)}, layout={"template": "vertical"})
    (first,) = story.effects()
    story.updated(ONE)
    (second,) = story.effects()
    assert isinstance(second, AgoraUpdateLayout)
    assert second.layout == VERTICAL
    assert key_of(first) == key_of(second)
    story.updated(VERTICAL)
    assert story.due() == []


def test_what_is_so_already_is_no_news(story: Story) -> None:
    assert story.update() == []
    assert story.update(layout={}, subscribe={}) == []
    assert story.update(layout={"template": "best_fit"}, subscribe={"audio": None}) == []
    assert story.reply == Accepted(RecordingId("r-1"))
    assert story.due() == []


@pytest.mark.parametrize("outcome", [Ambiguous("lost"), RetryLater("busy", NO)])
def test_what_is_not_clear_is_sent_again(story: Story, outcome: Any) -> None:
    story.update(subscribe={"audio": ("42",)})
    (event,) = story.updated(ONE, outcome)
    assert isinstance(event, UpdateDeferred)
    assert not event.public
    assert story.due() == []
    assert story.later(2).due() == ["AgoraUpdate"]
    story.updated(ONE, outcome)
    assert story.later(2).due() == []
    assert story.later(2).due() == ["AgoraUpdate"]


def test_the_provider_may_say_when_to_come_back(story: Story) -> None:
    story.update(subscribe={"audio": ("42",)})
    story.updated(ONE, RetryLater("busy", NO, after_ms=60_000))
    assert story.later(59).due() == []
    assert story.later(2).due() == ["AgoraUpdate"]


def test_an_answer_to_what_is_no_longer_wanted_leaves_the_rest_to_be_told(story: Story) -> None:
    story.update(subscribe={"audio": ("42",)})
    story.update(subscribe={"audio": None})
    assert story.due() == ["AgoraUpdate"], "the first one may be on its way"
    story.updated(ONE)
    (effect,) = story.effects()
    assert isinstance(effect, AgoraUpdate)
    assert effect.subscribe == Subscription()
    story.updated(Subscription())
    assert is_told(story.live)


def test_what_is_told_once_more_may_be_late_itself(story: Story) -> None:
    story.update(subscribe={"audio": ("42",)})
    story.update(subscribe={"audio": None})
    story.updated(ONE)
    story.updated(Subscription())
    assert story.later(46).due() == ["AgoraUpdate"]
    story.updated(Subscription(), Ambiguous("cut off"))
    story.later(1).update(subscribe={"audio": ("42",)})
    story.updated(ONE)
    assert story.later(30).due() == []
    assert story.later(16).due() == ["AgoraUpdate"]


def test_a_change_soon_after_another_is_told_once_more(story: Story) -> None:
    """A call of the first may have been cut off, and be done late: it would overwrite the second."""
    story.update(subscribe={"audio": ("42",)}, layout={"template": "vertical"})
    story.updated(ONE, Ambiguous("cut off"))
    story.later(1).updated(ONE)
    story.updated(VERTICAL)
    assert story.later(50).due() == [], "nothing came before it"
    story.update(subscribe={"video": ("7",)}, layout={"template": "floating"})
    story.updated(BOTH)
    story.updated(FLOATING)
    assert story.later(50).due() == [], "nothing came shortly before it"
    story.queried(Done(Seen(5)))
    story.update(subscribe={"video": None}, layout={"template": "vertical"})
    story.update(layout={"template": "floating"})
    story.updated(ONE)
    story.updated(FLOATING)
    assert is_told(story.live)
    assert story.later(40).due() == []
    assert story.later(6).due() == ["AgoraUpdate"]
    story.updated(ONE, Ambiguous("cut off"))
    assert story.due() == []
    story.later(2).updated(ONE)
    (effect,) = story.effects()
    assert isinstance(effect, AgoraUpdateLayout)
    assert effect.layout == FLOATING
    story.updated(FLOATING, Rejected(NO))
    assert story.due() == []
    assert story.live.spec.layout == FLOATING


def test_a_refusal_goes_back_to_what_the_recorder_had(story: Story) -> None:
    story.update(layout={"template": "vertical"}, subscribe={"audio": ("42",)})
    story.updated(ONE)
    (event,) = story.updated(VERTICAL, Rejected(NO))
    assert isinstance(event, RecordingUpdated)
    assert event.refusal == NO
    assert story.live.spec.layout == PICTURE["layout"]
    assert story.live.spec.subscribe == ONE
    assert story.live.attempt is not None
    assert story.live.attempt.update.refusal == NO
    assert story.log[-1].actor.kind is ActorKind.PROVIDER
    assert story.due() == ["AgoraUpdateLayout"], "an earlier change may have been done unseen"
    story.updated(PICTURE["layout"])
    assert is_told(story.live)


def test_a_refusal_of_what_it_had_ends_it(story: Story) -> None:
    story.update(subscribe={"audio": ("42",)})
    story.updated(ONE, Rejected(NO))
    (event,) = story.updated(Subscription(), Rejected(NO))
    assert isinstance(event, UpdateRefused)
    assert is_told(story.live)
    assert story.due() == []


def test_a_refusal_of_what_is_no_longer_wanted_changes_nothing(story: Story) -> None:
    story.update(subscribe={"audio": ("42",)})
    story.update(subscribe={"video": ("7",)})
    (event,) = story.updated(ONE, Rejected(NO))
    assert isinstance(event, UpdateDeferred)
    assert story.live.spec.subscribe == BOTH
    assert story.later(2).due() == ["AgoraUpdate"]


def test_a_new_change_forgets_the_refusal_of_the_last(story: Story) -> None:
    story.update(subscribe={"audio": ("42",)})
    story.updated(ONE, Rejected(NO))
    story.update(subscribe={"audio": ("43",)})
    assert story.live.attempt is not None
    assert story.live.attempt.update.refusal is None


def test_a_stop_leaves_nothing_to_be_told(story: Story) -> None:
    story.update(subscribe={"audio": ("42",)})
    story.stop()
    assert story.due() == ["AgoraStop"]
    assert [type(event) for event in story.updated(ONE)] == [RecorderUpdated]


@pytest.mark.parametrize(
    ("phase", "stopping", "retryable"),
    [
        (Phase.ACQUIRING, False, True),
        (Phase.STARTING, False, True),
        (Phase.CONFIRMING, False, True),
        (Phase.CONFIRMING, True, False),
        (Phase.ACTIVE, True, False),
    ],
)
def test_before_and_after_nothing_changes(phase: Phase, stopping: bool, retryable: bool) -> None:
    story = in_phase(phase, stopping=stopping, **PICTURE)
    assert story.update(layout={"template": "vertical"}) == []
    assert story.reply == Refused("recording_not_active", RecordingId("r-1"), retryable=retryable)


def test_beside_an_eviction_it_is_still_starting() -> None:
    story = accepted_beside_an_eviction()
    assert story.update(subscribe={"audio": ("42",)}) == []
    assert story.reply == Refused("recording_not_active", RecordingId("r-2"), retryable=True)


@pytest.mark.parametrize("phase", [Phase.PROCESSING, Phase.COMPLETED])
def test_without_a_live_recording_there_is_nothing_to_change(phase: Phase) -> None:
    story = in_phase(phase, **PICTURE)
    assert story.update(layout={"template": "vertical"}) == []
    assert story.reply == Refused("no_active_recording")


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.ACTIVE])
@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"layout": {}}, "/layout"),
        ({"layout": {"template": "vertical"}}, "/layout"),
        ({"subscribe": {"video": ("7",)}}, "/subscribe/video"),
    ],
)
def test_sound_alone_has_no_picture(phase: Phase, changes: dict[str, Any], pointer: str) -> None:
    story = in_phase(phase)
    assert story.update(**changes) == []
    assert story.reply == Refused("validation_failed", pointer=pointer)


def test_sound_alone_is_subscribed_to() -> None:
    story = in_phase(Phase.ACTIVE)
    assert len(story.update(subscribe={"audio": ("42",), "video": None})) == 1
    assert story.live.spec.subscribe == ONE


def test_a_start_that_may_be_on_its_way_is_followed_by_an_update(story: Story) -> None:
    """Between two attempts of an active recording: the resource is there, so a start with the old spec may have been sent."""
    assert story.meeting.live is not None
    assert story.meeting.live.attempt is not None
    acquired = replace(story.meeting.live.attempt, sid=None, check_at_ms=0)
    story.meeting = replace(
        story.meeting, live=replace(story.meeting.live, phase=Phase.STARTING, attempt=acquired, sid=None)
    )
    story.update(subscribe={"audio": ("42",)})
    assert story.due() == ["AgoraStart"]
    story.started()
    assert "AgoraUpdate" in story.due()


def test_an_attempt_that_was_not_sent_starts_with_the_newest_spec(story: Story) -> None:
    assert story.meeting.live is not None
    assert story.meeting.live.attempt is not None
    opened = replace(story.meeting.live.attempt, sid=None, resource_id=None)
    story.meeting = replace(
        story.meeting, live=replace(story.meeting.live, phase=Phase.ACQUIRING, attempt=opened, sid=None)
    )
    story.update(subscribe={"audio": ("42",)})
    assert is_told(story.live)


def test_what_is_to_be_told_survives_json(story: Story) -> None:
    story.update(layout={"template": "vertical"}, subscribe={"audio": ("42",)})
    story.updated(ONE, Rejected(NO))
    assert decode(Meeting, encode(story.meeting)) == story.meeting


def test_a_state_of_before_there_were_updates_has_nothing_to_tell() -> None:
    meeting = in_phase(Phase.ACTIVE).meeting
    stored = encode(meeting)
    del stored["live"]["attempt"]["update"]
    assert decode(Meeting, stored) == meeting


def test_whoever_asked_is_behind_the_event(story: Story) -> None:
    story.do(UpdateRecording(by=HOST, subscribe={"audio": ("42",)}))
    assert story.log[-1].actor == HOST
