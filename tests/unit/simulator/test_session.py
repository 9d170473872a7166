"""Names of files, file lists, playlist, signatures: what others read byte by byte (reference 4.2, 8, 9.2)."""

from typing import Any

import orjson
import pytest

from clients.agora.simulator.playlist import playlist_text
from clients.agora.simulator.session import Session
from clients.agora.simulator.studio import picture_of
from clients.agora.simulator.webhooks import signatures

STARTED = 1_790_000_000_007
READY_MS = 300


def session(cname: str = "m", **request: Any) -> Session:
    storage = {"fileNamePrefix": ["a", "b"]}
    wanted = {"recordingConfig": {"streamTypes": 0}, "storageConfig": storage, **request}
    names = {"sid": "5" * 32, "cname": cname, "uid": "7", "resource_id": "r"}
    return Session(**names, request=wanted, started_at=STARTED, slice_ms=15_000)


def test_signatures_of_the_reference() -> None:
    body = (
        b'{"eventMs":1560408533119,"eventType":10,"noticeId":"4eb720f0-8da7-11e9-a43e-53f411c2761f",'
        b'"notifyMs":1560408533119,"payload":{"a":"1","b":2},"productId":1}'
    )
    assert signatures(body, "secret") == {
        "Agora-Signature": "033c62f40f687675f17f0f41f91a40c71c0f134c",
        "Agora-Signature-V2": "6d3320c60b11101395b7fc8f9068748808a0aa1bfa064438e39d1bc2c7d74d99",
    }


def test_names_of_files() -> None:
    one = session("a_b.c!@#$%^&*()+=[]{}~|,;:?<>-Z9")
    stem = "5" * 32 + "_a-b-c" + "-" * 25 + "Z9"
    assert one.prefix == "a/b/"
    assert one.playlist_name == f"{stem}.m3u8"
    assert one.movie_name == f"{stem}_0.mp4"
    assert one.slice_name(STARTED) == f"{stem}_20260921141320007.ts"


def test_file_list_is_text_for_hls_and_objects_with_mp4() -> None:
    one, two = session(), session(recordingFileConfig={"avFileType": ["hls", "mp4"]})
    assert one.file_list() == {"fileListMode": "string", "fileList": ""}
    assert two.file_list() == {"fileListMode": "json", "fileList": []}
    for each in (one, two):
        each.leg.slices.append((each.slice_name(STARTED), 15.0))
        each.finished = True
    assert one.file_list()["fileList"] == one.playlist_name
    assert [item["fileName"] for item in two.file_list()["fileList"]] == [two.playlist_name, two.movie_name]
    assert two.files()[0] == {
        "fileName": two.playlist_name,
        "trackType": "audio",
        "uid": "0",
        "mixedAllUser": True,
        "isPlayable": True,
        "sliceStartTime": STARTED,
    }


def test_playlist_line_by_line() -> None:
    one = session(recordingConfig={"streamTypes": 2})
    one.leg.slices = [("one.ts", 15.019), ("two.ts", 3.2)]
    begun = "TIME=20260921141320007"
    assert playlist_text(one, ended=True).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-ALLOW-CACHE:YES",
        "#EXT-X-TARGETDURATION:16",
        "#EXT-X-DISCONTINUITY",
        f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,{begun}",
        f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,{begun}",
        "#EXTINF:15.019000",
        "one.ts",
        "#EXTINF:3.200000",
        "two.ts",
        "#EXT-X-ENDLIST",
    ]
    one.request["recordingConfig"]["privateParams"] = '{"correctEXTINF": true}'
    assert "#EXTINF:3.200000,\n" in playlist_text(one, ended=False)
    assert "ENDLIST" not in playlist_text(one, ended=False)


@pytest.mark.parametrize(("after_ms", "status"), [(-5, 1), (0, 1), (100, 2), (200, 3), (300, 4), (10_000, 4)])
def test_status_comes_up_in_steps(after_ms: int, status: int) -> None:
    assert session().status(STARTED + after_ms, READY_MS) == status


def test_status_of_what_records_leaves_and_never_comes() -> None:
    one = session()
    one.leg.slices.append(("one.ts", 15.0))
    assert one.status(STARTED + 15_000, READY_MS) == 5
    one.ended_at = STARTED + 20_000
    assert one.status(STARTED + 20_000, READY_MS) == 6
    one.finished = True
    assert one.status(STARTED + 20_000, READY_MS) == 7
    mute = session()
    mute.mute = True
    assert mute.status(STARTED + 60_000, READY_MS) == 3


def test_session_is_the_same_after_the_disk() -> None:
    one = session()
    one.leg.slices, one.late, one.backuped = [("one.ts", 15.0)], [(1, 2, 3)], True
    one.move = (STARTED + 1_000, STARTED + 2_000, "9")
    assert Session.read(orjson.loads(orjson.dumps(one.written()))) == one


def test_session_that_was_kept_before_there_were_moves() -> None:
    one = session()
    one.leg.slices = [("one.ts", 15.0)]
    kept = orjson.loads(orjson.dumps(one.written()))
    for name in ("legs", "move", "app_id"):
        del kept[name]
    assert Session.read({**kept, "slices": [["one.ts", 15.0]]}) == one


def test_move_to_another_machine_has_its_own_uid_and_files() -> None:
    one = session(recordingFileConfig={"avFileType": ["hls", "mp4"]})
    one.leg.slices.append(("one.ts", 15.0))
    one.reported_ready = one.reported_list = True
    lost_at, joined_at = STARTED + 20_000, STARTED + 25_000
    one.move = (lost_at, joined_at, "9")
    one.moves()
    assert (one.uid, one.recorder_uid, one.move) == ("7", "9", None)
    assert (one.reported_ready, one.reported_list) == (False, False)
    assert [one.is_moving(at) for at in (joined_at - 1, joined_at)] == [True, False]
    found = [one.present_at(at) for at in (STARTED - 1, STARTED, lost_at - 1, lost_at, joined_at - 1, joined_at)]
    assert [leg and leg.uid for leg in found] == [None, "7", "7", None, None, "9"]
    one.ended_at = joined_at + 5
    assert one.present_at(joined_at + 5) is None
    assert one.slice_name(STARTED).startswith("5" * 32)
    assert one.slice_name(joined_at).startswith(f"bak0_{'5' * 32}_m_2026")
    assert one.newest_playlist == f"{'5' * 32}_m.m3u8"
    one.leg.slices.append(("two.ts", 15.0))
    one.finished = True
    named = [(item["fileName"], item["sliceStartTime"]) for item in one.files()]
    stem = f"{'5' * 32}_m"
    assert named == [
        (f"{stem}.m3u8", STARTED),
        (f"bak0_{stem}.m3u8", joined_at),
        (f"bak0_{stem}_0.mp4", joined_at),
    ]
    assert one.newest_playlist == f"bak0_{stem}.m3u8"


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ({}, (360, 640, 15)),
        ({"width": 1281, "height": 721, "fps": 30}, (1280, 720, 30)),
        ({"width": 1, "height": 2}, (16, 16, 15)),
    ],
)
def test_picture_has_even_sides(asked: dict[str, int], made: tuple[int, int, int]) -> None:
    assert picture_of(session(recordingConfig={"transcodingConfig": asked})) == made
