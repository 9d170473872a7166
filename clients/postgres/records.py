"""The query side: rows as of the last commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from actors.domain.codec import decode
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Recording, State
from actors.domain.projections import status_of_state
from actors.reading import ListQuery, Page
from clients.postgres.pool import Connection, Pool, borrowed, reading
from clients.postgres.queries import sql
from clients.postgres.rows import to_event, to_recording


class PostgresRecords:
    """Implements `actors.ports.Records`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def recording(self, recording_id: RecordingId) -> Recording | None:
        async with reading():
            return to_recording(await self._pool.fetchrow(sql("recording"), recording_id))

    async def live(self, meeting_id: MeetingId) -> Recording | None:
        async with reading():
            return to_recording(await self._pool.fetchrow(sql("live"), meeting_id))

    async def latest(self, meeting_id: MeetingId) -> Recording | None:
        async with reading():
            return to_recording(await self._pool.fetchrow(sql("latest"), meeting_id))

    async def live_count(self, limit: int) -> int:
        async with reading():
            return int(await self._pool.fetchval(sql("live_count"), limit))

    async def page(self, query: ListQuery) -> Page:
        filters = _filters(query)
        after_ms, after_id = query.after or (None, None)
        async with reading(), _one_view(self._pool) as connection:
            await connection.execute(sql("page_plan"))
            total = await connection.fetchval(sql("page_total"), *filters)
            rows = await connection.fetch(sql("page"), *filters, after_ms, after_id, query.limit + 1, query.offset)
        items = tuple(decode(Recording, row["data"]) for row in rows[: query.limit])
        return Page(items, total, len(rows) > query.limit)

    async def history(self, recording: Recording, after_seq: int, limit: int) -> list[JournalEvent]:
        async with reading():
            rows = await self._pool.fetch(sql("history"), recording.recording_id, after_seq, limit)
        return [to_event(row) for row in rows]


@asynccontextmanager
async def _one_view(pool: Pool) -> AsyncIterator[Connection]:
    """The database as it is at one moment, so that a page and its total agree."""
    async with borrowed(pool) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection


def _filters(query: ListQuery) -> tuple[Any, ...]:
    """The parameters that a page and its total share."""
    return (
        query.meeting_id,
        _states(query),
        query.external_id,
        query.completeness,
        query.created_from_ms,
        query.created_before_ms,
        query.updated_since_ms,
        query.overdue_at_ms,
    )


def _states(query: ListQuery) -> list[str] | None:
    """The states that both filters let through; None: all but tombstones."""
    if not query.statuses and not query.states:
        return None
    named = [state for state in State if not query.statuses or status_of_state(state) in query.statuses]
    return [state.value for state in named if not query.states or state in query.states]
