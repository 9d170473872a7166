"""What is sent: the provider's field names, types and rules."""

import zlib
from base64 import b64decode
from typing import Any

import pytest

from actors.domain.model import Layout, RecordingSpec, Subscription, Video
from clients.agora.recorder import recorder_token
from clients.agora.requests import (
    LocalTarget,
    S3Target,
    StorageTarget,
    acquire_body,
    checked_prefix,
    layout_body,
    layout_request,
    start_body,
    subscription_body,
)
from clients.agora.simulator.wire import AcquireRequest, LayoutRequest, StartRequest, UpdateRequest, checked

BUCKET: dict[str, Any] = {"bucket": "b", "access_key": "k", "secret_key": "s"}


def test_audio_by_default_with_the_idle_limit_always_set() -> None:
    body = start_body("room", "42", RecordingSpec(channel_name="room"), {"vendor": 1}, None)
    assert body == {
        "cname": "room",
        "uid": "42",
        "clientRequest": {
            "recordingConfig": {"channelType": 0, "streamTypes": 0, "audioProfile": 0, "maxIdleTime": 300},
            "recordingFileConfig": {"avFileType": ["hls", "mp4"]},
            "storageConfig": {"vendor": 1},
        },
    }


def test_a_picture_with_layout_and_lists() -> None:
    spec = RecordingSpec(
        channel_name="room",
        channel_type="live_broadcasting",
        streams="audio_video",
        outputs=("hls",),
        video=Video(640, 360, 15, 400),
        layout=Layout("vertical", "7", "#112233"),
        subscribe=Subscription(audio=("1", "2")),
    )
    request = start_body("room", "42", spec, {}, "token")["clientRequest"]
    assert request["token"] == "token"
    assert request["recordingConfig"] == {
        "channelType": 1,
        "streamTypes": 2,
        "audioProfile": 0,
        "maxIdleTime": 300,
        "subscribeAudioUids": ["1", "2"],
        "subscribeVideoUids": ["#allstream#"],
        "transcodingConfig": {
            "width": 640,
            "height": 360,
            "fps": 15,
            "bitrate": 400,
            "mixedVideoLayout": 2,
            "backgroundColor": "#112233",
            "maxResolutionUid": "7",
        },
    }


def test_a_picture_of_720p_unless_another_is_asked_for() -> None:
    spec = RecordingSpec(channel_name="room", streams="audio_video", max_idle_seconds=77)
    config = start_body("room", "42", spec, {}, None)["clientRequest"]["recordingConfig"]
    assert config["maxIdleTime"] == 77
    assert config["transcodingConfig"] == {
        "width": 1280,
        "height": 720,
        "fps": 15,
        "bitrate": 1130,
        "mixedVideoLayout": 1,
        "backgroundColor": "#000000",
    }


def test_a_layout_is_always_said_in_full() -> None:
    assert layout_request(None) == {"mixedVideoLayout": 1, "backgroundColor": "#000000"}


def test_a_list_for_sound_alone_holds_no_list_for_pictures() -> None:
    spec = RecordingSpec(channel_name="room", subscribe=Subscription(audio=("1",)))
    config = start_body("room", "42", spec, {}, None)["clientRequest"]["recordingConfig"]
    assert config["subscribeAudioUids"] == ["1"]
    assert "subscribeVideoUids" not in config


def test_an_update_says_all_of_the_subscription() -> None:
    body = subscription_body("room", "42", "audio_video", Subscription(audio=("1", "2")))
    assert body == {
        "cname": "room",
        "uid": "42",
        "clientRequest": {
            "streamSubscribe": {
                "audioUidList": {"subscribeAudioUids": ["1", "2"]},
                "videoUidList": {"subscribeVideoUids": ["#allstream#"]},
            }
        },
    }
    checked(UpdateRequest, body["clientRequest"], "Update")
    sound = subscription_body("room", "42", "audio", Subscription())["clientRequest"]
    assert sound == {"streamSubscribe": {"audioUidList": {"subscribeAudioUids": ["#allstream#"]}}}


