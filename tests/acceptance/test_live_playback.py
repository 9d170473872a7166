"""A recording plays while it is made, by the same URL as when it is over."""

from array import array
from typing import Any

import aiohttp
import pytest

from clients.storage.playlist import slice_time_ms
from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, token_for
from tests.fakes.sound import RATE, samples_of, wrong_seconds
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_there_of_a_live_recording_plays(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh(TAPEDECK_SIMULATOR__SLICE_SECONDS="1", TAPEDECK_PLAYBACK__LOOK_SECONDS="0.2")
    host, guest = Client(http, server), Client(http, server, token_for("guest", "PARTICIPANT", "way"))
    started = await host.start("way", {"externalId": "lesson 1"})
    path = f"/api/v1/recordings/{started['id']}/playback"

    async def playing(seconds: float) -> Any:
        async def look() -> Any:
            status, told, headers = await guest.call("GET", path)
            if status == 200:
                (item,) = told["items"]
                return item if item["duration"] >= seconds else None
            assert (status, told["code"]) == (409, "recording_not_ready")
            assert headers["Retry-After"]
            return None

        return await eventually(look, 30)

    first = await playing(1)
    assert (first["kind"], first["part"]) == ("hls", 1)
    longer = await playing(first["duration"] + 1)
    listed = await listed_by(host, longer["url"])
    assert "#EXT-X-ENDLIST" not in listed
    slices = listed_slices(listed)
    samples = array("f")
    for url in slices:
        samples += samples_of((await host.fetch(url))[1])
    assert len(samples) / RATE >= longer["duration"] - 0.1
    began_ms = slice_time_ms(slices[0].partition("?")[0])
    assert began_ms is not None
    assert wrong_seconds(samples, began_ms) == []

    query = "include=playback&externalId=lesson%201&completeness=unknown&from=2026-01-01T00:00:00%2B02:00"
    _, page, _ = await host.call("GET", f"/api/v1/meetings/way/recordings?{query}")
    assert page["items"][0]["playback"]["items"][0]["kind"] == "hls"
    _, page, _ = await host.call("GET", "/api/v1/meetings/way/recordings?overdue=true")
    assert page["items"] == []

    ended = await host.stop("way")
    assert ended["state"] == "completed"

    async def closed() -> bool:
        return (await listed_by(host, longer["url"]))[-1] == "#EXT-X-ENDLIST"

    await eventually(closed)
    _, whole, _ = await guest.call("GET", path)
    assert {item["kind"] for item in whole["items"]} == {"hls", "mp4"}


async def listed_by(client: Client, url: str) -> list[str]:
    status, text = await client.fetch(url)
    assert status == 200
    return text.decode().splitlines()


def listed_slices(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("#")]
