"""Brings a database to this version's schema, so that several servers may start at once."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from clients.postgres.pool import CONNECT_SECONDS

VERSIONS = Path(__file__).parent / "migrations" / "versions"
LATEST = max(file.stem.partition("_")[0] for file in VERSIONS.glob("[0-9]*.py"))


class MigrationFailed(OSError):
    """The database cannot be reached, refuses, or is of a later version; the message says so, without the address."""


def upgrade(url: str, revision: str = LATEST) -> None:
    """Apply all revisions that are missing, up to the last or that one. Not for a running loop.

    Raises MigrationFailed. All of it is applied, or nothing. What applies them takes longer to load than the rest of a
    server, so it is loaded only if one is missing.
    """
    asyncio.run(_upgrade(url, revision))


async def _upgrade(url: str, revision: str) -> None:
    try:
        if await _found(url) == revision:
            return
        from clients.postgres.migrations.apply import apply

        await apply(partial(_connect, url), revision)
    except asyncpg.PostgresError as error:
        raise MigrationFailed(f"the database cannot be migrated: {error}") from error


async def _found(url: str) -> str | None:
    """The revision that the database is of, unless it has no schema."""
    connection = await _connect(url)
    try:
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    else:
        return found
    finally:
        await connection.close()


async def _connect(url: str) -> Any:
    """Connects as the pool does: SQLAlchemy reads addresses otherwise, and refuses some that asyncpg takes."""
    try:
        return await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except (ValueError, asyncpg.InterfaceError):
        raise MigrationFailed("the database's address cannot be read: see DATABASE_URL") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise MigrationFailed(f"the database cannot be reached: {reason}; see DATABASE_URL") from error
