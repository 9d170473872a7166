"""Where servers of tests listen: on 127.0.0.1, on ports that are free."""

import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


def free_port() -> int:
    """A port that was free a moment ago, for who has to know it beforehand or to keep it over a restart."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PortBlock:
    """Ports that are one's own until `close`, for a server that opens many: nobody else's tests take them, and no connection.

    They lie below those that systems hand out. Whoever holds the first port of a block owns the rest, and those `OFFSET` above.
    """

    FIRST, LAST, SIZE, OFFSET = 12_000, 22_000, 8, 10_000

    def __init__(self) -> None:
        begins = list(range(self.FIRST, self.LAST, self.SIZE))
        random.shuffle(begins)
        for begin in begins:
            owned = range(begin + 1, begin + self.SIZE)
            try:
                self._guard = _held(begin)
                for port in (*owned, *(port + self.OFFSET for port in owned)):
                    _held(port).close()
            except OSError:
                continue
            self.ports = owned
            return
        raise OSError("no block of ports is free")

    def close(self) -> None:
        self._guard.close()


def _held(port: int) -> socket.socket:
    held = socket.socket()
    try:
        held.bind(("127.0.0.1", port))
    except OSError:
        held.close()
        raise
    return held


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str]:
    """The address of the application, without a slash at its end, until the end of the block."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