def test_an_update_says_all_of_the_layout() -> None:
    body = layout_body("room", "42", Layout("vertical", "7", "#112233"))
    wanted = {"mixedVideoLayout": 2, "backgroundColor": "#112233", "maxResolutionUid": "7"}
    assert body == {"cname": "room", "uid": "42", "clientRequest": wanted}
    checked(LayoutRequest, wanted, "UpdateLayout")


def test_acquire_names_channel_and_uid() -> None:
    assert acquire_body("room", "42") == {"cname": "room", "uid": "42", "clientRequest": {"scene": 0}}


@pytest.mark.parametrize(
    ("region", "number"), [("us-east-1", 0), ("eu-central-1", 7), ("ap-southeast-3", 24), ("il-central-1", 28)]
)
def test_s3_by_its_regions_number(region: str, number: int) -> None:
    config = S3Target(region=region, **BUCKET).config(("tapedeck", "abc"))
    assert config == {
        "vendor": 1,
        "region": number,
        "bucket": "b",
        "accessKey": "k",
        "secretKey": "s",
        "fileNamePrefix": ["tapedeck", "abc"],
    }


def test_a_region_number_of_zero_is_a_value() -> None:
    assert S3Target(region="mars", region_id=0, **BUCKET).config(())["region"] == 0


def test_another_s3_server_is_vendor_11_with_its_endpoint() -> None:
    config = S3Target(region="x", endpoint="http://127.0.0.1:9", **BUCKET).config(())
    assert (config["vendor"], config["region"]) == (11, 0)
    assert config["extensionParams"] == {"endpoint": "http://127.0.0.1:9"}


def test_a_region_that_agora_does_not_know_is_an_error_with_the_list() -> None:
    with pytest.raises(ValueError, match=r"knows no S3 region moon.*eu-west-1"):
        S3Target(region="moon", **BUCKET).config(())


@pytest.mark.parametrize("prefix", [("a-b",), ("a/b",), ("",), ("ä",), ("a" * 128,), ("a.b",)])
def test_prefixes_keep_to_agoras_rules(prefix: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="prefix"):
        checked_prefix(prefix)
    with pytest.raises(ValueError, match="prefix"):
        LocalTarget().config(prefix)


@pytest.mark.parametrize(
    "spec",
    [
        RecordingSpec(channel_name="room"),
        RecordingSpec(channel_name="room", channel_type="live_broadcasting", outputs=("hls",), max_idle_seconds=5),
        RecordingSpec(channel_name="room", subscribe=Subscription(audio=("1", "2"))),
        RecordingSpec(channel_name="room", streams="audio_video"),
        RecordingSpec(channel_name="room", streams="audio_video", layout=Layout("floating", None, "#000000")),
        RecordingSpec(channel_name="room", streams="audio_video", subscribe=Subscription(video=("7",))),
    ],
)
@pytest.mark.parametrize(
    "target", [LocalTarget(), S3Target(region="us-east-1", **BUCKET), S3Target(region="x", endpoint="e:9", **BUCKET)]
)
def test_the_simulator_which_is_strict_accepts_every_body(spec: RecordingSpec, target: StorageTarget) -> None:
    request = start_body("room", "42", spec, target.config(("p", "q")), "token")["clientRequest"]
    checked(StartRequest, request, "Start")
    checked(AcquireRequest, acquire_body("room", "42")["clientRequest"], "Acquire")


APP_ID, CERTIFICATE = "970CA35de60c44645bbae8a215061b33", "5CFd2fd1755d40ecb72977518be15d3b"


def test_a_recorders_token_may_join_the_channel_with_its_uid() -> None:
    token = recorder_token(APP_ID, CERTIFICATE, "7d72365eb983485397e3e3f9d460bdda", 2882341273, 600)
    assert token.startswith("007")
    content = zlib.decompress(b64decode(token[3:]))
    assert APP_ID.encode() in content
    assert b"\x20\x007d72365eb983485397e3e3f9d460bdda" in content
    assert content.endswith(b"\x0a\x002882341273")


def test_a_malformed_certificate_is_an_error() -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        recorder_token("short", CERTIFICATE, "c", 1, 600)
