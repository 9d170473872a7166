"""Real servers for each worker of a test run: Postgres, Valkey and S3; and for each test a database and a bucket of its own."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings

from clients.embedded.postgres import EmbeddedPostgres
from clients.embedded.rundir import fresh_run_dir, remove_run_dir
from clients.embedded.valkey import EmbeddedValkey
from clients.postgres.migrate import upgrade
from clients.postgres.pool import Pool, create_pool
from tests.fakes.buckets import bucket, moto, s3, s3_server, seaweed, strict_bucket

__all__ = ["bucket", "moto", "s3", "s3_server", "seaweed", "strict_bucket"]

# A test run is a verdict, not a lottery: it draws the same examples each time. `--hypothesis-profile=wild` draws others.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("wild", max_examples=5000, deadline=None)
settings.load_profile("steady")

TEMPLATE = "tapedeck_template"
_numbers = itertools.count(1)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Long and unprintable values name no test: they may hold the time, and workers must collect the same names."""
    text = val.decode("latin-1") if isinstance(val, bytes) else val
    if isinstance(text, str) and (len(text) > 60 or not text.isprintable()):
        return argname
    return None


@pytest.fixture(scope="session")
def engine_dir() -> Iterator[Path]:
    """A folder of its own, outside pytest's: those are closed to the user that Postgres runs as under root."""
    path = Path(tempfile.mkdtemp(prefix="tapedeck-tests-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_server(engine_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    """One server for the session, with a template that has the schema."""
    run_dir = fresh_run_dir(engine_dir)
    server = EmbeddedPostgres(engine_dir, run_dir, durable=False)
    await server.start()
    connection = await asyncpg.connect(server.url)
    await connection.execute(f"CREATE DATABASE {TEMPLATE}")
    await connection.close()
    await asyncio.to_thread(upgrade, database_of(server.url, TEMPLATE))
    yield server
    await server.stop()
    remove_run_dir(engine_dir, run_dir)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey_url(engine_dir: Path, postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """One cache server for the session."""
    run_dir = Path(tempfile.mkdtemp(prefix="tapedeck-"))
    server = EmbeddedValkey(engine_dir, run_dir)
    await server.start()
    yield server.url
    await server.stop()
    shutil.rmtree(run_dir, ignore_errors=True)


@pytest_asyncio.fixture
async def database_url(postgres_server: EmbeddedPostgres) -> str:
    """A database of this test's own, with the schema in it."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(postgres_server.url)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    await connection.close()
    return database_of(postgres_server.url, name)


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to that database."""
    made = await create_pool(database_url, 10, 10.0)
    yield made
    await made.close()


def database_of(url: str, name: str) -> str:
    """The address of another database of the same server."""
    return url.replace("/postgres?", f"/{name}?")
