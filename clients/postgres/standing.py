"""How things stand over all nodes, for the metrics: what is not over, what is late, what the provider's budget has left."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clients.postgres.pool import Pool, reading
from clients.postgres.queries import sql

SETTLED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Group:
    """The recordings of one state. Seconds; `overdue`: their deadline has passed."""

    count: int
    oldest_seconds: float
    overdue: int


@dataclass(frozen=True, slots=True)
class Standing:
    """`states` by the public state, without those that have none; `settled`: how many are over, likewise, None if that takes
    too long to count. `recorders`: sessions at the provider that record; `evicting`: those that were given up and may still
    run. `calls_left`: requests that may go out within a second, beyond those that wait on this node."""

    states: Mapping[str, Group]
    settled: Mapping[str, int] | None
    recorders: int
    evicting: int
    calls_left: float


class PostgresStanding:
    """Looks at what is not over by an index of its own, and counts the rest in one.

    A million old recordings take some 0.2 s to count, but where vacuum has not been for long, the whole table is read for
    it: so the count has a limit of its own, and nothing else depends on it.
    """

    def __init__(
        self, pool: Pool, app_id: str, requests_per_second: float, waiting: Callable[[], int] = lambda: 0
    ) -> None:
        self._pool = pool
        self._app_id = app_id
        self._rate = requests_per_second
        self._waiting = waiting

    async def read(self) -> Standing:
        """Raises JournalUnavailable."""
        async with reading():
            rows = await self._pool.fetch(sql("standing"))
            provider = await self._pool.fetchrow(sql("standing_provider"), self._app_id)
            settled = await self._settled()
        assert provider is not None, "a SELECT of values has a row"
        return Standing(
            states={row["state"]: Group(row["count"], row["oldest_seconds"], row["overdue"]) for row in rows},
            settled=settled,
            recorders=sum(row["recorders"] for row in rows),
            evicting=provider["evicting"],
            calls_left=max(0.0, self._rate * (1.0 - provider["budget_wait_seconds"]) - self._waiting()),
        )

    async def _settled(self) -> Mapping[str, int] | None:
        try:
            async with asyncio.timeout(SETTLED_SECONDS):
                rows = await self._pool.fetch(sql("standing_settled"))
        except TimeoutError:
            return None
        return {row["state"]: row["count"] for row in rows}

    async def ping(self) -> None:
        """Raises JournalUnavailable if the database does not answer."""
        async with reading():
            await self._pool.fetchval("SELECT 1")
