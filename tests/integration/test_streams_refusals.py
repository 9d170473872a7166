"""Who is not let in, how they are told on each transport, and what a client may send."""

import asyncio

import aiohttp
import pytest

from tests.fakes.audience import EventSource, Node, SocketListener, World, serving

MEETING = "/api/v1/meetings/m-1/events"
ALL = "/api/v1/events"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def by_sse(node: Node, path: str, headers: dict[str, str], query: str = "") -> tuple[int, str]:
    async with aiohttp.ClientSession(node.url) as session, session.get(path + query, headers=headers) as response:
        assert response.content_type == "application/problem+json"
        return response.status, (await response.json())["code"]


async def by_websocket(node: Node, path: str, headers: dict[str, str], query: str = "") -> tuple[int, str]:
    async with aiohttp.ClientSession(node.url) as session, session.ws_connect(path + query, headers=headers) as socket:
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        return message.data, message.extra


async def test_without_a_token() -> None:
    async with serving(World()) as node:
        for path in (MEETING, ALL):
            assert await by_sse(node, path, {}) == (401, "unauthenticated")
            assert await by_websocket(node, path, {}) == (4401, "unauthenticated")


async def test_without_a_role_or_scope() -> None:
    async with serving(World()) as node:
        headers = bearer(node.token(**{"m-2": "HOST"}))
        assert await by_sse(node, MEETING, headers) == (404, "not_found")
        assert await by_websocket(node, MEETING, headers) == (4403, "not_found")
        assert await by_sse(node, ALL, headers) == (403, "forbidden")
        assert await by_websocket(node, ALL, headers) == (4403, "forbidden")


BAD_QUERIES = """
    colour=red heartbeat=9 heartbeat=61 heartbeat=x heartbeat=%2B10 heartbeat=1_0 heartbeat=10.0 heartbeat= cursor=a&cursor=b
"""


@pytest.mark.parametrize("query", BAD_QUERIES.split())
async def test_a_query_that_is_not_allowed(query: str) -> None:
    async with serving(World()) as node:
        headers = bearer(node.token())
        assert await by_sse(node, MEETING, headers, f"?{query}") == (422, "validation_failed")
        assert await by_websocket(node, MEETING, headers, f"?{query}") == (4403, "validation_failed")
        assert node.counts.open == {"websocket": 0, "sse": 0}


@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        ("https://app.example", True),
        ("HTTPS://App.Example", True),
        ("own", True),
        ("https://evil.example", False),
        ("null", False),
        ("https://app.example.evil.example", False),
        ("http://[", False),
    ],
)
async def test_the_origin_of_a_websocket(origin: str, taken: bool) -> None:
    async with serving(World()) as node:
        headers = {**bearer(node.token()), "Origin": node.url if origin == "own" else origin}
        if not taken:
            assert await by_websocket(node, MEETING, headers) == (4403, "forbidden")
            return
        async with aiohttp.ClientSession(node.url) as session, session.ws_connect(MEETING, headers=headers) as socket:
            assert (await socket.receive_json())["type"] == "recording.snapshot"


async def test_what_the_limits_refuse() -> None:
    async with serving(World()) as node:
        long = {**bearer(node.token()), "X-Long": "x" * 9000}
        assert await by_sse(node, MEETING, long) == (431, "headers_too_large")
        assert await by_websocket(node, MEETING, long) == (4403, "headers_too_large")
        query = f"?access_token={'x' * 8192}"
        assert await by_sse(node, MEETING, {}, query) == (414, "uri_too_long")
        assert await by_websocket(node, MEETING, {}, query) == (4403, "uri_too_long")


async def test_a_meeting_id_that_is_none() -> None:
    async with serving(World()) as node:
        path, headers = "/api/v1/meetings/a%20b/events", bearer(node.token())
        assert await by_sse(node, path, headers) == (422, "validation_failed")
        assert await by_websocket(node, path, headers) == (4403, "validation_failed")


async def test_a_long_token_in_the_query() -> None:
    async with serving(World()) as node:
        token = node.token(**{f"meeting-{number}": "HOST" for number in range(60)}, **{"m-1": "HOST"})
        assert len(token) > 1024
        query = f"?access_token={token}"
        async with aiohttp.ClientSession(node.url) as session:
            async with session.ws_connect(MEETING + query) as socket:
                assert (await socket.receive_json())["type"] == "recording.snapshot"
            async with session.get(MEETING + query) as response:
                assert response.status == 200


async def test_the_headers_of_an_event_stream() -> None:
    async with serving(World()) as node, EventSource(node, MEETING, node.token()) as source:
        await source.until(lambda: len(source.events) == 1)
        headers = source.response.headers
        assert headers["Content-Type"] == "text/event-stream"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Accel-Buffering"] == "no"
        assert source.raw.startswith(b"retry: ")
        assert b"event:" not in source.raw


async def test_an_event_stream_over_http_1_0_is_not_chunked() -> None:
    world = World()
    async with serving(world) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        request = f"GET {MEETING} HTTP/1.0\r\nHost: h\r\nAuthorization: Bearer {node.token()}\r\n\r\n"
        writer.write(request.encode())
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"chunked" not in head
            assert (await reader.readline()).startswith(b"retry: ")
            await reader.readline()
            assert (await reader.readline()).startswith(b"id: ")
            assert b"snapshot" in await reader.readline()
            await node.hub.close(1.0)
            assert (await reader.read()).strip().startswith(b"retry: ")
        writer.close()
        await writer.wait_closed()


async def test_what_a_client_sends_is_overlooked() -> None:
    world = World()
    async with serving(world) as node, SocketListener(node, MEETING, node.token()) as listener:
        await listener.until(lambda: len(listener.events) == 1)
        await listener.socket.send_str('{"type":"start"}')
        await listener.socket.send_bytes(b"\0" * 1000)
        await listener.socket.pong(b"unasked")
        world.commit("m-1")
        await listener.until(lambda: listener.sequences == [1])


async def test_pings_of_a_client_are_answered() -> None:
    async with serving(World()) as node, aiohttp.ClientSession(node.url) as session:
        headers = bearer(node.token())
        async with session.ws_connect(MEETING, headers=headers, autoping=False) as socket:
            await socket.receive()
            await socket.ping(b"are you there")
            answer = await socket.receive()
            assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"are you there")


async def test_a_frame_that_is_too_long_ends_the_connection_and_no_other() -> None:
    world = World()
    async with serving(world) as node:
        token = node.token()
        async with SocketListener(node, MEETING, token) as loud, SocketListener(node, MEETING, token) as other:
            await loud.until(lambda: len(loud.events) == 1)
            await other.until(lambda: len(other.events) == 1)
            await loud.socket.send_str("x" * 5000)
            await loud.until(lambda: loud.close_code == 1009)
            world.commit("m-1")
            await other.until(lambda: other.sequences == [1])


async def test_an_upgrade_that_is_no_websocket_handshake() -> None:
    async with serving(World()) as node, aiohttp.ClientSession(node.url) as session:
        headers = {**bearer(node.token()), "Upgrade": "websocket"}
        async with session.get(MEETING, headers=headers) as response:
            assert response.status == 400
        assert node.counts.open == {"websocket": 0, "sse": 0}
