"""Recordings are played over HTTP through signed URLs, as a player does it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from aiohttp import ClientSession, web
from botocore.credentials import ReadOnlyCredentials
from prometheus_client import CollectorRegistry
from yarl import URL

from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import MediaFile, Phase, Recording, RecordingSpec, Want
from actors.ports import JournalUnavailable, StorageDenied, StorageUnavailable
from clients.storage.local import LocalStore
from clients.storage.s3.addresses import Addresses
from clients.storage.s3.signing import ObjectSigner
from clients.storage.shelf import Shelf
from server.bucket import BucketSigner
from server.middleware import install
from server.playback import Signer, UrlSigner, playback_items
from server.policy import assert_all_routes_have_policies
from server.routes.media import MediaRoutes
from server.settings import HttpSettings
from tests.fakes.media import SID, START_MS, decoded_seconds, encode, media_in, playlist, slice_name

LIST = f"r/x1/{SID}_m-1.m3u8"
MP4 = f"r/x1/{SID}_m-1_0.mp4"
SECONDS = 47 * 1024 / 48_000
NAMES = [slice_name(START_MS + number * 1003) for number in range(3)]
NOW = START_MS // 1000 + 10


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now_ms(self) -> int:
        return self.at * 1000


class Records:
    def __init__(self) -> None:
        self.row: Recording | None = Recording(
            recording_id=RecordingId("0199"),
            meeting_id=MeetingId("m-1"),
            spec=RecordingSpec(channel_name="m-1"),
            prefix=("r", "x1"),
            phase=Phase.COMPLETED,
            want=Want.STOP,
            created_at_ms=START_MS,
            updated_at_ms=START_MS,
            started_by="u",
            files=(MediaFile("hls", LIST, 100, 3 * SECONDS, 1, True), MediaFile("mp4", MP4, 100, 3 * SECONDS, 1, True)),
        )
        self.down = False

    async def recording(self, recording_id: RecordingId) -> Recording | None:
        if self.down:
            raise JournalUnavailable
        return self.row if recording_id == "0199" else None


class Elsewhere:
    """Urls: slices are opened by another server, if there are keys to it."""

    def __init__(self, own: UrlSigner) -> None:
        self.now: Signer = own
        self.trouble: Exception | None = None

    async def signer(self) -> Signer:
        if self.trouble is not None:
            raise self.trouble
        return self.now


@dataclass
class Site:
    store: LocalStore
    records: Records
    clock: Clock
    signer: UrlSigner
    urls_of: Elsewhere
    http: ClientSession

    def urls(self) -> dict[str, str]:
        assert self.records.row is not None
        items = playback_items(self.records.row, self.records.row.files, self.signer, NOW + 60)
        return {item["kind"]: item["url"] for item in items}

    async def lines(self) -> list[str]:
        async with self.http.get(self.urls()["hls"]) as answer:
            assert answer.status == 200
            return (await answer.text()).splitlines()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server with a recording of three seconds behind it."""
    store, records, clock = LocalStore(tmp_path / "media"), Records(), Clock()
    for number, name in enumerate(NAMES):
        await store.put_file(f"r/x1/{name}", encode(tmp_path / name, 47, first_frame=47 * number))
    await store.put_file(MP4, encode(tmp_path / "whole.mp4", 141))
    await store.put(LIST, playlist([(name, SECONDS) for name in NAMES], ended=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        signer = UrlSigner(b"k" * 32, f"http://127.0.0.1:{listener.getsockname()[1]}")
        urls, app = Elsewhere(signer), web.Application()
        install(app, HttpSettings(cors_origins=("https://app.example.com",)), CollectorRegistry())
        MediaRoutes(store, Shelf(store, look_seconds=0, looks_max=8), records, signer, urls, clock).add_to(app)
        assert_all_routes_have_policies(app)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        async with ClientSession() as http:
            yield Site(store, records, clock, signer, urls, http)
        await runner.cleanup()


@pytest.mark.parametrize("kind", ["hls", "mp4"])
async def test_a_player_plays_the_whole_recording(site: Site, kind: str) -> None:
    seconds = await asyncio.to_thread(decoded_seconds, site.urls()[kind])
    assert seconds == pytest.approx(3 * SECONDS, abs=0.1)


async def test_a_playlist_is_plain_and_signs_each_slice(site: Site) -> None:
    lines = await site.lines()
    assert lines[-1] == "#EXT-X-ENDLIST"
    assert lines.count("#EXTINF:1.002667,") == 3
    slices = [line for line in lines if not line.startswith("#")]
    assert [url.partition("?")[0] for url in slices] == [site.signer.storage_url(f"r/x1/{name}") for name in NAMES]
    for url, name in zip(slices, NAMES, strict=True):
        async with site.http.get(url) as answer:
            assert (answer.status, answer.content_type) == (200, "video/mp2t")
            assert await answer.read() == await site.store.get(f"r/x1/{name}")


async def test_slices_outlive_their_playlist_by_its_duration(site: Site) -> None:
    slices = [line for line in await site.lines() if not line.startswith("#")]
    site.clock.at = NOW + 60
    async with site.http.get(site.urls()["hls"]) as answer:
        assert answer.status == 403
    site.clock.at = NOW + 60 + 3  # the recording lasts a little more
    async with site.http.get(slices[2]) as answer:
        assert answer.status == 200
    site.clock.at = NOW + 60 + 4
    async with site.http.get(slices[2]) as answer:
        assert answer.status == 403


async def test_slices_in_a_bucket_are_opened_there_for_as_long(site: Site) -> None:
    addresses = Addresses("bucket", "https://s3.eu-west-1.amazonaws.com")
    objects = ObjectSigner(addresses, "eu-west-1", ReadOnlyCredentials("key", "secret", None))
    site.urls_of.now = BucketSigner(site.signer, objects, NOW)
    slices = [URL(line, encoded=True) for line in await site.lines() if not line.startswith("#")]
    assert [str(url.with_query(None)) for url in slices] == [addresses.storage_url(f"r/x1/{name}") for name in NAMES]
    for url in slices:  # a minute, and three seconds and a little more
        assert (url.query["X-Amz-Expires"], url.query["response-content-type"]) == ("64", "video/mp2t")


@pytest.mark.parametrize("trouble", [StorageDenied("no keys"), StorageUnavailable("no keys")])
async def test_a_list_whose_slices_cannot_be_signed_is_told_of(site: Site, trouble: Exception) -> None:
    site.urls_of.trouble = trouble
    async with site.http.get(site.urls()["hls"]) as answer:
        assert (answer.status, (await answer.json())["code"]) == (503, "storage_unavailable")
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("ended", [True, False])
async def test_the_list_of_a_recording_is_closed_when_it_is_over(site: Site, ended: bool) -> None:
    assert site.records.row is not None
    await site.store.put(LIST, playlist([(name, SECONDS) for name in NAMES], ended=ended))
    for phase in (Phase.ACTIVE, Phase.PROCESSING):
        site.records.row = replace(site.records.row, phase=phase)
        assert "#EXT-X-ENDLIST" not in await site.lines()
    for phase in (Phase.COMPLETED, Phase.FAILED):
        site.records.row = replace(site.records.row, phase=phase)
        assert (await site.lines())[-1] == "#EXT-X-ENDLIST"


@pytest.mark.parametrize("ended", [True, False])
async def test_all_parts_play_as_one_also_when_the_first_recorder_died(site: Site, tmp_path: Path, ended: bool) -> None:
    assert site.records.row is not None
    await site.store.put(LIST, playlist([(name, SECONDS) for name in NAMES], ended=ended))
    name = slice_name(START_MS + 9000, "0" * 32)
    other = f"r/x1/{'0' * 32}_m-1.m3u8"
    await site.store.put_file(f"r/x1/{name}", encode(tmp_path / name, 47))
    await site.store.put(other, playlist([(name, SECONDS)]))
    files = (*site.records.row.files, MediaFile("hls", other, 100, SECONDS, 2, True))
    site.records.row = replace(site.records.row, files=files)
    items = playback_items(site.records.row, files, site.signer, NOW + 60)
    (whole,) = (item for item in items if item["part"] is None)
    assert await asyncio.to_thread(decoded_seconds, whole["url"]) == pytest.approx(4 * SECONDS, abs=0.1)
    assert whole["duration"] == pytest.approx(4 * SECONDS, abs=0.001)
    one_part = whole["url"].replace("parts=all", "parts=one")
    async with site.http.get(one_part) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("ended", [True, False])
async def test_a_list_tells_itself_whether_it_is_closed_where_nobody_knows(site: Site, ended: bool) -> None:
    await site.store.put(LIST, playlist([(name, SECONDS) for name in NAMES], ended=ended))
    url = site.urls()["hls"]
    site.records.down = True
    for _ in range(2):
        async with site.http.get(url) as answer:
            lines = (await answer.text()).splitlines()
        assert len([line for line in lines if not line.startswith("#")]) == 3
        assert ("#EXT-X-ENDLIST" in lines) is ended
        site.records.down, site.records.row = False, None


async def test_a_deleted_recording_is_gone(site: Site) -> None:
    urls = site.urls()
    assert site.records.row is not None
    site.records.row = replace(site.records.row, phase=Phase.DELETED)
    await media_in(site.store).erase(("r", "x1"))
    for kind, status, code in (("hls", 410, "recording_deleted"), ("mp4", 404, "not_found")):
        async with site.http.get(urls[kind]) as answer:
            assert (answer.status, (await answer.json())["code"]) == (status, code)


async def test_an_mp4_is_served_by_ranges(site: Site) -> None:
    url, data = site.urls()["mp4"], await site.store.get(MP4)
    async with site.http.head(url) as answer:
        assert (answer.status, answer.content_length, answer.content_type) == (200, len(data), "video/mp4")
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Cache-Control"] == "private, max-age=60"
    async with site.http.get(url, headers={"Range": "bytes=100-199"}) as answer:
        assert (answer.status, await answer.read()) == (206, data[100:200])
        assert answer.headers["Content-Range"] == f"bytes 100-199/{len(data)}"
    async with site.http.get(url, headers={"Range": "bytes=-50"}) as answer:
        assert (answer.status, await answer.read()) == (206, data[-50:])
    for beyond in (f"bytes={len(data)}-", "bytes=9-1", "bytes=x-y"):
        async with site.http.get(url, headers={"Range": beyond}) as answer:
            assert answer.status == 416
    async with site.http.get(url, headers={"Range": "seconds=1-2"}) as answer:
        assert (answer.status, await answer.read()) == (200, data)
    async with site.http.get(site.signer.storage_url(MP4), headers={"Range": "seconds=1-2"}) as answer:
        assert (await answer.json())["requestId"] == answer.headers["X-Request-ID"]


async def test_the_head_of_a_playlist_is_that_of_the_list(site: Site) -> None:
    url = site.urls()["hls"]
    async with site.http.get(url) as whole, site.http.head(url) as head:
        assert (head.status, await head.read()) == (200, b"")
        for name in ("Content-Type", "Content-Length", "Cache-Control"):
            assert head.headers[name] == whole.headers[name]


async def test_pages_of_other_origins_may_play(site: Site) -> None:
    for url in site.urls().values():
        async with site.http.get(url, headers={"Origin": "https://app.example.com"}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        async with site.http.get(url, headers={"Origin": "https://evil.example.com"}) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_the_log_tells_what_a_range_was_answered_with(site: Site) -> None:
    ranges = ("bytes=0-0", "nonsense", "", "bytes=9999999-", "bytes=" + "9" * 5000 + "-")
    with structlog.testing.capture_logs() as logs:
        for wanted in ranges:
            async with site.http.get(site.urls()["mp4"], headers={"Range": wanted}) as answer:
                await answer.read()
    assert [line["status"] for line in logs] == [206, 200, 200, 416, 416]
    assert "signature" not in str(logs)


async def test_without_a_signature_the_answer_says_what_to_call(site: Site) -> None:
    for url in (site.signer.storage_url(MP4), site.signer.storage_url(LIST) + "?expires=9999999999"):
        async with site.http.get(url) as answer:
            problem = await answer.json(content_type="application/problem+json")
            assert (answer.status, problem["code"]) == (403, "forbidden")
            assert "/api/v1/recordings/{id}/playback" in problem["detail"]


async def test_an_altered_or_expired_url_says_what_to_call(site: Site) -> None:
    for kind, url in site.urls().items():
        altered = url.replace("expires=", "expires=9")
        for changed, why in ((altered, "does not fit"), (url[:-1], "does not fit"), (f"{url}&x=1", "does not fit")):
            async with site.http.get(changed) as answer:
                problem = await answer.json(content_type="application/problem+json")
                assert (answer.status, problem["code"]) == (403, "forbidden"), kind
                assert why in problem["detail"]
                assert "/playback" in problem["detail"]
        site.clock.at = NOW + 60
        async with site.http.get(url) as answer:
            assert "has expired" in (await answer.json(content_type="application/problem+json"))["detail"]
        site.clock.at = NOW


async def test_a_signature_opens_only_its_own_object(site: Site) -> None:
    query = site.urls()["mp4"].partition("?")[2]
    for key in (LIST, "r/x1/absent.mp4", "r/x1/../x1/whole.mp4", "..%2F..%2Fetc/passwd", "%00"):
        async with site.http.get(f"{site.signer.storage_url('')}{key}?{query}") as answer:
            assert answer.status == 403


async def test_even_a_signed_key_does_not_leave_the_folder(site: Site, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (tmp_path / "media" / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (tmp_path / "media" / ".aside" / "half.mp4").write_bytes(b"half")
    for key in ("../secret.mp4", "r/../../secret.mp4", "link.mp4", ".aside/half.mp4", "r/x1", "r//x1", "a\0.mp4"):
        query = site.signer.sign(key, NOW + 60).partition("?")[2]
        url = URL(f"{site.signer.storage_url('')}{quote(key, safe='')}?{query}", encoded=True)
        async with site.http.get(url) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "not_found")


async def test_a_store_that_does_not_answer_is_told(site: Site, tmp_path: Path) -> None:
    (tmp_path / "media").rename(tmp_path / "unmounted")
    async with site.http.get(site.urls()["hls"]) as answer:
        assert (answer.status, (await answer.json())["code"]) == (503, "storage_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
