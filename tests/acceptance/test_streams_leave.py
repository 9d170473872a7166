"""A server that leaves: an EventSource that comes back to it must find no status, or it gives up for good."""

import asyncio

import aiohttp
import pytest

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client
from tests.acceptance.test_streams import of_meeting
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT = 40


async def test_nobody_who_comes_back_at_once_is_refused(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh()
    host = Client(http, server)
    url, headers = of_meeting(server, "m"), {"Authorization": f"Bearer {host.token}"}
    answers: list[int | str] = []

    async def come_back() -> None:
        """As a page does that leaves a connection open from its other calls, too."""
        while True:
            try:
                await host.call("GET", "/api/v1/meetings/m/recording")
                async with http.get(url, headers=headers) as response:
                    answers.append(response.status)
                    await response.read()
            except aiohttp.ClientError as error:
                answers.append(type(error).__name__)
            await asyncio.sleep(0)

    async def joined() -> bool:
        return len(answers) == COUNT

    pages = [asyncio.create_task(come_back()) for _ in range(COUNT)]
    await eventually(joined)
    await server.stop()
    for page in pages:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)
    assert len(answers) > COUNT
    assert 503 not in answers
