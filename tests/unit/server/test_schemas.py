"""What bodies and queries may hold: every limit of api.md 1, from both sides, and where a complaint points."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from actors.domain.codec import decode, encode
from actors.domain.model import Layout, RecordingSpec, Subscription, Video
from server.errors import Problem
from server.fields import CHANNEL_CHARACTERS, UID_PATTERN
from server.params import parse_body, validation_problem
from server.schemas import HistoryParameters, ListParameters, PlaybackParameters, StartBody, StopBody

AGORAS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$%&()+-:;<=.>?@[]^_{}|~,"
"""The 89 characters of reference 7.3, code 1013."""


def start(**fields: Any) -> StartBody:
    return parse_body(json.dumps(fields).encode(), StartBody)


def spec_of(**fields: Any) -> RecordingSpec:
    return start(**fields).to_spec("m-1", "communication", 14400, 300)


def refusal(body: bytes | dict[str, Any], model: Any = StartBody) -> tuple[int, list[str]]:
    """Status and pointers."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Problem) as raised:
        parse_body(raw, model)
    return raised.value.status, [pointer for pointer, _ in raised.value.errors]


def test_nothing_at_all_is_a_start() -> None:
    assert spec_of() == RecordingSpec(channel_name="m-1")


def test_all_that_may_be_said_reaches_the_core() -> None:
    assert spec_of(
        channelName="c",
        channelType="live_broadcasting",
        streams="audio_video",
        outputs=["hls"],
        video={"width": 640, "height": 360, "fps": 30, "bitrate": 500},
        layout={"template": "vertical", "maxResolutionUid": "42", "backgroundColor": "#a0B1c2"},
        subscribe={"audio": ["1"], "video": ["1", "2"]},
        maxDuration=60,
        maxIdleTime=5,
        externalId="e",
        metadata={"a": [1, None, {"b": 1.5}]},
    ) == RecordingSpec(
        channel_name="c",
        channel_type="live_broadcasting",
        streams="audio_video",
        outputs=("hls",),
        video=Video(640, 360, 30, 500),
        layout=Layout("vertical", "42", "#a0B1c2"),
        subscribe=Subscription(("1",), ("1", "2")),
        max_duration_seconds=60,
        max_idle_seconds=5,
        external_id="e",
        metadata={"a": [1, None, {"b": 1.5}]},
    )


def test_what_is_left_out_takes_the_settings() -> None:
    spec = start().to_spec("m-1", "live_broadcasting", 60, 5)
    assert (spec.channel_type, spec.max_duration_seconds, spec.max_idle_seconds) == ("live_broadcasting", 60, 5)


def test_a_channel_has_agoras_characters() -> None:
    assert len(set(AGORAS)) == 89
    taken = {chr(code) for code in range(0x250) if _is_taken({"channelName": chr(code)})}
    assert taken == set(AGORAS)


def _is_taken(fields: dict[str, Any]) -> bool:
    try:
        start(**fields)
    except Problem:
        return False
    return True


