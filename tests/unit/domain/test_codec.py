"""What is stored comes back as it was, and what is not of the shape is refused."""

import json

import pytest

from actors.domain.codec import EVENT_TYPES, CodecError, decode, decode_event, encode, encode_event
from actors.domain.model import Layout, Meeting, Phase, Recording, RecordingSpec, Subscription, Video
from tests.unit.domain.story import accepted_beside_an_eviction, in_phase


@pytest.mark.parametrize("phase", list(Phase)[1:7])
def test_a_meeting_survives_json(phase: Phase) -> None:
    meeting = in_phase(phase).meeting
    assert decode(Meeting, json.loads(json.dumps(encode(meeting)))) == meeting


def test_an_eviction_survives_json() -> None:
    meeting = accepted_beside_an_eviction().meeting
    assert decode(Meeting, json.loads(json.dumps(encode(meeting)))) == meeting


def test_every_event_of_a_recording_survives_json() -> None:
    for stored in in_phase(Phase.COMPLETED).log:
        data = json.loads(json.dumps(encode_event(stored.event)))
        assert decode_event(stored.event.kind, 1, data) == stored.event


def test_a_full_spec_survives_json() -> None:
    spec = RecordingSpec(
        channel_name="c",
        streams="audio_video",
        video=Video(1280, 720, 15, 1130),
        layout=Layout("vertical", "42", "#000000"),
        subscribe=Subscription(audio=("42",), video=None),
        metadata={"a": [1, {"b": None}], "ü": "☃"},
    )
    assert decode(RecordingSpec, json.loads(json.dumps(encode(spec)))) == spec


def test_a_field_that_an_older_version_did_not_store_takes_its_default() -> None:
    recording = in_phase(Phase.ACTIVE).live
    stored = encode(recording)
    del stored["trouble"]
    assert decode(Recording, stored) == recording


@pytest.mark.parametrize(
    "damage",
    [{"phase": "dancing"}, {"version": "7"}, {"created_at_ms": None}, {"spec": []}, {"files": 3}],
)
def test_what_is_not_of_the_shape_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(CodecError):
        decode(Recording, {**encode(in_phase(Phase.ACTIVE).live), **damage})


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(CodecError):
        decode_event("recording.danced", 1, {})


def test_kinds_are_unique() -> None:
    assert len(EVENT_TYPES) == len({event.__name__ for event in EVENT_TYPES.values()})
