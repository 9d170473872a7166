"""Who may write a meeting: the row says it, and its epoch enforces it (recipe 3.2). Time is the database's."""

from contextlib import suppress

import asyncpg

from actors.domain.codec import decode
from actors.domain.ids import MeetingId
from actors.domain.model import Meeting
from actors.ports import Claim, LeaseLost, NameTaken, OwnedElsewhere
from clients.postgres.pool import Pool, borrowed, reading
from clients.postgres.queries import sql


class PostgresOwnership:
    """Implements `actors.ports.Ownership`. `process`: new for each one, so that it is told from an earlier one."""

    def __init__(self, pool: Pool, node: str, process: str) -> None:
        self._pool = pool
        self._node = node
        self._process = process
        self._incarnation = 0

    async def holder(self) -> int:
        row = await self._beat("holder", self._node)
        return 0 if row is None else int(row["incarnation"])

    async def enter(self, lease_seconds: float, over: int) -> int:
        row = await self._beat("enter", self._node, self._process, lease_seconds, over)
        return self._begin(row)

    async def renew(self, lease_seconds: float, *, anew: bool = False) -> int:
        row = await self._beat("renew", self._node, self._process, lease_seconds, anew)
        return self._begin(row)

    def _begin(self, row: asyncpg.Record | None) -> int:
        if row is None:
            raise NameTaken(self._node)
        self._incarnation = row["incarnation"]
        return self._incarnation

    async def leave(self) -> None:
        await self._beat("leave", self._node, self._process)

    async def _beat(self, query: str, *values: object) -> asyncpg.Record | None:
        """A connection that did not answer in time is ended: waiting for its end would hold up the next beat."""
        async with reading(), borrowed(self._pool) as connection:
            try:
                return await connection.fetchrow(sql(query), *values)
            except BaseException:
                with suppress(asyncpg.InterfaceError):  # the pool has it back already
                    connection.terminate()
                raise

    async def claim(self, meeting_id: MeetingId) -> Claim:
        async with reading():
            row = await self._pool.fetchrow(sql("claim"), meeting_id, self._node, self._incarnation)
        assert row is not None, "the statement always answers"
        if not row["standing"]:
            raise LeaseLost
        if row["epoch"] is None:
            raise OwnedElsewhere(row["owner"] or "another node")
        state = Meeting(meeting_id=meeting_id) if row["state"] is None else decode(Meeting, row["state"])
        return Claim(row["epoch"], state)

    async def release(self, meeting_id: MeetingId, epoch: int) -> None:
        async with reading():
            await self._pool.execute(sql("release"), meeting_id, epoch)

    async def due(self, now_ms: int, limit: int, after: MeetingId | None = None) -> list[MeetingId]:
        async with reading():
            rows = await self._pool.fetch(sql("due"), now_ms, limit, after or "", self._node)
        return [row["meeting_id"] for row in rows]

    async def unowned(self, limit: int) -> list[MeetingId]:
        async with reading():
            rows = await self._pool.fetch(sql("unowned"), self._incarnation, limit, self._node)
        return [row["meeting_id"] for row in rows]
