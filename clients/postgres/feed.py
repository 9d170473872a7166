"""Public events for subscribers: of one meeting by its own numbers, of all meetings by transaction (recipe 3.5)."""

from collections.abc import Mapping, Sequence

import asyncpg

from actors.domain.codec import decode
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.domain.model import Recording
from actors.reading import FeedPosition, Snapshot
from clients.postgres.pool import Pool, reading
from clients.postgres.queries import sql
from clients.postgres.rows import to_event


class PostgresFeed:
    """Implements `actors.ports.Feed`. Made by `open`, which reads the journal's name."""

    def __init__(self, pool: Pool, identity: str) -> None:
        self._pool = pool
        self._identity = identity

    @classmethod
    async def open(cls, pool: Pool) -> "PostgresFeed":
        async with reading():
            return cls(pool, await pool.fetchval(sql("identity")))

    @property
    def identity(self) -> str:
        return self._identity

    async def snapshot(self, meeting_id: MeetingId) -> Snapshot:
        async with reading():
            row = await self._pool.fetchrow(sql("snapshot"), meeting_id)
        return Snapshot(meeting_id, 0, None, 0) if row is None else _snapshot(meeting_id, row)

    async def after(self, meeting_id: MeetingId, sequence: int, limit: int) -> list[JournalEvent]:
        async with reading():
            rows = await self._pool.fetch(sql("after"), meeting_id, sequence, limit)
        return [to_event(row) for row in rows]

    async def sequences(self, meeting_ids: Sequence[MeetingId]) -> Mapping[MeetingId, int]:
        async with reading():
            rows = await self._pool.fetch(sql("sequences"), list(meeting_ids))
        return {row["meeting_id"]: row["sequence"] for row in rows}

    async def position(self) -> FeedPosition:
        async with reading():
            return FeedPosition(await self._pool.fetchval(sql("feed_position")), "", 0)

    async def all_after(self, position: FeedPosition, limit: int) -> list[tuple[FeedPosition, JournalEvent]]:
        async with reading():
            rows = await self._pool.fetch(
                sql("all_after"), str(position.tx), position.meeting_id, position.sequence, limit
            )
        return [(FeedPosition(row["tx"], row["meeting_id"], row["sequence"]), to_event(row)) for row in rows]

    async def all_live(self) -> list[Snapshot]:
        async with reading():
            rows = await self._pool.fetch(sql("all_live"))
        return [_snapshot(row["meeting_id"], row) for row in rows]


def _snapshot(meeting_id: MeetingId, row: asyncpg.Record) -> Snapshot:
    live = None if row["live"] is None else decode(Recording, row["live"])
    return Snapshot(meeting_id, row["sequence"], live, row["at_ms"] or 0)
