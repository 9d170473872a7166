"""Servers for acceptance tests: one that a module shares, and fresh ones for tests that kill them."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.running import Client, RunningServer, server_folder, serving, token_for


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """Shared by the tests of a module, which use meetings of their own."""
    async with serving() as running:
        yield running


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


@pytest.fixture
def kind() -> type[RunningServer]:
    """Of the fresh ones."""
    return RunningServer


Fresh = Callable[..., Awaitable[RunningServer]]


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(kind: type[RunningServer]) -> AsyncIterator[Fresh]:
    """Makes servers that the test may kill; what is left of them ends with it."""
    with server_folder() as folder:
        made: list[RunningServer] = []

        async def make(**environment: str) -> RunningServer:
            made.append(await kind(folder / f"data-{len(made)}", **environment).start())
            return made[-1]

        yield make
        for running in made:
            await running.stop()
