"""What a client sends over a WebSocket, in the right form or in none, harms nobody and changes nothing."""

import asyncio

import aiohttp
import pytest

from tests.fakes.audience import Node, SocketListener, World, eventually, serving
from tests.fakes.handshake import stream_request

MEETING = "/api/v1/meetings/m-1/events"
MASK = b"\0\0\0\0"
FRAMES = {
    "unmasked": b"\x81\x02hi",
    "not UTF-8": b"\x81\x82" + MASK + b"\xff\xfe",
    "in pieces": b"\x01\x82" + MASK + b"be" + b"\x80\x82" + MASK + b"gi",
    "pieces without an end": b"\x01\x82" + MASK + b"be" + (b"\x00\x82" + MASK + b"on") * 3000,
    "a piece of nothing": b"\x80\x82" + MASK + b"on",
    "longer than it may be": b"\x82\xff" + (2**40).to_bytes(8, "big") + MASK + b"x" * 5000,
    "of an unknown kind": b"\x83\x80" + MASK,
    "with reserved bits": b"\xf1\x80" + MASK,
    "a ping that is too long": b"\x89\xfe\x10\x00" + MASK + b"x" * 4096,
    "a close without sense": b"\x88\x82" + MASK + b"\x00\x01",
    "a close of one byte": b"\x88\x81" + MASK + b"\x03",
    "many pings": (b"\x89\x84" + MASK + b"ping") * 2000,
    "many of nothing": (b"\x81\x80" + MASK) * 2000,
    "no frames at all": b"GET / HTTP/1.1\r\n\r\n" * 100,
}


@pytest.mark.parametrize("frames", FRAMES.values(), ids=FRAMES.keys())
async def test_no_frame_harms_anybody(frames: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    async with serving(world) as node, SocketListener(node, MEETING, node.token()) as other:
        await other.until(lambda: len(other.events) == 1)
        reader, writer = await connected(node)
        writer.write(frames)
        await eventually(lambda: node.counts.open["websocket"] == 2)
        world.commit("m-1")
        await other.until(lambda: other.sequences == [1])
        writer.write_eof()
        async with asyncio.timeout(10):
            await drained(reader)
        writer.close()
        await eventually(lambda: node.counts.open["websocket"] == 1, node.hub.sweep)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err


async def drained(reader: asyncio.StreamReader) -> None:
    """Everything that the server still says, to the end of the connection, however it ends."""
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass


async def connected(node: Node) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(stream_request(MEETING, node.token(), websocket=True))
    async with asyncio.timeout(10):
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_a_stream_is_got_and_nothing_else(method: str) -> None:
    async with serving(World()) as node, aiohttp.ClientSession(node.url) as session:
        for headers in ({}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
            async with session.request(method, MEETING, headers=headers) as response:
                assert (response.status, response.headers["Allow"]) == (405, "GET")
