"""Small honest appends for tests of the journal, and a hold on a meeting's row that makes its statements wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg

from actors.domain.ids import MeetingId
from actors.domain.model import Meeting
from actors.ports import Append
from tests.unit.domain.story import Story
from tests.waiting import eventually


def next_append(meeting: Meeting, epoch: int, marker: str = "x") -> Append:
    """A start, or the abort of it: two events, of which subscribers see both."""
    story = Story()
    story.meeting = meeting
    if meeting.live is None:
        story.start(f"{meeting.meeting_id}-{meeting.seq}", external_id=marker)
    else:
        story.settled[meeting.live.recording_id] = meeting.live
        story.stop()
    return Append(
        meeting_id=meeting.meeting_id,
        epoch=epoch,
        expected_seq=meeting.seq,
        state=story.meeting,
        wake_at_ms=None,
        events=tuple(replace(event, meeting_id=meeting.meeting_id) for event in story.log),
        recordings=tuple(replace(item, meeting_id=meeting.meeting_id) for item in story.settled.values()),
    )


class Hold:
    """Another transaction that has the row of a meeting."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def waiting(self, count: int = 1) -> list[int]:
        """The backends that wait for a row of this database, once there are so many."""

        async def look() -> list[int] | None:
            rows = await self._connection.fetch(
                "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return [row["pid"] for row in rows] if len(rows) >= count else None

        return await eventually(look) or []

    async def cancel(self, pid: int) -> None:
        """Have the statement of that backend answered with an error."""
        await self._connection.execute("SELECT pg_cancel_backend($1)", pid)

    async def terminate(self, pid: int) -> None:
        """Have the connection of that backend ended."""
        await self._connection.execute("SELECT pg_terminate_backend($1)", pid)


@asynccontextmanager
async def held(database_url: str, meeting_id: MeetingId) -> AsyncIterator[Hold]:
    """Whatever writes the meeting waits until this is left."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM meetings WHERE meeting_id = $1 FOR UPDATE", meeting_id)
            yield Hold(connection)
    finally:
        await connection.close()
