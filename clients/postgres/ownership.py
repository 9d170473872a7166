"""Who may write a meeting: the row says it, and its epoch enforces it (recipe 3.2)."""

from actors.domain.codec import decode
from actors.domain.ids import MeetingId
from actors.domain.model import Meeting
from actors.ports import Claim
from clients.postgres.pool import Pool, reading
from clients.postgres.queries import sql


class PostgresOwnership:
    """Implements `actors.ports.Ownership`. `incarnation` is new for each process, so that a ghost is told apart."""

    def __init__(self, pool: Pool, node: str, incarnation: str) -> None:
        self._pool = pool
        self._node = node
        self._incarnation = incarnation

    async def claim(self, meeting_id: MeetingId) -> Claim:
        async with reading():
            row = await self._pool.fetchrow(sql("claim"), meeting_id, self._node, self._incarnation)
        assert row is not None, "an upsert returns its row"
        state = Meeting(meeting_id=meeting_id) if row["state"] is None else decode(Meeting, row["state"])
        return Claim(row["epoch"], state)

    async def release(self, meeting_id: MeetingId, epoch: int) -> None:
        async with reading():
            await self._pool.execute(sql("release"), meeting_id, epoch)

    async def due(self, now_ms: int, limit: int, after: MeetingId | None = None) -> list[MeetingId]:
        async with reading():
            rows = await self._pool.fetch(sql("due"), now_ms, limit, after or "")
        return [row["meeting_id"] for row in rows]

    async def unowned(self, limit: int) -> list[MeetingId]:
        async with reading():
            rows = await self._pool.fetch(sql("unowned"), self._incarnation, limit)
        return [row["meeting_id"] for row in rows]