@pytest.mark.parametrize(
    "fields",
    [
        {"channelName": "a" * 63},
        {"subscribe": {"audio": "all"}},
        {"subscribe": {"audio": ["1", "4294967295"]}},
        {"subscribe": {"audio": [str(uid) for uid in range(1, 33)]}},
        {"maxDuration": 60},
        {"maxDuration": 82800},
        {"maxIdleTime": 5},
        {"maxIdleTime": 86400},
        {"externalId": "🎙" * 128},
        {"metadata": {"a": "x" * 4088}},
        {"metadata": {"a": 2**63 - 1, "b": -(2**63 - 1), "c": 1e308, "d": True}},
        {"onBehalfOf": "x" * 128},
        {"streams": "audio_video", "video": {}},
        {"streams": "audio_video", "video": {"width": 1080, "height": 1920}},
        {"streams": "audio_video", "layout": {}},
        {"streams": "audio", "video": None, "layout": None},
    ],
)
def test_what_is_allowed(fields: dict[str, Any]) -> None:
    start(**fields)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"channelName": "a" * 64}, "/channelName"),
        ({"channelName": ""}, "/channelName"),
        ({"channelName": "a\n"}, "/channelName"),
        ({"channelType": "live"}, "/channelType"),
        ({"streams": "video"}, "/streams"),
        ({"outputs": []}, "/outputs"),
        ({"outputs": ["mp4"]}, "/outputs"),
        ({"outputs": ["hls", "hls"]}, "/outputs"),
        ({"outputs": ["hls", "flv"]}, "/outputs/1"),
        ({"video": {}}, "/video"),
        ({"streams": "audio_video", "video": {"width": 0}}, "/video/width"),
        ({"streams": "audio_video", "video": {"fps": 16}}, "/video/fps"),
        ({"streams": "audio_video", "video": {"bitrate": 0}}, "/video/bitrate"),
        ({"streams": "audio_video", "video": {"width": 1920, "height": 1920}}, "/video"),
        ({"streams": "audio_video", "video": {"codec": "av1"}}, "/video/codec"),
        ({"layout": {}}, "/layout"),
        ({"streams": "audio_video", "layout": {"template": "custom"}}, "/layout/template"),
        ({"streams": "audio_video", "layout": {"backgroundColor": "red"}}, "/layout/backgroundColor"),
        ({"streams": "audio_video", "layout": {"maxResolutionUid": "x"}}, "/layout/maxResolutionUid"),
        ({"subscribe": {"audio": "some"}}, "/subscribe/audio"),
        ({"subscribe": {"audio": None}}, "/subscribe/audio"),
        ({"subscribe": {"audio": []}}, "/subscribe/audio"),
        ({"subscribe": {"audio": ["1"] * 33}}, "/subscribe/audio"),
        ({"subscribe": {"audio": ["1", "0"]}}, "/subscribe/audio/1"),
        ({"subscribe": {"audio": ["01"]}}, "/subscribe/audio/0"),
        ({"subscribe": {"audio": ["4294967296"]}}, "/subscribe/audio/0"),
        ({"subscribe": {"audio": [1]}}, "/subscribe/audio/0"),
        ({"subscribe": {"audio": ["²"]}}, "/subscribe/audio/0"),
        ({"subscribe": {"video": ["1"]}}, "/subscribe"),
        ({"maxDuration": 59}, "/maxDuration"),
        ({"maxDuration": 82801}, "/maxDuration"),
        ({"maxDuration": "60"}, "/maxDuration"),
        ({"maxDuration": 60.5}, "/maxDuration"),
        ({"maxDuration": True}, "/maxDuration"),
        ({"maxIdleTime": 4}, "/maxIdleTime"),
        ({"maxIdleTime": 86401}, "/maxIdleTime"),
        ({"externalId": "x" * 129}, "/externalId"),
        ({"externalId": "\0"}, "/externalId"),
        ({"onBehalfOf": "x" * 129}, "/onBehalfOf"),
        ({"metadata": []}, "/metadata"),
        ({"metadata": {"a": "x" * 4089}}, "/metadata"),
        ({"metadata": {"\0": 1}}, "/metadata"),
        ({"metadata": {"a": [{"b": "\0"}]}}, "/metadata"),
        ({"metadata": {"a": 2**63}}, "/metadata"),
        ({"max_duration": 60}, "/max_duration"),
        ({"a/b~c": 1}, "/a~1b~0c"),
    ],
)
def test_what_is_not(fields: dict[str, Any], pointer: str) -> None:
    assert refusal(fields) == (422, [pointer])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"metadata": {"a": 1e400}}', 422),
        (b'{"metadata": {"a": -1e400}}', 422),
        (b'{"metadata": {"a": NaN}}', 422),
        (b'{"metadata": {"a": Infinity}}', 422),
        (b'{"metadata": {"a": "\\ud800"}}', 400),
        (b'{"metadata": {"\\udfff": 1}}', 400),
        (b'{"metadata": {"a": ' + b"9" * 5000 + b"}}", 400),
        (b'{"metadata": {"a": "\xff"}}', 400),
        (b'{"metadata": ' + b'{"a":' * 33 + b"1" + b"}" * 33 + b"}", 422),
        (b'{"metadata": ' + b"[" * 100_000, 400),
        (b"\xef\xbb\xbf{}", 400),
        (b"{} {}", 400),
        (b" ", 400),
        (b"[]", 422),
    ],
)
def test_what_no_database_could_hold(body: bytes, status: int) -> None:
    assert refusal(body)[0] == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.text("abc", max_size=3), JSON, max_size=4))
