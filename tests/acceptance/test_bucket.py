"""A server with a bucket: the recorder writes into it, the server proves what is there, hands it out to play, and erases it."""

import json
from array import array
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import aiohttp
import yarl

from clients.storage.playlist import slice_time_ms
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store, open_store
from server.preflight.probe import FOLDER as PROBES
from tests.acceptance.running import Client, serving
from tests.fakes.buckets import SECRET_KEY, told_of
from tests.fakes.sound import RATE, samples_of, wrong_seconds
from tests.waiting import eventually


async def media_in(store: S3Store) -> dict[str, int]:
    """Sizes by key; what a preflight may just be trying out is no media."""
    return {each.key: each.size for each in await store.list("") if PROBES not in each.key}


async def test_a_recording_ends_complete_in_a_bucket_and_is_erased_from_it(strict_bucket: S3Settings) -> None:
    async with (
        serving(TAPEDECK_SIMULATOR__SLICE_SECONDS="1", **told_of(strict_bucket)) as server,
        aiohttp.ClientSession() as http,
        open_store(strict_bucket) as store,
    ):
        host = Client(http, server)
        _, ready, _ = await host.call("GET", "/readyz")
        assert (ready["mode"]["storage"], ready["checks"]["storage"]["ok"]) == ("s3", True)
        started = await host.start("m-1")
        await host.in_state(started["id"], "active", 40)
        await host.stop("m-1")
        ended = await host.in_state(started["id"], "completed")
        assert (ended["completeness"], ended["storageStatus"]) == ("complete", "stored"), ended
        found = await media_in(store)
        assert {file["key"] for file in ended["files"]} <= set(found)
        assert all(found[file["key"]] for file in ended["files"])
        assert ended["storageUrl"] == store.addresses.storage_url(ended["storageKey"])
        assert store.addresses.key_of(ended["storageUrl"]) == ended["storageKey"]
        assert list((server.data_dir / "media").rglob("*.*")) == []

        status, _, _ = await host.call("DELETE", f"/api/v1/recordings/{started['id']}")
        assert status == 204
        assert await media_in(store) == {}
        status, text = await host.fetch(server.url + "/metrics")
        assert b'tapedeck_storage_calls_total{call="list",outcome="done"}' in text
        assert b"tapedeck_storage_free_bytes NaN" in text
        assert SECRET_KEY not in server.log.read_text()


async def test_a_recording_plays_from_a_bucket_by_urls_alone(strict_bucket: S3Settings) -> None:
    """Also while it is made. Whoever has a URL needs no token; whoever changes one has nothing."""
    assert strict_bucket.endpoint_url is not None
    slice_seconds = {"TAPEDECK_SIMULATOR__SLICE_SECONDS": "1", "TAPEDECK_PLAYBACK__LOOK_SECONDS": "0.2"}
    async with serving(**slice_seconds, **told_of(strict_bucket)) as server, aiohttp.ClientSession() as http:
        host = Client(http, server)
        started = await host.start("m-1")
        path = f"/api/v1/recordings/{started['id']}/playback?expiresIn=600"

        async def plays() -> bool:
            return (await host.call("GET", path))[0] == 200

        assert await eventually(plays, 60)
        await host.stop("m-1")
        await host.in_state(started["id"], "completed", 40)
        _, told, _ = await host.call("GET", path)
        items = {item["kind"]: item for item in told["items"]}

        slices = await listed_slices(http, items["hls"]["url"])
        samples = array("f")
        for url in slices:
            samples += samples_of(await fetched(http, url, "video/mp2t"))
        began_ms = slice_time_ms(urlsplit(slices[0]).path)
        assert began_ms is not None
        assert len(samples) / RATE >= items["hls"]["duration"] - 0.1
        assert wrong_seconds(samples, began_ms) == []
        film = samples_of(await fetched(http, items["mp4"]["url"], "video/mp4"))
        assert wrong_seconds(film, began_ms) == []

        lasts = [int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0]) for url in slices]
        assert all(600 <= each <= 600 + items["hls"]["duration"] + 1 for each in lasts)
        for url in (*slices, items["mp4"]["url"]):
            assert url.startswith(strict_bucket.endpoint_url)
        for url in (items["hls"]["url"].replace("expires=", "expires=9"), slices[0].replace("Expires=6", "Expires=7"),
                    items["mp4"]["url"].replace("_0.mp4?", "_1.mp4?")):  # fmt: skip
            async with http.get(url) as answer:
                assert answer.status == 403
        _, text = await host.fetch(server.url + "/metrics")
        assert b'tapedeck_playback_urls_total{kind="mp4"} 1.0' in text
        minted = [line for line in server.log.read_text().splitlines() if "playback.minted" in line]
        assert started["id"] in minted[-1]


async def listed_slices(http: aiohttp.ClientSession, playlist: str) -> list[str]:
    lines = (await fetched(http, playlist, "application/vnd.apple.mpegurl")).decode().splitlines()
    assert lines[-1] == "#EXT-X-ENDLIST"
    return [line for line in lines if not line.startswith("#")]


async def fetched(http: aiohttp.ClientSession, url: str, content_type: str) -> bytes:
    """What a URL opens without a token."""
    async with http.get(yarl.URL(url, encoded=True)) as answer:
        assert (answer.status, answer.content_type) == (200, content_type)
        return await answer.read()


async def test_a_recorder_with_wrong_keys_is_told_of_before_it_records(strict_bucket: S3Settings) -> None:
    """The server's own keys are right."""
    keys = {"TAPEDECK_STORAGE__RECORDER_ACCESS_KEY": "nobody", "TAPEDECK_STORAGE__RECORDER_SECRET_KEY": "nothing"}
    async with serving(**told_of(strict_bucket), **keys) as server, aiohttp.ClientSession() as http:
        host = Client(http, server)
        status, problem, _ = await host.call("POST", "/api/v1/meetings/m-1/recording/start")
        assert (status, problem["code"]) == (503, "storage_unavailable")
        assert "the recorder's keys cannot write" in problem["detail"]
        assert "InvalidAccessKeyId" in problem["detail"]
        assert (await host.call("GET", "/api/v1/meetings/m-1/recordings"))[1]["total"] == 0


async def test_a_bucket_that_is_gone_makes_the_server_degraded(strict_bucket: S3Settings) -> None:
    gone = replace(strict_bucket, bucket="nobody-made-this-one")
    async with serving(**told_of(gone)) as server, aiohttp.ClientSession() as http:
        _, ready, _ = await Client(http, server).call("GET", "/readyz")
        assert ready["status"] == "degraded"
        assert "no bucket of that name" in json.dumps(ready["checks"]["storage"])
