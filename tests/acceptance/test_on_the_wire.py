"""What a caller asks for is what the provider is sent, field by field: at the start, and in every change afterwards."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.running import Client, RunningServer, serving
from tests.acceptance.scraped import scrape
from tests.listening import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
SMALL = {"width": 160, "height": 96, "fps": 7, "bitrate": 100}
CHANNEL = "a b!#$%&()+-:;<=.>?@[]^_{}|~," + "z" * 34


class World:
    """A server, and the simulator inside it as its control calls show it."""

    def __init__(self, server: RunningServer, host: Client, http: aiohttp.ClientSession, simulator: str) -> None:
        self.server, self.host = server, host
        self.http, self._simulator = http, f"{simulator}/_simulator"

    async def session(self, channel: str) -> Any:
        async with self.http.get(f"{self._simulator}/sessions", params={"cname": channel}) as response:
            (session,) = (await response.json())["items"]
            return session

    async def made(self, channel: str) -> Any:
        """How the channel's only recorder records now."""
        return (await self.session(channel))["recordingConfig"]

    async def put_faults(self, **rates: float) -> None:
        named = {name.replace("__", "."): rate for name, rate in rates.items()}
        async with self.http.put(f"{self._simulator}/faults", data=json.dumps(named)) as response:
            assert response.status == 200

    async def updates(self, channel: str) -> list[tuple[str, int]]:
        """The updates that came for its only recorder, oldest first, and how they were answered."""
        sid = (await self.session(channel))["sid"]
        async with self.http.get(f"{self._simulator}/requests?limit=1000") as response:
            items = (await response.json())["items"]
        of_session = [item for item in reversed(items) if f"/sid/{sid}/" in item["path"]]
        return [(item["call"], item["status"]) for item in of_session if item["call"].startswith("update")]

    async def patch(self, meeting: str, body: Any, **headers: str) -> Any:
        status, recording, _ = await self.host.call("PATCH", f"/api/v1/meetings/{meeting}/recording", body, headers)
        assert status == 200, recording
        return recording


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(http: aiohttp.ClientSession) -> AsyncIterator[World]:
    """Shared by the tests of the module, which use meetings of their own."""
    port = free_port()
    async with serving(TAPEDECK_SIMULATOR__PORT=str(port)) as server:
        yield World(server, Client(http, server), http, f"http://127.0.0.1:{port}")


def so_far(world: World, channel: str, **wanted: Any) -> Callable[[], Awaitable[bool]]:
    """Whether the recorder records with these settings among its own."""

    async def look() -> bool:
        config = await world.made(channel)
        found = {**config, **config.get("transcodingConfig", {})}
        return {name: found.get(name) for name in wanted} == wanted

    return look


async def test_a_start_reaches_the_provider_as_it_was_asked_for(world: World) -> None:
    await world.host.start("plain")
    session = await world.session("plain")
    assert session["recordingConfig"] == {"channelType": 0, "streamTypes": 0, "audioProfile": 0, "maxIdleTime": 300}
    assert session["recordingFileConfig"] == {"avFileType": ["hls", "mp4"]}

    meeting = "m" * 64
    started = await world.host.start(
        meeting,
        {
            "channelName": CHANNEL,
            "channelType": "live_broadcasting",
            "streams": "audio_video",
            "outputs": ["hls"],
            "video": SMALL,
            "layout": {"template": "vertical", "maxResolutionUid": "4294967295", "backgroundColor": "#a0B1c2"},
            "subscribe": {"audio": ["1", "2"]},
            "maxDuration": 82800,
            "maxIdleTime": 86400,
            "onBehalfOf": "alice",
        },
    )
    assert (len(CHANNEL), started["channelName"], started["startedBy"]) == (63, CHANNEL, "alice")
    session = await world.session(CHANNEL)
    assert (session["uid"], session["sid"]) == (started["recorderUids"][0], started["agoraRecordingId"])
    layout = {"mixedVideoLayout": 2, "maxResolutionUid": "4294967295", "backgroundColor": "#a0B1c2"}
    assert session["recordingConfig"] == {
        "channelType": 1,
        "streamTypes": 2,
        "audioProfile": 0,
        "maxIdleTime": 86400,
        "subscribeAudioUids": ["1", "2"],
        "subscribeVideoUids": ["#allstream#"],
        "transcodingConfig": {**SMALL, **layout},
    }
    assert session["recordingFileConfig"] == {"avFileType": ["hls"]}
    for each in ("plain", meeting):
        await world.host.stop(each)


async def test_a_change_reaches_the_provider_before_it_is_answered(world: World) -> None:
    started = await world.host.start("c-1", {"streams": "audio_video", "video": SMALL})
    await world.host.in_state(started["id"], "active")
    changed = await world.patch("c-1", {"layout": {"template": "floating"}, "subscribe": {"video": ["7"]}})
    config = await world.made("c-1")
    assert config["transcodingConfig"] == {**SMALL, "mixedVideoLayout": 0, "backgroundColor": "#000000"}
    assert (config["subscribeAudioUids"], config["subscribeVideoUids"]) == (["#allstream#"], ["7"])
    assert changed["subscribe"] == {"audio": "all", "video": ["7"]}
    assert await world.patch("c-1", {}) == changed
    assert await world.updates("c-1") == [("update", 200), ("updateLayout", 200)]

    _, history, _ = await world.host.call("GET", f"/api/v1/recordings/{started['id']}/history")
    told = [item["data"] for item in history["items"] if item["type"] == "recorder.updated"]
    assert [item["evidence"] for item in told] == ["the answer to update", "the answer to updateLayout"]
    scraped = await scrape(world.http, world.server)
    for call in ("AgoraUpdate", "AgoraUpdateLayout"):
        assert scraped("effects_total", call=call, outcome="Done") == 1
    await world.host.stop("c-1")


@pytest.mark.parametrize("fault", ["request_lost", "answer_lost", "http_429", "http_500", "code_65", "garbage"])
async def test_a_change_whose_answer_is_not_clear_is_sent_again(world: World, fault: str) -> None:
    meeting = fault
    started = await world.host.start(meeting, {"streams": "audio_video", "video": SMALL})
    await world.host.in_state(started["id"], "active")
    await world.put_faults(**{f"update__{fault}": 1, f"updateLayout__{fault}": 1})
    body = {"layout": {"template": "vertical"}, "subscribe": {"audio": ["7"]}}
    changed = await world.patch(meeting, body, Prefer="wait=0")
    assert (changed["subscribe"]["audio"], changed["state"]) == (["7"], "active")

    async def tried() -> bool:
        return bool(await world.updates(meeting))

    await eventually(tried)
    await world.put_faults()
    await eventually(so_far(world, meeting, mixedVideoLayout=2, subscribeAudioUids=["7"]), 30)
    await world.host.stop(meeting)


async def test_a_change_outlives_the_server(world: World) -> None:
    started = await world.host.start("c-2")
    await world.host.in_state(started["id"], "active")
    await world.put_faults(update__http_503=1)
    await world.patch("c-2", {"subscribe": {"audio": ["7"]}}, Prefer="wait=0")
    await world.server.kill()
    await world.server.start()
    await eventually(so_far(world, "c-2", subscribeAudioUids=["7"]), 30)
    recording = await world.host.recording(started["id"])
    assert (recording["state"], recording["subscribe"]) == ("active", {"audio": ["7"]})
    await world.host.stop("c-2")
