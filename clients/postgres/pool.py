"""Connections to Postgres, and its errors in the words of the ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
import asyncpg.pool
import orjson

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
"""The statement was not carried out, or only read: the database is away, starting or stopping."""


async def create_pool(url: str, size: int, statement_seconds: float) -> Pool:
    """A pool for our role: a forgotten transaction must not hold back the feed of all meetings (recipe 3.5)."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=statement_seconds,
        init=_init,
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
        raise JournalUnavailable(f"{type(error).__name__}: {error}") from error


async def _init(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda value: orjson.loads(value[1:]),
        format="binary",
    )


async def acquire(pool: Pool) -> Connection:
    """A connection, within a limit. Raises JournalUnavailable: nothing was sent."""
    try:
        return await pool.acquire(timeout=CONNECT_SECONDS)
    except (*NOT_REACHED, asyncpg.PostgresError) as error:
        raise JournalUnavailable(f"no connection: {type(error).__name__}: {error}") from error
