"""The databases: external ones by their URLs, else embedded ones as child processes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from clients.embedded.postgres import EmbeddedPostgres
from clients.embedded.rundir import fresh_run_dir, remove_run_dir
from clients.embedded.valkey import EmbeddedValkey
from server.config import Config


@dataclass(frozen=True, slots=True)
class Engines:
    """Where they are."""

    database_url: str
    redis_url: str


@asynccontextmanager
async def running_engines(config: Config, on_restart: Callable[[str], None]) -> AsyncIterator[Engines]:
    """Start what is embedded; stop it at the end. Raises EngineFailed."""
    children: list[EmbeddedPostgres | EmbeddedValkey] = []
    database = config.database.url.get_secret_value() if config.database.url is not None else None
    redis = config.redis.url.get_secret_value() if config.redis.url is not None else None
    run_dir = fresh_run_dir(config.data_dir)
    try:
        if database is None:
            postgres = EmbeddedPostgres(config.data_dir, run_dir, on_restart)
            children.append(postgres)
            database = postgres.url
        if redis is None:
            valkey = EmbeddedValkey(config.data_dir, run_dir, on_restart)
            children.append(valkey)
            redis = valkey.url
        await asyncio.gather(*(child.start() for child in children))
        yield Engines(database, redis)
    finally:
        await asyncio.gather(*(child.stop() for child in children))
        remove_run_dir(config.data_dir, run_dir)
