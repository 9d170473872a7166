"""A server that leaves: an EventSource that comes back to it must find no status, or it gives up for good."""

import asyncio

import aiohttp
import pytest

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client
from tests.acceptance.test_streams import of_meeting, sse

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT = 40


async def test_nobody_who_comes_back_is_refused(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh()
    host = Client(http, server)
    url, headers = of_meeting(server, "m"), {"Authorization": f"Bearer {host.token}"}
    answers: set[int | str] = set()

    async def come_back() -> None:
        """As a browser does: over a connection that other calls of the page have left open, too."""
        while True:
            try:
                await host.call("GET", "/api/v1/meetings/m/recording")
                async with http.get(url, headers=headers) as response:
                    answers.add(response.status)
                    await response.read()
            except aiohttp.ClientError as error:
                answers.add(type(error).__name__)
            await asyncio.sleep(0)

    async def listen() -> None:
        async with sse(http, url, host.token) as listener:
            await listener.joined()
            joined.release()
            await asyncio.Event().wait()

    joined = asyncio.Semaphore(0)
    others = [asyncio.create_task(listen()) for _ in range(COUNT)]
    for _ in others:
        await joined.acquire()
    returning = [asyncio.create_task(come_back()) for _ in range(5)]
    await server.stop()
    for task in (*others, *returning):
        task.cancel()
    await asyncio.gather(*others, *returning, return_exceptions=True)
    assert 503 not in answers
    assert 200 in answers
