"""Events as subscribers get them from a real server: three streams at once, and across a restart."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, RunningServer, token_for
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLE_WAY = [f"recording.{word}" for word in ("starting", "active", "stopping", "processing", "completed")]


class Listener:
    """Collects the events of one stream."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.ids: list[str] = []

    def types(self, meeting: str) -> list[str]:
        return [event["type"] for event in self.events if event.get("source") == f"/meetings/{meeting}"]

    async def until(self, meeting: str, last: str) -> None:
        async def look() -> bool:
            return last in self.types(meeting)

        await eventually(look)

    async def joined(self) -> None:
        async def look() -> bool:
            return bool(self.events)

        await eventually(look)


@asynccontextmanager
async def sse(http: aiohttp.ClientSession, url: str, token: str, last_id: str | None = None) -> AsyncIterator[Listener]:
    listener = Listener()
    headers = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": last_id} if last_id else {})}
    async with http.get(url, headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"

        async def read() -> None:
            async for line in response.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    listener.ids.append(value)
                elif name == "data":
                    listener.events.append(json.loads(value))

        task = asyncio.create_task(read())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def websocket(http: aiohttp.ClientSession, url: str, token: str) -> AsyncIterator[Listener]:
    listener = Listener()
    async with http.ws_connect(f"{url}?access_token={token}") as socket:

        async def read() -> None:
            async for message in socket:
                listener.events.append(json.loads(message.data))

        task = asyncio.create_task(read())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def of_meeting(server: RunningServer, meeting: str) -> str:
    return f"{server.url}/api/v1/meetings/{meeting}/events"


async def test_three_streams_tell_the_same_in_the_same_order(
    http: aiohttp.ClientSession, server: RunningServer, host: Client, operator: Client
) -> None:
    async with (
        sse(http, of_meeting(server, "s-1"), host.token) as first,
        websocket(http, of_meeting(server, "s-1"), host.token) as second,
        sse(http, f"{server.url}/api/v1/events", operator.token) as third,
    ):
        for listener in (first, second, third):
            await listener.joined()
        started = await host.start("s-1", {"metadata": {"private": True}})
        await host.in_state(started["id"], "active")
        await host.stop("s-1")
        for listener in (first, second, third):
            await listener.until("s-1", "recording.completed")
    assert first.types("s-1") == second.types("s-1") == ["recording.snapshot", *WHOLE_WAY]
    assert third.types("s-1") == WHOLE_WAY
    assert [event["sequence"] for event in first.events] == [0, 1, 2, 3, 4, 5]
    assert first.events[1:] == second.events[1:]
    assert all("metadata" not in event["data"]["recording"] for event in first.events[1:])
    private = [event for event in third.events if event.get("source") == "/meetings/s-1"]
    assert all(event["data"]["recording"]["metadata"] == {"private": True} for event in private)
    live = [event["data"]["live"] and event["data"]["live"]["state"] for event in first.events]
    assert live == [None, "starting", "active", "stopping", None, None]


async def test_a_stream_resumes_across_a_restart_without_gap_or_repetition(
    fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    server = await fresh()
    host = Client(http, server)
    async with sse(http, of_meeting(server, "r"), host.token) as before:
        await before.joined()
        started = await host.start("r")
        await before.until("r", "recording.active")
    everything = token_for("op", operator=True)
    async with sse(http, f"{server.url}/api/v1/events", everything) as all_before:
        await all_before.joined()
    await server.kill()
    await server.start()
    await host.in_state(started["id"], "active")
    await host.stop("r")
    async with (
        sse(http, of_meeting(server, "r"), host.token, before.ids[-1]) as after,
        sse(http, f"{server.url}/api/v1/events", everything, all_before.ids[-1]) as all_after,
    ):
        await after.until("r", "recording.completed")
        await all_after.until("r", "recording.completed")
    assert after.types("r") == WHOLE_WAY[2:]
    assert [event["sequence"] for event in after.events] == [3, 4, 5]


async def test_a_cursor_of_another_meeting_is_answered_with_a_reset(
    http: aiohttp.ClientSession, server: RunningServer, host: Client
) -> None:
    async with sse(http, of_meeting(server, "s-2"), host.token) as stranger:
        await stranger.joined()
    async with sse(http, of_meeting(server, "s-3"), host.token, stranger.ids[-1]) as reset:
        await eventually(lambda: _count(reset, 2))
    assert [event["type"] for event in reset.events] == ["stream.reset", "recording.snapshot"]
    assert len(reset.ids) == 2


async def _count(listener: Listener, count: int) -> bool:
    return len(listener.events) >= count


async def test_a_refused_stream_says_why(http: aiohttp.ClientSession, server: RunningServer) -> None:
    async with http.get(of_meeting(server, "s-4")) as response:
        assert response.status == 401
        assert (await response.json(content_type=None))["code"] == "unauthenticated"
    async with http.ws_connect(of_meeting(server, "s-4")) as socket:
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4401
