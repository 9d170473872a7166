"""What completed gets a manifest: tried for until it stands, whoever owns the meeting, and not beside a deletion."""

import pytest

from actors.domain.codec import decode, encode
from actors.domain.commands import DeleteRecording, MediaErased, MediaSurveyed
from actors.domain.effects import StorageSeal
from actors.domain.evolve import prune, recall
from actors.domain.ids import RecordingId
from actors.domain.media import ListedObject
from actors.domain.media_events import ManifestWritten, SealDeferred
from actors.domain.model import Failure, FailureCode, Meeting, Phase, State
from actors.domain.outcomes import Ambiguous, Done, Erased, Inventory, Rejected, RetryLater, Sealed
from actors.domain.pending import next_wakeup
from actors.domain.projections import state_of
from tests.unit.domain.story import HOST, Story, in_phase, whole_media

AWAY = Failure(FailureCode.STORAGE_UNAVAILABLE, "away", retryable=True)
SEALED = Done(Sealed(6, 100, "5e" * 32))
ONE = RecordingId("r-1")


@pytest.fixture
def story() -> Story:
    """Just completed."""
    story = in_phase(Phase.PROCESSING)
    story.examined(Done(whole_media(story)))
    return story


def test_it_is_completed_at_once_and_sealed_afterwards(story: Story) -> None:
    assert state_of(story.last) is State.COMPLETED
    version = story.last.version
    assert story.effects() == (StorageSeal(recording_id=ONE, prefix=("tapedeck", "r1")),)
    assert story.sealed(SEALED) == [ManifestWritten(recording_id=ONE, objects=6, bytes=100, sha256="5e" * 32)]
    assert (story.last.manifest_sha256, story.last.version) == ("5e" * 32, version)
    assert not story.meeting.finishing
    assert story.effects() == ()
    assert next_wakeup(story.meeting) is None


@pytest.mark.parametrize("outcome", [Ambiguous("away"), RetryLater("away", AWAY), Rejected(AWAY)])
def test_it_is_tried_until_it_stands(story: Story, outcome: Ambiguous | RetryLater | Rejected) -> None:
    pauses = []
    for _ in range(6):
        (event,) = story.sealed(outcome)
        assert isinstance(event, SealDeferred)
        assert event.why == "away"
        pauses.append((event.check_at_ms - story.now_ms) // 1000)
        assert story.due() == []
        assert next_wakeup(story.meeting) == event.check_at_ms
        assert story.later(pauses[-1]).due() == ["StorageSeal"]
    assert pauses == [5, 30, 120, 600, 3600, 3600]
    story.sealed(SEALED)
    assert not story.meeting.finishing


def test_a_crash_in_between_loses_nothing(story: Story) -> None:
    story.meeting = decode(Meeting, encode(story.meeting))
    assert story.due() == ["StorageSeal"]


def test_what_was_recalled_for_a_look_is_not_kept(story: Story) -> None:
    """Be it settled, or live: a notification may be about a recorder that the state does not know (seed 5)."""
    story.sealed(SEALED)
    assert prune(recall(story.meeting, story.last)) == story.meeting
    live = in_phase(Phase.ACTIVE)
    assert prune(recall(live.meeting, live.live)) == live.meeting


def test_the_next_recording_does_not_wait_for_it(story: Story) -> None:
    story.start("r-2")
    assert sorted(story.due()) == ["AgoraAcquire", "StorageSeal"]


def test_a_deletion_does_not_wait_for_it_and_drops_its_answer(story: Story) -> None:
    story.do(DeleteRecording(recording_id=ONE, by=HOST))
    assert story.due() == ["StorageSurvey"]
    assert story.sealed(SEALED) == []
    story.do(MediaSurveyed(recording_id=ONE, after=None, outcome=Done(Inventory((ListedObject("a", 100),)))))
    assert story.due() == ["StorageErase"]
    story.do(MediaErased(recording_id=ONE, outcome=Done(Erased(1, 100))))
    story.do(MediaSurveyed(recording_id=ONE, after=None, outcome=Done(Inventory(()))))
    assert story.last.phase is Phase.DELETED
    assert not story.meeting.finishing


def test_what_failed_has_nothing_to_seal() -> None:
    story = in_phase(Phase.ACQUIRING)
    story.acquired(Rejected(AWAY))
    assert story.last.phase is Phase.FAILED
    assert story.due() == []
