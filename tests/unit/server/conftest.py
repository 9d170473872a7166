"""A small application behind the real middlewares, on a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from server.auth import Authenticator, mint_token
from server.middleware import install, runner_options
from server.policy import AUTHENTICATOR
from server.settings import HttpSettings

SECRET = "the-only-secret-of-thirty-two-bytes!"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder and an environment of the test's own, for commands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"TAPEDECK_DATA_DIR": str(tmp_path / "data")})


@dataclass
class Edge:
    """The running application: its port, its metrics, and a client that speaks to it."""

    port: int
    registry: CollectorRegistry
    client: aiohttp.ClientSession = field(repr=False)

    async def raw(self, request: bytes, until: bytes | None = None) -> bytes:
        """The answer to bytes that no client library would send: all of it, or up to and with some bytes of it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            async with asyncio.timeout(10):
                return await (reader.readuntil(until) if until else reader.read())
        finally:
            writer.close()
            await writer.wait_closed()


def bearer(meetings: dict[str, str] | None = None, *, operator: bool = False) -> dict[str, str]:
    token = mint_token(SECRET, sub="user-1", meetings=meetings or {}, operator=operator)
    return {"Authorization": f"Bearer {token}"}


Serve = Callable[..., Awaitable[Edge]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts an application whose routes a function adds; everything ends with the test."""
    endings: list[Callable[[], Awaitable[None]]] = []

    async def start(add_routes: Callable[[web.Application], None], **settings: object) -> Edge:
        app, registry = web.Application(), CollectorRegistry()
        app[AUTHENTICATOR] = Authenticator([SECRET], leeway_seconds=30, cache_max=100)
        http = HttpSettings(**settings)  # type: ignore[arg-type]
        install(app, http, registry)
        add_routes(app)
        runner = web.AppRunner(app, shutdown_timeout=0.1, **runner_options(http))
        endings.append(runner.cleanup)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        client = aiohttp.ClientSession(f"http://127.0.0.1:{port}")
        endings.append(client.close)
        return Edge(port, registry, client)

    yield start
    for end in reversed(endings):
        await end()
