"""Recordings, events and histories as JSON: the shape of api.md, whatever the phase."""

import re
from dataclasses import replace
from typing import Any

import pytest

from actors.domain.codec import EVENT_TYPES
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.domain.media_events import RecordingCompleted
from actors.domain.model import Failure, FailureCode, Gap, Layout, Phase, Recording, RecordingSpec, Subscription
from actors.domain.outcomes import Rejected
from actors.reading import Snapshot
from server.playback import UrlSigner
from server.render import Renderer, history_item, rfc3339
from tests.unit.domain.story import SID, Story, in_phase
from tests.unit.server.documented import complaints

RENDERER = Renderer(UrlSigner(b"secret", "https://tapedeck.example"))
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PHASES = [Phase.ACQUIRING, Phase.STARTING, Phase.CONFIRMING, Phase.ACTIVE, Phase.PROCESSING, Phase.COMPLETED]
MEMBERS = {
    *("id", "meetingId", "channelName", "externalId", "live", "status", "state", "agoraRecordingId", "recorderUids"),
    *("streams", "outputs", "channelType", "video", "layout", "subscribe", "maxDuration", "maxIdleTime"),
    *("startedBy", "stoppedBy", "createdAt", "startedAt", "stopRequestedAt", "stoppedAt", "completedAt", "updatedAt"),
    *("deletedAt", "deadlineAt", "duration", "fileSize", "storageUrl", "storageKey", "storageStatus", "endReason"),
    *("completeness", "gaps", "files", "error", "metadata", "version"),
}
"""Of the recording in api.md 1."""


def shown(recording: Recording, *, private: bool = True) -> dict[str, Any]:
    return RENDERER.recording(recording, private=private)


def named(schema: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{schema}"}


@pytest.mark.parametrize("phase", PHASES)
def test_a_recording_has_the_members_of_the_contract_in_every_phase(phase: Phase) -> None:
    recording = shown(in_phase(phase).last)
    assert set(recording) == MEMBERS
    assert complaints(recording, named("Recording")) == []


def test_a_failed_recording_says_why() -> None:
    story = in_phase(Phase.ACQUIRING)
    story.acquired(Rejected(Failure(FailureCode.PROVIDER_REJECTED, "no", retryable=False)))
    recording = shown(story.last)
    assert recording["error"] == {"code": "provider_rejected", "message": "no", "retryable": False}
    assert (recording["status"], recording["state"], recording["endReason"]) == ("failed", "failed", "never_started")
    assert complaints(recording, named("Recording")) == []


def test_what_is_private_is_left_out_for_others() -> None:
    spec = RecordingSpec(channel_name="c", external_id="e", metadata={"a": 1})
    recording = replace(in_phase(Phase.ACTIVE).last, spec=spec)
    assert (shown(recording)["externalId"], shown(recording)["metadata"]) == ("e", {"a": 1})
    assert set(shown(recording, private=False)) == MEMBERS - {"externalId", "metadata"}


def test_a_finished_recording_names_its_main_file() -> None:
    recording = shown(in_phase(Phase.COMPLETED).last)
    assert recording["storageKey"] == f"p/{SID}_m-1_0.mp4"
    assert recording["storageUrl"] == f"https://tapedeck.example/media/p/{SID}_m-1_0.mp4"
    assert [file["kind"] for file in recording["files"]] == ["hls", "mp4"]
    assert recording["duration"] == 60.0


def test_who_is_heard_and_seen_is_told() -> None:
    recording = in_phase(Phase.ACTIVE).last
    some = Subscription(audio=("1", "2"))
    audio = replace(recording, spec=replace(recording.spec, subscribe=some))
    assert shown(audio)["subscribe"] == {"audio": ["1", "2"]}
    both = replace(recording, spec=replace(recording.spec, subscribe=some, streams="audio_video"))
    assert shown(both)["subscribe"] == {"audio": ["1", "2"], "video": "all"}


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_763_805_600_123, "2025-11-22T10:00:00.123Z"),
        (999, "1970-01-01T00:00:00.999Z"),
    ],
)
def test_times_have_milliseconds(at_ms: int, text: str) -> None:
    assert rfc3339(at_ms) == text
    assert rfc3339(None) is None


def public_events(story: Story) -> list[JournalEvent]:
    return [event for event in story.log if event.sequence is not None]


