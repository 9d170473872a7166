"""The provider's requests a second, one budget for all nodes of an App ID (recipe 3.2).

A place is reserved here and then waited for, so there are never more calls than the rate, and no burst. Calls that only look pass
a lane of half the rate first.
"""

from clients.postgres.pool import Pool, reading
from clients.postgres.queries import sql

LOOKING_SHARE = 0.5
MARGIN = 1.1
"""Places lie this much further apart than the rate asks: what is sent evenly does not arrive so. With 1.02 a busy machine put
eleven calls into a second, and the eleventh was refused."""


class PostgresBudget:
    """Implements `clients.agora.dispatcher.Places`."""

    def __init__(self, pool: Pool, app_id: str, requests_per_second: float) -> None:
        self._pool = pool
        self._app_id = app_id
        self._rate = requests_per_second

    async def reserve(self, *, looking: bool) -> float:
        """Take the next place; the seconds until it comes. Raises JournalUnavailable: without a place there is no call."""
        lane, pause = ("background", 1 / (self._rate * LOOKING_SHARE)) if looking else ("all", MARGIN / self._rate)
        async with reading():
            seconds: float = await self._pool.fetchval(sql("budget"), self._app_id, lane, pause)
        return seconds
