"""What a client may not send on a WebSocket, and places in a stream that are not its own."""

import asyncio
import struct

import pytest

from actors.reading import FeedPosition
from server.streams.cursors import FeedCursor, MeetingCursor, encode_cursor
from tests.acceptance.running import Client, RunningServer, token_for
from tests.acceptance.wire import assert_quiet_log, connect, exchange, request
from tests.fakes.handshake import stream_request

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "/api/v1/meetings/ws/events"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PATIENCE_SECONDS = 20.0


def frame(kind: int, data: bytes, *, final: bool = True, reserved: int = 0, length: int | None = None) -> bytes:
    """A client's frame, masked with zeros, that may lie about its length."""
    size = len(data) if length is None else length
    head = bytes([final << 7 | reserved << 4 | kind])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 2**16:
        head += struct.pack(">BH", 0x80 | 126, size)
    else:
        head += struct.pack(">BQ", 0x80 | 127, size)
    return head + bytes(4) + data


CLOSED = {
    "one-megabyte": (frame(TEXT, b"x" * 2**20), 1009),
    "one-terabyte": (frame(TEXT, b"", length=2**40), 1009),
    "all-the-bits": (frame(BINARY, b"", length=2**63), 1009),
    "many-fragments": (frame(TEXT, b"a", final=False) + frame(0, b"b" * 100, final=False) * 100, 1009),
    "unknown-kind": (frame(3, b"a"), 1002),
    "reserved-bits": (frame(TEXT, b"a", reserved=4), 1002),
    "rest-of-nothing": (frame(0, b"a"), 1002),
    "long-ping": (frame(PING, b"a" * 126), 1002),
    "piece-of-a-ping": (frame(PING, b"a", final=False), 1002),
    "no-utf-8": (frame(TEXT, b"\xff"), 1007),
    "odd-close": (frame(CLOSE, b"\x03"), 1002),
    "close-with-no-code": (frame(CLOSE, struct.pack(">H", 5)), 1002),
    "close": (frame(CLOSE, struct.pack(">H", 1000)), 1000),
    "http": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1002),
}
OVERLOOKED = {
    "text": frame(TEXT, b"hello"),
    "binary": frame(BINARY, b"\0" * 100),
    "fragments": frame(TEXT, b"a", final=False) + frame(0, b"b"),
    "pong": frame(PONG, b"unasked"),
    "flood": frame(TEXT, b"x" * 1000) * 1000,
}


async def subscribe(server: RunningServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket that has had its snapshot."""
    reader, writer = await connect(server)
    writer.write(stream_request(EVENTS, token_for("u"), websocket=True))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    await reader.readuntil(b'"recording.snapshot"')
    return reader, writer


@pytest.mark.parametrize("name", CLOSED)
async def test_a_frame_that_ends_the_connection(server: RunningServer, name: str) -> None:
    sent, code = CLOSED[name]
    reader, writer = await subscribe(server)
    writer.write(sent)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await reader.readuntil(b"\x88\x02" + struct.pack(">H", code))
    writer.close()
    assert_quiet_log(server)


@pytest.mark.parametrize("name", OVERLOOKED)
async def test_a_frame_that_means_nothing_is_overlooked(server: RunningServer, name: str) -> None:
    reader, writer = await subscribe(server)
    writer.write(OVERLOOKED[name] + frame(PING, b"still there?"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await reader.readuntil(b"\x8a\x0cstill there?")
    writer.close()
    assert_quiet_log(server)


async def test_what_a_client_offers_stands_in_no_log(server: RunningServer) -> None:
    offer = "Sec-WebSocket-Protocol: bearer, a-token-in-a-protocol"
    reader, writer = await connect(server)
    writer.write(stream_request(EVENTS, token_for("u"), offer, websocket=True))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    writer.close()
    assert_quiet_log(server, "a-token-in-a-protocol")


def foreign_cursors() -> dict[str, str]:
    place = FeedPosition(1, "ws", 1)
    return {
        "another-meeting": encode_cursor(MeetingCursor("x", "another", 1)),
        "another-server": encode_cursor(MeetingCursor("x", "ws", 1)),
        "the-operators": encode_cursor(FeedCursor("x", place)),
        "beyond": encode_cursor(MeetingCursor("x", "ws", 2**31 - 1)),
        "nonsense": "nonsense",
        "long": "A" * 4000,
        "nul": "%00",
    }


@pytest.mark.parametrize("name", foreign_cursors())
async def test_a_place_in_another_stream_starts_anew(server: RunningServer, name: str) -> None:
    reader, writer = await connect(server)
    writer.write(request("GET", f"{EVENTS}?cursor={foreign_cursors()[name]}", token=token_for("u")))
    async with asyncio.timeout(PATIENCE_SECONDS):
        told = await reader.readuntil(b'"recording.snapshot"')
    writer.close()
    assert told.startswith(b"HTTP/1.1 200 ")
    assert b'"stream.reset"' in told


async def test_a_place_in_another_list_is_refused(host: Client, server: RunningServer) -> None:
    for meeting in ("list-1", "list-2"):
        for _ in range(2):
            await host.start(meeting)
            await host.stop(meeting)
    _, page, _ = await host.call("GET", "/api/v1/meetings/list-1/recordings?limit=1")
    cursor = page["nextCursor"]
    wrong = [f"/api/v1/meetings/list-2/recordings?cursor={cursor}"]
    wrong += [f"/api/v1/meetings/list-1/recordings?cursor={cursor[:n]}{cursor[n + 1 :]}" for n in range(len(cursor))]
    for target in wrong:
        answer = await exchange(server, request("GET", target, token=token_for("u")))
        assert (answer.status, answer.problem()["code"]) == (422, "validation_failed")
