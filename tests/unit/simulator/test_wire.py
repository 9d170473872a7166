"""What the calls take and refuse, field by field (reference 2, 3, 5)."""

from typing import Any

import pytest

from clients.agora.simulator.wire import (
    AcquireRequest,
    LayoutRequest,
    Refused,
    StartRequest,
    StopRequest,
    UpdateRequest,
    Wire,
    checked,
    names_of,
)

STORAGE = {"vendor": 1, "region": 0, "bucket": "b", "accessKey": "a", "secretKey": "s"}
RECORDING = {"channelType": 1, "streamTypes": 2}
PANE = {"x_axis": 0.0, "y_axis": 0.5, "width": 1.0, "height": 0.5}


def start(**changes: Any) -> dict[str, Any]:
    return {"recordingConfig": RECORDING, "storageConfig": STORAGE, **changes}


def recording(**changes: Any) -> dict[str, Any]:
    return start(recordingConfig={**RECORDING, **changes})


def picture(**changes: Any) -> dict[str, Any]:
    return recording(transcodingConfig=changes)


def storage(**changes: Any) -> dict[str, Any]:
    return start(storageConfig={**STORAGE, **changes})


@pytest.mark.parametrize(
    ("model", "request_body"),
    [
        (AcquireRequest, {}),
        (AcquireRequest, {"scene": 1, "resourceExpiredHour": 720, "region": "EU", "startParameter": {"any": "thing"}}),
        (StartRequest, start()),
        (StartRequest, start(token="t", recordingFileConfig={"avFileType": ["hls", "mp4"]}, unknown=1)),
        (StartRequest, recording(subscribeAudioUids=["#allstream#"], unsubscribeVideoUids=["5"])),
        (StartRequest, recording(unSubscribeAudioUids=["4294967295"])),
        (StartRequest, recording(streamTypes=0, subscribeAudioUids=["1"])),
        (StartRequest, recording(decryptionMode=6, secret="x")),
        (StartRequest, recording(decryptionMode=8, secret="x", salt="y")),
        (StartRequest, picture(width=1920, height=1080, fps=60, bitrate=6500)),
        (StartRequest, picture(mixedVideoLayout=3, layoutConfig=[PANE] * 17)),
        (StartRequest, storage(region=28)),
        (StartRequest, storage(vendor=11, extensionParams={"endpoint": "s3.example.org"})),
        (StartRequest, storage(stsToken="t", stsExpiration=1_790_000_000)),
        (StartRequest, storage(fileNamePrefix=["a" * 63, "b" * 63])),
        (StopRequest, {"async_stop": True}),
        (LayoutRequest, {"mixedVideoLayout": 2, "maxResolutionUid": "7", "backgroundColor": "#0aF000"}),
        (UpdateRequest, {"streamSubscribe": {"audioUidList": {"subscribeAudioUids": ["1"]}}}),
        (UpdateRequest, {"storageConfig": STORAGE}),
    ],
)
def test_taken(model: type[Wire], request_body: dict[str, Any]) -> None:
    checked(model, request_body, "Call")


