"""A recording's whole life over HTTP is as the server's own document tells it, and keys outlive the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from server.documents.asyncapi import asyncapi
from server.openapi import document
from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, RunningServer
from tests.acceptance.test_streams import Listener, of_meeting, sse, websocket
from tests.unit.server.documented import assert_documented, complaints
from tests.unit.server.test_asyncapi import complaints as message_complaints

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Reader:
    """A client that holds every answer to the document."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        status, told, got = await self._client.call(method, f"/api/v1{path}", body, sent)
        assert_documented(method, f"/api/v1{path.partition('?')[0]}", status, told, got)
        return told


async def test_a_whole_life_is_as_documented(
    host: Client, operator: Client, http: aiohttp.ClientSession, server: RunningServer
) -> None:
    assert (await host.call("GET", "/openapi.json"))[1] == document()
    assert (await host.call("GET", "/asyncapi.json"))[1] == asyncapi(server.url)
    call, ask = Reader(host), Reader(operator)
    await call("POST", "/meetings/doc/recording/stop")
    async with events_of(host, operator, http, server, "doc") as (live_events, all_events):
        await _whole_life(call, ask, host)
        for listener in (live_events, all_events):
            await listener.until("doc", "recording.deleted")
    for event in live_events.events + all_events.events:
        assert not complaints(event, {"$ref": "#/components/schemas/Event"})
        assert not message_complaints(event["type"], event)
    assert {"recording.snapshot", "recording.completed", "stream.ready"} <= {
        event["type"] for event in live_events.events + all_events.events
    }


@asynccontextmanager
async def events_of(
    host: Client, operator: Client, http: aiohttp.ClientSession, server: RunningServer, meeting: str
) -> AsyncIterator[tuple[Listener, Listener]]:
    """A meeting's stream and the operators', both joined."""
    async with (
        sse(http, of_meeting(server, meeting), host.token) as one,
        websocket(http, f"{server.url}/api/v1/events", operator.token) as every,
    ):
        await one.joined()
        await every.joined()
        yield one, every


async def _whole_life(call: Reader, ask: Reader, host: Client) -> None:
    body = {
        "streams": "audio_video",
        "outputs": ["hls"],
        "metadata": {"a": 1},
        "externalId": "e",
        "onBehalfOf": "alice",
    }
    started = await call("POST", "/meetings/doc/recording/start", body, Idempotency_Key="k", Prefer="wait=20")
    one = f"/recordings/{started['id']}"
    await call("POST", "/meetings/doc/recording/start")
    await call("GET", f"{one}/playback")
    await call("DELETE", one)
    await host.in_state(started["id"], "active")
    await call("PATCH", "/meetings/doc/recording", {"layout": {"template": "vertical", "maxResolutionUid": "7"}})
    await call("PATCH", "/meetings/doc/recording", {"layout": {"maxResolutionUid": "0"}})
    live = await call("GET", "/meetings/doc/recording")
    assert (live["startedBy"], live["metadata"], live["externalId"]) == ("alice", {"a": 1}, "e")
    assert live["layout"] == {"template": "vertical", "maxResolutionUid": "7", "backgroundColor": "#000000"}
    await call("POST", "/meetings/doc/recording/stop", Prefer="respond-async")
    done = await host.in_state(started["id"], "completed")
    assert done["video"]["width"] == 1280
    for path in ("/meetings/doc/recordings?limit=1", f"{one}/history?limit=3", f"{one}/playback"):
        assert (await call("GET", path))["items"]
    assert (await ask("GET", "/recordings?meetingId=doc&state=completed"))["total"] == 1
    await ask("POST", f"{one}/stop")
    await call("DELETE", one)
    await call("GET", f"{one}/playback")
    assert (await call("GET", one))["status"] == "deleted"
    await call("POST", "/meetings/doc/end")


async def test_what_get_answers_head_answers_without_a_body(http: aiohttp.ClientSession, server: RunningServer) -> None:
    for path in ("/docs", "/openapi.json", "/healthz", "/errors/internal", "/errors/nonsense", "/api/v1/recordings"):
        async with http.get(server.url + path) as whole, http.head(server.url + path) as head:
            assert (head.status, head.headers["Content-Length"]) == (whole.status, whole.headers["Content-Length"])
            assert await head.read() == b""


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/errors", "/docs/", "/api/v1/meetings//recording"])
async def test_an_address_that_is_none_is_a_problem_with_all_members(
    path: str, http: aiohttp.ClientSession, server: RunningServer
) -> None:
    async with http.get(server.url + path, headers={"X-Request-ID": "mine"}) as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
        assert await response.json(content_type=None) == {
            "type": "/errors/not_found",
            "title": "There is no such thing here",
            "status": 404,
            "detail": "there is no such address",
            "code": "not_found",
            "requestId": "mine",
            "retryable": False,
        }


async def test_a_key_outlives_the_server(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh()
    client = Client(http, server)
    path = "/api/v1/meetings/key/recording/start"
    _, first, _ = await client.call("POST", path, {"maxDuration": 60}, {"Idempotency-Key": "k"})
    await server.kill()
    await server.start()
    status, again, headers = await client.call("POST", path, {"maxDuration": 60}, {"Idempotency-Key": "k"})
    assert (status, again["id"], headers["Idempotent-Replayed"]) == (201, first["id"], "true")
    status, problem, _ = await client.call("POST", path, {"maxDuration": 61}, {"Idempotency-Key": "k"})
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert (await client.call("POST", path, {"maxDuration": 60}, {"Idempotency-Key": "other"}))[0] == 409