def test_metadata_comes_back_as_it_was_sent(metadata: dict[str, Any]) -> None:
    if not _is_taken({"metadata": metadata}):
        assert len(json.dumps(metadata).encode()) > 4096
        return
    spec = spec_of(metadata=metadata)
    assert decode(RecordingSpec, json.loads(json.dumps(encode(spec)))).metadata == metadata


@given(st.text("0123456789abcdefAZ _-|~,é\n/\"'*\\`", max_size=70))
def test_any_channel_is_taken_or_refused_by_its_characters(name: str) -> None:
    assert _is_taken({"channelName": name}) is (0 < len(name) < 64 and set(name) <= set(AGORAS))


def test_a_complaint_says_what_is_wrong_in_our_words() -> None:
    with pytest.raises(Problem) as raised:
        start(metadata={"a": "\0"})
    assert raised.value.errors == [("/metadata", "holds U+0000 or a lone surrogate")]


def test_the_bitrate_follows_the_picture() -> None:
    def bitrate(**video: int) -> int:
        made = spec_of(streams="audio_video", video=video).video
        assert made is not None
        return made.bitrate

    assert bitrate() == 1130
    assert bitrate(width=640, height=360) == pytest.approx(1130 / 4, abs=1)
    assert bitrate(width=1920, height=1080, fps=60) == 6500
    assert bitrate(width=1, height=1, fps=1) == 1


def test_a_stop_says_no_more_than_for_whom() -> None:
    assert parse_body(b'{"onBehalfOf": "x"}', StopBody).on_behalf_of == "x"
    assert refusal({"reason": "x"}, StopBody) == (422, ["/reason"])


@pytest.mark.parametrize("text", ["1_0", " 10", "10.0", "+5", "-1", "0x1", "٣", "", "1e1", "9" * 19])
def test_a_number_of_a_query_is_written_in_digits(text: str) -> None:
    for model, name in ((ListParameters, "limit"), (HistoryParameters, "limit"), (PlaybackParameters, "expiresIn")):
        with pytest.raises(ValidationError) as raised:
            model.model_validate({name: text})
        assert validation_problem(raised.value).errors[0][0] == f"/{name}"


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("100", 100)])
def test_a_limit_is_taken(text: str, limit: int) -> None:
    assert ListParameters.model_validate({"limit": text}).limit == limit


def test_the_documented_pattern_is_the_one_that_validates() -> None:
    schema = StartBody.model_json_schema(by_alias=True)["properties"]["channelName"]
    assert schema["anyOf"][0]["pattern"] == CHANNEL_CHARACTERS
    limits = ListParameters.model_json_schema()["properties"]["limit"]
    assert (limits["minimum"], limits["maximum"]) == (1, 100)


def test_a_whole_number_may_be_written_with_a_point() -> None:
    body = StartBody.model_validate_json('{"maxDuration": 60.0, "streams": "audio_video", "video": {"fps": 3e1}}')
    assert (body.max_duration, body.video and body.video.fps) == (60, 30)
    for text in ("60.5", "1e400", '"60"', "true"):
        with pytest.raises(ValidationError):
            StartBody.model_validate_json(f'{{"maxDuration": {text}}}')


@given(st.one_of(st.integers(0, 2**33), st.integers(2**32 - 200, 2**32 + 200)))
def test_the_pattern_of_uids_is_what_is_checked(number: int) -> None:
    body = f'{{"subscribe": {{"audio": ["{number}"]}}}}'
    if re.search(UID_PATTERN, str(number)):
        StartBody.model_validate_json(body)
    else:
        with pytest.raises(ValidationError):
            StartBody.model_validate_json(body)
