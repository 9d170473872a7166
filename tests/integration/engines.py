"""What tests of the embedded engines share."""

from collections.abc import Callable
from pathlib import Path

import asyncpg

from clients.embedded.postgres import EmbeddedPostgres

NewRunDir = Callable[[Path], Path]


async def answers(server: EmbeddedPostgres) -> bool:
    """Whether it takes a connection now."""
    try:
        connection = await asyncpg.connect(server.url, timeout=2)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return False
    await connection.close()
    return True
