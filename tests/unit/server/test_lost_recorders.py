"""A recorder that is lost and replaced, as those see it who follow the recording: one recording, a gap, the same state."""

from dataclasses import replace
from typing import Any

import pytest

from actors.domain.events import CaptureProven
from actors.domain.model import Phase, Recording
from actors.domain.outcomes import Done, Started
from server.console.story import tell
from server.console.words import outcome
from server.openapi_events import RECORDING_TYPES
from server.playback import UrlSigner
from server.render import Renderer, history_item, rfc3339
from tests.unit.domain.story import SID, Story, in_phase
from tests.unit.server.documented import complaints

RENDERER = Renderer(UrlSigner(b"secret", "https://tapedeck.example"))
SESSION_EXIT, FAILOVER, SLICE_START = 11, 12, 42
NEXT_SID = "b" * 32
RECORDING = {"$ref": "#/components/schemas/Recording"}


@pytest.fixture
def lost() -> Story:
    """Its session is over after half a minute, although nobody has asked for that."""
    story = in_phase(Phase.ACTIVE).later(30)
    story.noticed(SESSION_EXIT)
    return story


def replaced(story: Story) -> Story:
    """Another recorder captures, ten seconds later."""
    story.later(10).wake()
    story.acquired()
    story.started(Done(Started(NEXT_SID)))
    story.noticed(SLICE_START, sid=NEXT_SID, startUtcMs=story.now_ms)
    return story


def shown(recording: Recording) -> dict[str, Any]:
    return RENDERER.recording(recording, private=True)


def last_event(story: Story) -> dict[str, Any]:
    return RENDERER.event([event for event in story.log if event.sequence is not None][-1], private=False)


def lines(story: Story) -> list[str]:
    return [line.partition("  ")[2] for line in tell([history_item(event) for event in story.log])]


def test_a_lost_recorder_opens_a_gap_and_the_recording_stays_active(lost: Story) -> None:
    event = last_event(lost)
    assert event["type"] == "recording.updated"
    assert event["data"]["live"] == {"id": "r-1", "state": "active"}
    recording = event["data"]["recording"]
    assert recording["gaps"] == [{"from": rfc3339(lost.now_ms), "to": None, "reason": "recorder_lost"}]
    assert complaints(shown(lost.live), RECORDING) == []


def test_the_next_recorder_closes_it(lost: Story) -> None:
    from_ms = lost.now_ms
    event = last_event(replaced(lost))
    assert (event["type"], event["data"]["live"]["state"]) == ("recording.updated", "active")
    recording = event["data"]["recording"]
    assert recording["gaps"] == [{"from": rfc3339(from_ms), "to": rfc3339(lost.now_ms), "reason": "recorder_lost"}]
    assert recording["agoraRecordingId"] == NEXT_SID
    assert len(recording["recorderUids"]) == 2


def test_streams_know_its_events_as_changes_only() -> None:
    assert "recording.updated" in RECORDING_TYPES
    assert all(kind.startswith("recording.") for kind in RECORDING_TYPES)


def test_a_history_names_them_as_what_they_are(lost: Story) -> None:
    told = [history_item(event) for event in replaced(lost).log]
    events = {item["type"]: item for item in told}
    assert events["recorder.lost"]["data"]["lostAt"] == events["recorder.lost"]["time"]
    assert events["recorder.replaced"]["data"]["resumedAt"] == rfc3339(lost.now_ms)
    assert None not in (events["recorder.lost"]["sequence"], events["recorder.replaced"]["sequence"])


def test_the_command_line_tells_of_it(lost: Story) -> None:
    assert outcome(shown(lost.live)) == f"with gaps: recorder_lost from {rfc3339(lost.now_ms)} until now"
    from_text = rfc3339(lost.now_ms)
    replaced(lost)
    assert outcome(shown(lost.live)) == f"with gaps: recorder_lost from {from_text} to {rfc3339(lost.now_ms)}"
    assert f"the recorder of attempt 1 is gone since {from_text}; another takes its place [event 11]" in "\n".join(
        lines(lost)
    )
    assert f"attempt 2 records, since {rfc3339(lost.now_ms)} [event 42]" in "\n".join(lines(lost))


def test_a_move_is_told_to_those_who_ask(lost: Story) -> None:
    story = in_phase(Phase.ACTIVE).later(30)
    story.noticed(FAILOVER, newUid=77)
    assert shown(story.live)["recorderUids"][-1] == "77"
    assert "its recorder is 77 now [event 12]" in lines(story)[-1]
    assert history_item(story.log[-1])["sequence"] is None


def test_a_stray_is_shown_without_the_core_s_own_book_keeping(lost: Story) -> None:
    replaced(lost).later(60)
    lost.noticed(SLICE_START, uid=lost.live.recorder_uids[0], sid=SID, startUtcMs=lost.now_ms)
    item = next(item for item in map(history_item, lost.log) if item["type"] == "recorder.stray")
    assert item["data"]["stray"] == {"sid": SID, "uids": [lost.live.recorder_uids[0]]}
    assert "a recorder of attempt 1, which is over, is alive and is evicted" in "\n".join(lines(lost))


def test_a_time_that_an_event_of_before_does_not_have_is_null() -> None:
    stored = in_phase(Phase.ACTIVE).log[-1]
    assert isinstance(stored.event, CaptureProven)
    old = replace(stored, event=replace(stored.event, room_at_ms=0))
    assert history_item(old)["data"]["roomAt"] is None
    assert history_item(stored)["data"]["roomAt"] == rfc3339(stored.event.room_at_ms)
