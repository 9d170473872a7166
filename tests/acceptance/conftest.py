"""Servers for acceptance tests: one that a module shares, and fresh ones for tests that kill them."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest_asyncio

from tests.acceptance.running import Client, RunningServer, token_for


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: object) -> AsyncIterator[RunningServer]:
    """Shared by the tests of a module, which use meetings of their own."""
    with tempfile.TemporaryDirectory(prefix="tapedeck-acceptance-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        running = await RunningServer(Path(folder) / "data").start()
        yield running
        await running.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(http: aiohttp.ClientSession, server: RunningServer) -> Client:
    return Client(http, server)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(http: aiohttp.ClientSession, server: RunningServer) -> Client:
    return Client(http, server, token_for("operator-1", meeting="nowhere", operator=True))


Fresh = Callable[..., Awaitable[RunningServer]]


@pytest_asyncio.fixture(loop_scope="module")
async def fresh() -> AsyncIterator[Fresh]:
    """Makes servers that the test may kill; what is left of them ends with it."""
    with tempfile.TemporaryDirectory(prefix="tapedeck-acceptance-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        made: list[RunningServer] = []

        async def make(**environment: str) -> RunningServer:
            made.append(await RunningServer(Path(folder) / f"data-{len(made)}", **environment).start())
            return made[-1]

        yield make
        for running in made:
            await running.stop()
