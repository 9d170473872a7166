"""The journal: one statement commits many meetings at once, each fenced and answered on its own.

There is no timer: whatever arrives while a statement runs goes into the next one (25 times the commits of a transaction
each, performance.md 5). A meeting's next append is held back until its last one was answered.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

import asyncpg
import structlog

from actors.domain.commands import Notice
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Recording
from actors.ports import Append, CommandMark, Fenced, JournalRejected, JournalUnavailable, OutcomeUnknown
from clients.postgres.batch import columns
from clients.postgres.pool import NOT_REACHED, Connection, Pool, borrowed, is_passing, is_refusal, name_of, reading
from clients.postgres.queries import sql
from clients.postgres.rows import to_recording

log = structlog.get_logger(__name__)

Waiting = tuple[Append, asyncio.Future[None]]


class PostgresJournal:
    """Implements `actors.ports.Journal`. `batch_max`: meetings in a statement; 2,000 are slower than 256."""

    def __init__(self, pool: Pool, batch_max: int = 256) -> None:
        self._pool = pool
        self._batch_max = batch_max
        self._waiting: deque[Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def commit(self, append: Append) -> None:
        """Raises Fenced, JournalRejected, JournalUnavailable (nothing is written), or OutcomeUnknown."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((append, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="journal")
        await future

    async def find_command(self, meeting_id: MeetingId, command_id: str) -> CommandMark | None:
        async with reading():
            row = await self._pool.fetchrow(sql("find_command"), meeting_id, command_id)
        return None if row is None else CommandMark(row["command_id"], row["body_hash"], row["recording_id"])

    async def recall(self, meeting_id: MeetingId, recording_id: RecordingId) -> Recording | None:
        async with reading():
            return to_recording(await self._pool.fetchrow(sql("recall"), meeting_id, recording_id))

    async def recorded_by(self, meeting_id: MeetingId, notice: Notice) -> Recording | None:
        async with reading():
            query = sql("recorded_by")
            return to_recording(await self._pool.fetchrow(query, meeting_id, notice.cname, notice.uid, notice.sid))

    async def _write(self) -> None:
        """Until nothing waits. Nobody is left without an answer, even if it is stopped."""
        batch: list[Waiting] = []
        try:
            while self._waiting:
                batch = self._next_batch()
                await self._write_batch(batch)
        finally:
            self._writer = None
            _end(batch, OutcomeUnknown("the writer was stopped"))
            _end(self._waiting, JournalUnavailable("the writer was stopped"))
            self._waiting.clear()

    def _next_batch(self) -> list[Waiting]:
        """At most `batch_max`, no meeting twice; callers who have left are still served: their command was accepted."""
        batch: dict[MeetingId, Waiting] = {}
        held: list[Waiting] = []
        while self._waiting and len(batch) < self._batch_max:
            waiting = self._waiting.popleft()
            if waiting[0].meeting_id in batch:
                held.append(waiting)
            else:
                batch[waiting[0].meeting_id] = waiting
        self._waiting.extendleft(reversed(held))
        return list(batch.values())

    async def _write_batch(self, batch: list[Waiting]) -> None:
        try:
            fenced = await self._execute([append for append, _ in batch])
        except asyncpg.PostgresError as error:
            await self._split(batch, error)
        except Exception as error:
            _end(batch, error)
        else:
            for append, future in batch:
                _answer(future, Fenced(append.meeting_id) if append.meeting_id in fenced else None)

    async def _split(self, batch: list[Waiting], error: asyncpg.PostgresError) -> None:
        """The database has answered with an error, so nothing is written: find the append that it is about."""
        if len(batch) == 1:
            log.error("journal.rejected", meeting=batch[0][0].meeting_id, error=name_of(error))
            _end(batch, JournalRejected(name_of(error)))
            return
        half = len(batch) // 2
        await self._write_batch(batch[:half])
        await self._write_batch(batch[half:])

    async def _execute(self, appends: list[Append]) -> set[MeetingId]:
        """The meetings that were fenced. Raises PostgresError only if it is about an append, and nothing is written."""
        parameters = columns(appends)
        async with borrowed(self._pool) as connection:
            try:
                rows = await connection.fetch(sql("commit"), *parameters)
            except asyncpg.PostgresError as error:
                if not is_refusal(error):
                    raise _given_up(connection, error) from error
                if is_passing(error):
                    raise JournalUnavailable(name_of(error)) from error
                raise
            except NOT_REACHED as error:
                raise _given_up(connection, error) from error
        return {row["meeting_id"] for row in rows if not row["ok"]}


def _given_up(connection: Connection, error: Exception) -> OutcomeUnknown:
    """Whether it was committed is not known; the connection is not used again, so the server ends it."""
    with suppress(asyncpg.InterfaceError):  # the pool has it back already
        connection.terminate()
    return OutcomeUnknown(name_of(error))


def _answer(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _end(batch: Iterable[Waiting], error: Exception) -> None:
    for _, future in batch:
        _answer(future, error)
