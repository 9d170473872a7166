"""What sweeps need of the database: whose turn it is, recordings by their folders, and what was found before."""

from collections.abc import AsyncIterator, Sequence

import asyncpg

from actors.sweeping import FolderRow, SessionRow
from clients.postgres.pool import Pool, reading
from clients.postgres.queries import sql

PAGE_ROWS = 1000


class PostgresSweeps:
    """`actors.sweeping.SweepRecords`. `root`: the first segment of the recordings' prefixes."""

    def __init__(self, pool: Pool, root: str) -> None:
        self._pool = pool
        self._root = root

    async def take(self, holder: str, lease_seconds: float, since_seconds: float) -> int | None:
        async with reading():
            began_at = await self._pool.fetchval(sql("sweep_take"), holder, lease_seconds, since_seconds)
        return None if began_at is None else int(began_at.timestamp() * 1000)

    async def hold(self, holder: str, lease_seconds: float) -> bool:
        async with reading():
            return await self._pool.fetchval(sql("sweep_hold"), holder, lease_seconds) is not None

    async def leave(self, holder: str) -> None:
        async with reading():
            await self._pool.execute(sql("sweep_leave"), holder)

    async def rows(self) -> AsyncIterator[FolderRow]:
        """All recordings, in the order of their folders, by pages."""
        after = ""
        while True:
            async with reading():
                page = await self._pool.fetch(sql("sweep_rows"), self._root, after, PAGE_ROWS)
            for row in page:
                yield _row(row)
            if len(page) < PAGE_ROWS:
                return
            after = page[-1]["folder"]

    async def count(self) -> int:
        async with reading():
            return int(await self._pool.fetchval(sql("sweep_count"), self._root))

    async def row(self, folder: str) -> FolderRow | None:
        async with reading():
            found = await self._pool.fetchrow(sql("sweep_row"), self._root, folder)
        return None if found is None else _row(found)

    async def seen(self, kind: str, keys: Sequence[str]) -> dict[str, int]:
        async with reading():
            rows = await self._pool.fetch(sql("sweep_seen"), [kind] * len(keys), list(keys))
        return {row["key"]: row["first_seen_ms"] for row in rows}

    async def forget(self, before_ms: int) -> None:
        async with reading():
            await self._pool.execute(sql("sweep_forget"), before_ms)

    async def evicting(self, limit: int) -> list[SessionRow]:
        async with reading():
            return [_session(row) for row in await self._pool.fetch(sql("sweep_evicting"), limit)]

    async def strangers(self, within_seconds: float, ends: Sequence[int], limit: int) -> list[SessionRow]:
        async with reading():
            rows = await self._pool.fetch(sql("sweep_strangers"), within_seconds, list(ends), limit)
        return [_session(row) for row in rows]


def _row(row: asyncpg.Record) -> FolderRow:
    return FolderRow(**dict(row))


def _session(row: asyncpg.Record) -> SessionRow:
    return SessionRow(row["cname"], row["uid"], row["sid"])
