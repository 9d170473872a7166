"""Subscribers that stop reading, and how much a node still has to send."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fakes.audience import PATIENCE_SECONDS, Node
from tests.fakes.handshake import stream_request


@asynccontextmanager
async def stalled(node: Node, path: str, *, websocket: bool) -> AsyncIterator[socket.socket]:
    """A connection with a small receive buffer of which nothing is read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", node.port))
    await loop.sock_sendall(connection, stream_request(path, node.token(), websocket=websocket))
    try:
        yield connection
    finally:
        connection.close()


async def read_all(connection: socket.socket) -> bytes:
    """What is still there, up to the end of the connection."""
    loop, got = asyncio.get_running_loop(), bytearray()
    async with asyncio.timeout(PATIENCE_SECONDS):
        try:
            while data := await loop.sock_recv(connection, 65536):
                got += data
        except ConnectionError:
            pass
    return bytes(got)


def unsent(node: Node) -> list[int]:
    """How many bytes wait for each subscriber."""
    return [subscriber.unsent_bytes for subscriber in node.hub._subscribers]


def live_count(node: Node) -> int:
    """How many follow the meeting live."""
    return sum(len(channel.live) for channel in node.hub._meetings.values())
