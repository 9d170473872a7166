"""Applies revisions with Alembic, under a lock."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from clients.postgres.migrate import MigrationFailed

LOCK = 7_233_146_021
"""The advisory lock of Tapedeck's migrations; any number that nobody else uses."""


async def apply(connect: Callable[[], Awaitable[Any]], revision: str) -> None:
    """All that are missing up to this one, or nothing. `connect` makes a connection of asyncpg's. Raises MigrationFailed."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=pool.NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            await connection.run_sync(_run, revision)
    except DBAPIError as error:
        raise MigrationFailed(f"the database cannot be migrated: {error.orig}") from error
    except CommandError as error:
        raise MigrationFailed(f"the database is not of a version that is known here: {error}") from error
    finally:
        await engine.dispose()


def _run(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
