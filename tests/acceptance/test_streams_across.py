"""A subscriber at one server sees what happens in a meeting that another one has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from clients.embedded.rundir import fresh_run_dir, remove_run_dir
from clients.embedded.valkey import EmbeddedValkey
from tests.acceptance.conftest import Fresh
from tests.acceptance.elsewhere import Simulator
from tests.acceptance.running import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 10.0
"""A look that is not asked for comes after 25 s at the earliest."""


@pytest_asyncio.fixture(loop_scope="module")
async def redis(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    """The test's own, which both servers use."""
    run_dir = fresh_run_dir(tmp_path)
    server = EmbeddedValkey(tmp_path, run_dir)
    await server.start()
    yield server
    await server.stop()
    remove_run_dir(tmp_path, run_dir)


@asynccontextmanager
async def listening(client: Client, http: aiohttp.ClientSession, url: str) -> AsyncIterator[AsyncIterator[Any]]:
    async with http.get(url, headers={"Authorization": f"Bearer {client.token}"}) as response:
        assert response.status == 200

        async def events() -> AsyncIterator[Any]:
            async for line in response.content:
                if line.startswith(b"data:"):
                    yield orjson.loads(line[5:])

        yield events()


async def until(events: AsyncIterator[Any], kind: str) -> list[Any]:
    """All that is told until one of that type, within the time."""
    found = []
    async with asyncio.timeout(SECONDS):
        async for event in events:
            found.append(event)
            if event["type"] == kind:
                break
    return found


async def test_events_cross_at_once_and_without_redis_soon(
    fresh: Fresh, tmp_path: Path, database_url: str, redis: EmbeddedValkey, http: aiohttp.ClientSession
) -> None:
    async with Simulator(tmp_path / "store") as simulator:
        told = simulator.environment(DATABASE_URL=database_url, REDIS_URL=redis.url)
        owner, asked = await fresh(**told), await fresh(**told)
        host, other = Client(http, owner), Client(http, asked)
        async with listening(other, http, f"{asked.url}/api/v1/meetings/a-1/events") as events:
            await until(events, "recording.snapshot")
            await host.start("a-1")
            first = await until(events, "recording.active")
            assert [event["sequence"] for event in first] == list(range(1, len(first) + 1))
            await redis.stop()
            await host.stop("a-1")
            second = await until(events, "recording.completed")
            begin = len(first) + 1
            assert [event["sequence"] for event in second] == list(range(begin, begin + len(second)))
