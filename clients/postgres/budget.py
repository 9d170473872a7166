"""The provider's requests a second, one budget for all nodes of an App ID (recipe 3.2).

A place is reserved in Postgres and then waited for, so there are never more calls than the rate, and no burst. Calls without
priority pass a lane of half the rate first, so that a stop waits for one of them at most.
"""

import asyncio

from clients.postgres.pool import Pool, reading
from clients.postgres.queries import sql

BACKGROUND_SHARE = 0.5
MARGIN = 1.02
"""Places lie this much further apart than the rate asks: what is sent evenly does not arrive quite so."""


class PostgresBudget:
    """Implements `clients.agora.client.Budget`."""

    def __init__(self, pool: Pool, app_id: str, requests_per_second: float) -> None:
        self._pool = pool
        self._app_id = app_id
        self._rate = requests_per_second

    async def slot(self, priority: bool) -> None:
        """Wait for a place. Raises JournalUnavailable: without a place there is no call."""
        if not priority:
            await self._wait("background", self._rate * BACKGROUND_SHARE)
        await self._wait("all", self._rate)

    async def _wait(self, lane: str, rate: float) -> None:
        async with reading():
            seconds = await self._pool.fetchval(sql("budget"), self._app_id, lane, MARGIN / rate)
        await asyncio.sleep(seconds)
