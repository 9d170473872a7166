"""The databases: external ones by their URLs, else embedded ones as child processes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
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
    database = config.database.url.get_secret_value() if config.database.url is not None else None
    redis = config.redis.url.get_secret_value() if config.redis.url is not None else None
    async with AsyncExitStack() as stack:
        run_dir = fresh_run_dir(config.data_dir)
        stack.callback(remove_run_dir, config.data_dir, run_dir)
        if database is None:
            database = await _started(EmbeddedPostgres(config.data_dir, run_dir, on_restart), stack)
        if redis is None:
            redis = await _started(EmbeddedValkey(config.data_dir, run_dir, on_restart), stack)
        yield Engines(database, redis)


async def _started(engine: EmbeddedPostgres | EmbeddedValkey, stack: AsyncExitStack) -> str:
    """Its URL. One after the other, so that the failure of one never meets another in the middle of its start."""
    stack.push_async_callback(engine.stop)
    await engine.start()
    return engine.url
