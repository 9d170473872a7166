"""Brings a database to this version's schema, under a lock, so that several servers may start at once."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from clients.postgres.pool import CONNECT_SECONDS

LOCK = 7_233_146_021
"""The advisory lock of Tapedeck's migrations; any number that nobody else uses."""


class MigrationFailed(OSError):
    """The database cannot be reached, refuses, or is of a later version; the message says so, without the address."""


def upgrade(url: str, revision: str = "head") -> None:
    """Apply all revisions that are missing, up to the last or that one. Not for a running loop.

    Raises MigrationFailed. All of it is applied, or nothing.
    """
    try:
        asyncio.run(_upgrade(url, revision))
    except DBAPIError as error:
        raise MigrationFailed(f"the database cannot be migrated: {error.orig}") from error
    except CommandError as error:
        raise MigrationFailed(f"the database is not of a version that is known here: {error}") from error


async def _upgrade(url: str, revision: str) -> None:
    engine = create_async_engine("postgresql+asyncpg://", async_creator=partial(_connect, url), poolclass=pool.NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            await connection.run_sync(_run, revision)
    finally:
        await engine.dispose()


async def _connect(url: str) -> Any:
    """Connects as the pool does: SQLAlchemy reads addresses otherwise, and refuses some that asyncpg takes."""
    try:
        return await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except (ValueError, asyncpg.InterfaceError):
        raise MigrationFailed("the database's address cannot be read: see DATABASE_URL") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise MigrationFailed(f"the database cannot be reached: {reason}; see DATABASE_URL") from error


def _run(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
