"""The query side: rows as of the last commit."""

from actors.domain.codec import decode
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Recording
from actors.ports import ListQuery, Page
from clients.postgres.pool import Pool, reading
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

    async def page(self, query: ListQuery) -> Page:
        filters = (query.meeting_id, list(query.statuses), list(query.states))
        after_ms, after_id = query.after or (None, None)
        async with reading():
            total = await self._pool.fetchval(sql("page_total"), *filters)
            rows = await self._pool.fetch(sql("page"), *filters, after_ms, after_id, query.limit + 1, query.offset)
        items = tuple(decode(Recording, row["data"]) for row in rows[: query.limit])
        return Page(items, total, len(rows) > query.limit)

    async def history(self, recording: Recording, after_seq: int, limit: int) -> list[JournalEvent]:
        async with reading():
            rows = await self._pool.fetch(sql("history"), recording.recording_id, after_seq, limit)
        return [to_event(row) for row in rows]

    async def counts(self) -> dict[str, tuple[int, float]]:
        """Of recordings that are not settled: how many are in each state, and the age of the oldest in seconds."""
        async with reading():
            rows = await self._pool.fetch(sql("counts"))
        return {row["state"]: (row["count"], row["oldest_seconds"]) for row in rows}