def test_events_are_cloudevents_without_gaps() -> None:
    story = in_phase(Phase.COMPLETED)
    events = [RENDERER.event(event, private=False) for event in public_events(story)]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        assert (event["specversion"], event["id"]) == ("1.0", f"m-1/{event['sequence']}")
        assert (event["source"], event["subject"]) == ("/meetings/m-1", "r-1")
        assert TIME.fullmatch(event["time"])
        assert set(event["data"]) == {"recording", "live", "actor"}
        assert not {"metadata", "externalId"} & set(event["data"]["recording"])
    assert [event["type"] for event in events][:3] == ["recording.starting", "recording.active", "recording.stopping"]
    assert events[1]["data"]["live"] == {"id": "r-1", "state": "active"}
    assert events[-1]["data"]["live"] is None
    assert events[0]["data"]["actor"] == {"kind": "user", "id": "host-1"}


def test_operators_see_what_is_private() -> None:
    (first, *_) = public_events(in_phase(Phase.ACTIVE))
    assert {"metadata", "externalId"} <= set(RENDERER.event(first, private=True)["data"]["recording"])


def test_a_snapshot_is_the_meeting_now() -> None:
    live = in_phase(Phase.ACTIVE).live
    taken = RENDERER.snapshot(Snapshot(MeetingId("m-1"), 2, live, live.updated_at_ms), private=False)
    assert (taken["type"], taken["id"], taken["sequence"]) == ("recording.snapshot", "m-1/2/snapshot", 2)
    assert taken["data"]["live"] == {"id": "r-1", "state": "active"}
    empty = RENDERER.snapshot(Snapshot(MeetingId("m-1"), 0, None, 0), private=False)
    assert (empty["data"]["recording"], empty["data"]["live"]) == (None, None)


@pytest.mark.parametrize(
    ("phase", "stopping", "seconds"),
    [
        (Phase.ACQUIRING, False, 180),
        (Phase.CONFIRMING, False, 180),
        (Phase.ACTIVE, False, 14400),
        (Phase.ACTIVE, True, 300),
        (Phase.PROCESSING, False, 1800),
    ],
)
def test_a_deadline_says_when_the_state_ends_at_the_latest(phase: Phase, stopping: bool, seconds: int) -> None:
    story = in_phase(phase, stopping=stopping)
    assert shown(story.last)["deadlineAt"] == rfc3339(story.now_ms + seconds * 1000)


@pytest.mark.parametrize("phase", [Phase.ACQUIRING, Phase.COMPLETED])
def test_what_is_over_has_no_deadline(phase: Phase) -> None:
    story = in_phase(phase, stopping=phase is Phase.ACQUIRING)
    assert shown(story.last)["state"] in ("aborted", "completed")
    assert shown(story.last)["deadlineAt"] is None


def test_a_history_tells_each_step_with_its_evidence() -> None:
    story = in_phase(Phase.COMPLETED)
    items = [history_item(event) for event in story.log]
    assert complaints({"items": items, "nextCursor": None}, named("History")) == []
    assert [item["seq"] for item in items] == list(range(1, len(items) + 1))
    accepted = next(item for item in items if item["type"] == "recorder.accepted")
    assert accepted["sequence"] is None
    assert accepted["data"]["evidence"]
    assert TIME.fullmatch(accepted["data"]["checkAt"])


def test_a_history_names_things_as_the_rest_of_the_interface() -> None:
    *_, stored, _ = in_phase(Phase.COMPLETED).log
    assert isinstance(stored.event, RecordingCompleted)
    gapped = replace(stored, event=replace(stored.event, gaps=(Gap(1000, 2000, "lost"),)))
    data = history_item(gapped)["data"]
    assert data["duration"] == 60.0
    assert data["files"][0] == shown(in_phase(Phase.COMPLETED).last)["files"][0]
    assert data["gaps"] == [{"from": "1970-01-01T00:00:01.000Z", "to": "1970-01-01T00:00:02.000Z", "reason": "lost"}]


def test_a_history_tells_what_was_changed() -> None:
    story = in_phase(Phase.ACTIVE, streams="audio_video", layout=Layout())
    story.update(subscribe={"audio": ("42",)}, layout={"max_resolution_uid": "7"})
    data = history_item(story.log[-1])["data"]
    assert data["subscribe"] == {"audio": ["42"], "video": "all"}
    assert data["layout"] == {"template": "best_fit", "maxResolutionUid": "7", "backgroundColor": "#000000"}
    assert data["refusal"] is None
    story.updated(Subscription(audio=("42",)))
    assert history_item(story.log[-1])["data"]["layout"] is None


def test_no_kind_of_event_keeps_the_names_of_the_core() -> None:
    seen = set()
    for phase in PHASES:
        for event in in_phase(phase).log:
            seen.add(event.event.kind)
            assert not [name for name in history_item(event)["data"] if "_" in name or name in ("spec", "recordingId")]
    assert seen <= set(EVENT_TYPES)
    assert len(seen) > 7
