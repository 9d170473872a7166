"""Connections to Postgres, and its errors in the words of the ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import asyncpg
import asyncpg.pool
import orjson

from actors.domain.codec import encode
from actors.ports import JournalUnavailable

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

CONNECT_SECONDS = 5.0
NOT_REACHED = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
)
"""The database is away, starting or stopping. Nothing was done if it only had to read."""

PASSING = frozenset({"25", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE that tell of the database's trouble, not of the statement's: read-only, deadlock, out of disk, locks,
cancelled, I/O."""


async def create_pool(url: str, size: int, statement_seconds: float) -> Pool:
    """A pool for our role: a forgotten transaction must not hold back the feed of all meetings (recipe 3.5)."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=statement_seconds,
        init=_init,
        reset=_keep,
        server_settings={
            "application_name": "tapedeck",
            "idle_in_transaction_session_timeout": "10000",
            "timezone": "UTC",
        },
    )


@asynccontextmanager
async def reading() -> AsyncIterator[None]:
    """Calls that change nothing that could be doubted afterwards: whatever goes wrong, it was not done."""
    try:
        yield
    except (*NOT_REACHED, asyncpg.PostgresError) as error:
        raise JournalUnavailable(name_of(error)) from error


@asynccontextmanager
async def borrowed(pool: Pool) -> AsyncIterator[Connection]:
    """A connection, within a limit. Raises JournalUnavailable: nothing was sent.

    Trouble with giving it back is kept from the caller, whose statement has its outcome by then; the pool has closed it.
    """
    try:
        connection = await pool.acquire(timeout=CONNECT_SECONDS)
    except (*NOT_REACHED, asyncpg.PostgresError) as error:
        raise JournalUnavailable(f"no connection: {name_of(error)}") from error
    try:
        yield connection
    finally:
        with suppress(*NOT_REACHED, asyncpg.PostgresError):
            await pool.release(connection)


def is_refusal(error: asyncpg.PostgresError) -> bool:
    """Whether the database, or the driver before it, says that the statement failed and lives on: nothing is written.

    One that ends the connection with the error may have committed before, and a lost connection has no severity.
    """
    return not isinstance(error, NOT_REACHED) and error.severity_en not in ("FATAL", "PANIC")


def is_passing(error: asyncpg.PostgresError) -> bool:
    """Whether the same statement may well succeed later."""
    return (error.sqlstate or "")[:2] in PASSING


def name_of(error: Exception) -> str:
    """What went wrong, without the values that it went wrong with: the messages of the driver repeat whole states."""
    details = (getattr(error, "sqlstate", None), getattr(error, "constraint_name", None))
    return " ".join((type(error).__name__, *(detail for detail in details if detail)))


async def _keep(connection: Any) -> None:
    """Nothing to undo: no query changes its session, and the pool has ended a transaction that was left open. The driver's own
    reset would double the round trips of every query."""


async def _init(connection: Any) -> None:
    # orjson writes frozen dataclasses and enums by itself, seven times as fast as `encode`, and to the same bytes.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value, default=encode),
        decoder=lambda value: orjson.loads(value[1:]),
        format="binary",
    )