@pytest.mark.parametrize(
    ("model", "request_body", "field"),
    [
        (AcquireRequest, {"scene": 3}, "scene"),
        (AcquireRequest, {"resourceExpiredHour": 0}, "resourceExpiredHour"),
        (AcquireRequest, {"region": "MARS"}, "region"),
        (AcquireRequest, {"startParameter": "x"}, "startParameter"),
        (StartRequest, {"recordingConfig": RECORDING}, "storageConfig"),
        (StartRequest, recording(channelType=2), "channelType"),
        (StartRequest, recording(maxIdleTime=2_592_001), "maxIdleTime"),
        (StartRequest, recording(maxIdleTime=30.0), "maxIdleTime"),
        (StartRequest, recording(streamTypes=0, unsubscribeVideoUids=["1"]), "streamTypes 0"),
        (StartRequest, recording(streamTypes=1, subscribeAudioUids=["1"]), "streamTypes 1"),
        (StartRequest, recording(streamTypes=0, subscribeVideoUids=[]), "streamTypes 0"),
        (StartRequest, recording(subscribeAudioUids=["1"], unSubscribeAudioUids=["2"]), "deny-list"),
        (StartRequest, recording(subscribeVideoUids=["1"], unsubscribeVideoUids=["2"]), "deny-list"),
        (StartRequest, recording(unSubscribeVideoUids=["x"]), "uint32"),
        (StartRequest, recording(subscribeAudioUids=["1"] * 33), "subscribeAudioUids"),
        (StartRequest, recording(decryptionMode=9, secret="x"), "decryptionMode"),
        (StartRequest, recording(decryptionMode=1), "secret"),
        (StartRequest, recording(decryptionMode=7, secret="x"), "salt"),
        (StartRequest, picture(width=0), "width"),
        (StartRequest, picture(fps=61), "fps"),
        (StartRequest, picture(bitrate=6501), "bitrate"),
        (StartRequest, picture(layoutConfig=[PANE] * 18), "layoutConfig"),
        (StartRequest, picture(layoutConfig=[{**PANE, "alpha": 1.1}]), "alpha"),
        (StartRequest, picture(maxResolutionUid="0"), "maxResolutionUid"),
        (StartRequest, storage(vendor=9), "vendor"),
        (StartRequest, storage(vendor=7, region=16), "region"),
        (StartRequest, storage(vendor=5, region=1), "region"),
        (StartRequest, storage(vendor=11), "endpoint"),
        (StartRequest, storage(bucket=""), "bucket"),
        (StartRequest, storage(stsToken="t"), "stsExpiration"),
        (StartRequest, storage(fileNamePrefix=["a\n"]), "fileNamePrefix"),
        (StartRequest, storage(fileNamePrefix=["a" * 63, "b" * 64]), "fileNamePrefix"),
        (StartRequest, start(recordingFileConfig={"avFileType": ["mp4", "hls"]}), "avFileType"),
        (StartRequest, start(snapshotConfig={"fileType": ["jpg"]}), "snapshotConfig"),
        (StartRequest, start(extensionServiceConfig={}), "extensionServiceConfig"),
        (StopRequest, {"async_stop": "true"}, "async_stop"),
        (LayoutRequest, {"backgroundColor": "#0af00"}, "backgroundColor"),
        (LayoutRequest, {"layoutConfig": [{"x_axis": 0.0}]}, "layoutConfig.0"),
        (UpdateRequest, {"storageConfig": {"vendor": 1}}, "storageConfig"),
        (UpdateRequest, {"streamSubscribe": {"videoUidList": {"subscribeVideoUids": ["me"]}}}, "uint32"),
    ],
)
def test_refused_with_code_2_and_the_field(model: type[Wire], request_body: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as caught:
        checked(model, request_body, "Call")
    assert (caught.value.status, caught.value.code) == (400, 2)
    assert caught.value.reason.startswith("Call: ")
    assert field in caught.value.reason


@pytest.mark.parametrize("cname", ["m", "a b!#$%&()+-:;<=.>?@[]^_{}|~,", "c" * 64])
def test_names_are_taken(cname: str) -> None:
    assert names_of({"cname": cname, "uid": "4294967295", "clientRequest": {}}, "Stop") == (cname, "4294967295", {})


@pytest.mark.parametrize("cname", ["", 'a"b', "a/b", "a\n", "\u00fc", None, 5, "c" * 65])
def test_channel_names_that_are_none(cname: Any) -> None:
    with pytest.raises(Refused) as caught:
        names_of({"cname": cname, "uid": "1", "clientRequest": {}}, "Acquire")
    assert (caught.value.status, caught.value.code, caught.value.reason) == (400, 401, "invalid_channel_name")


@pytest.mark.parametrize("uid", ["0", "01", "4294967296", "-1", "1.0", "", " 1", "1\n", "\u0661", 1, None])
def test_uids_that_are_none(uid: Any) -> None:
    with pytest.raises(Refused) as caught:
        names_of({"cname": "m", "uid": uid, "clientRequest": {}}, "Acquire")
    assert (caught.value.status, caught.value.code) == (400, 2)
