"""Signed URLs open one object for a while, and nothing else; what there is to play is told as the contract has it."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import MediaFile, Phase, Recording, RecordingSpec, Want
from server.playback import BadSignature, ExpiredUrl, UnsignedUrl, UrlSigner, availability, main_file, playback_items

SIGNER = UrlSigner(b"secret" * 8, "https://rec.example.com/")
NOW = 1_790_000_000
HLS = MediaFile("hls", "r/x/sid_m-1.m3u8", 300, 45.0, 1, True)
MP4 = MediaFile("mp4", "r/x/sid_m-1_0.mp4", 5000, 45.02, 1, True)
BROKEN = MediaFile("mp4", "r/x/sid_m-1_0.mp4", 10, None, 1, False)


def recording(*files: MediaFile, phase: Phase = Phase.COMPLETED) -> Recording:
    return Recording(
        recording_id=RecordingId("0199"),
        meeting_id=MeetingId("m-1"),
        spec=RecordingSpec(channel_name="m-1"),
        prefix=("r", "x"),
        phase=phase,
        want=Want.STOP,
        created_at_ms=0,
        updated_at_ms=0,
        started_by="u",
        files=files,
    )


def query_of(url: str) -> str:
    return urlsplit(url).query


def test_a_signed_url_is_absolute_and_ends_in_its_signature() -> None:
    url = SIGNER.sign("r/x/a b.ts", NOW + 60, recording="0199")
    head, _, signature = url.rpartition("&signature=")
    assert head == f"https://rec.example.com/media/r/x/a%20b.ts?recording=0199&expires={NOW + 60}"
    assert len(bytes.fromhex(signature)) == 32
    grant = SIGNER.verify("r/x/a b.ts", query_of(url), NOW)
    assert (grant.expires_at, grant.parameters) == (NOW + 60, {"recording": "0199"})


def test_the_storage_url_opens_nothing() -> None:
    url = SIGNER.storage_url("r/x/a.mp4")
    assert url == "https://rec.example.com/media/r/x/a.mp4"
    with pytest.raises(UnsignedUrl):
        SIGNER.verify("r/x/a.mp4", query_of(url), NOW)


def test_a_url_expires_at_its_second() -> None:
    query = query_of(SIGNER.sign("a", NOW))
    SIGNER.verify("a", query, NOW - 0.001)
    with pytest.raises(ExpiredUrl):
        SIGNER.verify("a", query, NOW)


@given(st.data())
def test_no_character_of_a_url_can_be_changed(data: st.DataObject) -> None:
    target = "r/x/a.ts?" + query_of(SIGNER.sign("r/x/a.ts", NOW + 60, recording="0199"))
    at = data.draw(st.integers(0, len(target) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != target[at]))
    key, _, query = (target[:at] + other + target[at + 1 :]).partition("?")
    with pytest.raises((BadSignature, UnsignedUrl)):
        SIGNER.verify(key, query, NOW)


@pytest.mark.parametrize("change", ["{}&x=1", "x=1&{}", "{}&", "{}#", "{}0", "{}&expires=9999999999"])
def test_nothing_can_be_added_to_a_url(change: str) -> None:
    with pytest.raises(BadSignature):
        SIGNER.verify("a", change.format(query_of(SIGNER.sign("a", NOW + 60))), NOW)


def test_a_later_expiry_is_not_believed() -> None:
    query = query_of(SIGNER.sign("a", NOW)).replace(str(NOW), str(NOW + 10**6))
    with pytest.raises(BadSignature):
        SIGNER.verify("a", query, NOW)


def test_another_secret_signs_nothing_here() -> None:
    query = query_of(UrlSigner(b"other" * 8, "https://rec.example.com").sign("a", NOW + 60))
    with pytest.raises(BadSignature):
        SIGNER.verify("a", query, NOW)


def test_a_retired_secret_verifies_and_signs_no_more() -> None:
    retired = UrlSigner(b"other" * 8, "https://rec.example.com")
    both = UrlSigner(b"secret" * 8, "https://rec.example.com", retired=[b"other" * 8])
    assert both.verify("a", query_of(retired.sign("a", NOW + 60)), NOW).expires_at == NOW + 60
    assert both.sign("a", NOW) == SIGNER.sign("a", NOW)
    with pytest.raises(BadSignature):
        both.verify("b", query_of(retired.sign("a", NOW + 60)), NOW)


@given(st.text(max_size=40))
def test_garbage_is_refused_in_order(query: str) -> None:
    with pytest.raises((BadSignature, UnsignedUrl)):
        SIGNER.verify("a", query, NOW)


def test_items_are_as_the_contract_has_them() -> None:
    hls, mp4 = playback_items(recording(), (HLS, MP4), SIGNER, NOW + 900)
    assert hls.pop("url") == SIGNER.sign(HLS.key, NOW + 900, recording="0199")
    assert hls == {
        "kind": "hls",
        "part": 1,
        "contentType": "application/vnd.apple.mpegurl",
        "fileSize": 300,
        "duration": 45.0,
        "expiresAt": "2026-09-21T14:28:20.000Z",
    }
    assert (mp4["kind"], mp4["contentType"], mp4["fileSize"], mp4["duration"]) == ("mp4", "video/mp4", 5000, 45.02)


def test_each_part_has_one_playlist_and_all_its_mp4s_and_all_parts_have_one() -> None:
    moved = replace(HLS, key="r/x/bak0_sid_m-1.m3u8", duration_seconds=10.5)
    second = replace(HLS, key="r/x/tid_m-1.m3u8", part=2, file_size=200)
    more = replace(MP4, key="r/x/sid_m-1_1.mp4")
    items = playback_items(recording(), (moved, second, MP4, HLS, more), SIGNER, NOW + 60)
    assert [(i["kind"], i["part"], i["duration"]) for i in items] == [
        ("hls", 1, 55.5),
        ("mp4", 1, 45.02),
        ("mp4", 1, 45.02),
        ("hls", 2, 45.0),
        ("hls", None, 100.5),
    ]
    assert HLS.key in items[0]["url"]
    assert items[-1]["fileSize"] == 500
    grant = SIGNER.verify(HLS.key, query_of(items[-1]["url"]), NOW)
    assert grant.parameters == {"recording": "0199", "parts": "all"}


def test_one_part_needs_no_list_over_all() -> None:
    assert [i["part"] for i in playback_items(recording(), (HLS, MP4), SIGNER, NOW + 60)] == [1, 1]


def test_a_playlist_that_came_twice_is_as_long_as_the_longer_one() -> None:
    again = replace(HLS, key="r/x/sid_m-1_177_0.m3u8", duration_seconds=46.0)
    (item,) = playback_items(recording(), (HLS, again), SIGNER, NOW + 60)
    assert item["duration"] == 46.0


def test_the_main_file_is_an_mp4_that_opens_else_a_playlist() -> None:
    assert main_file(recording(HLS, MP4)) == MP4
    assert main_file(recording(HLS, BROKEN)) == HLS
    assert main_file(recording(BROKEN)) is None
    assert main_file(recording()) is None


@pytest.mark.parametrize(
    ("phase", "files", "code"),
    [
        (Phase.ACTIVE, (), "recording_not_ready"),
        (Phase.PROCESSING, (HLS,), "recording_not_ready"),
        (Phase.COMPLETED, (HLS,), "ready"),
        (Phase.COMPLETED, (BROKEN,), "no_media"),
        (Phase.FAILED, (), "no_media"),
        (Phase.ABORTED, (), "no_media"),
        (Phase.DELETING, (HLS,), "recording_deleted"),
        (Phase.DELETED, (), "recording_deleted"),
    ],
)
def test_what_is_to_be_had(phase: Phase, files: tuple[MediaFile, ...], code: str) -> None:
    assert availability(recording(*files, phase=phase)) == code
