"""Embedded engines where they were met in trouble: long paths, interrupted beginnings, other processes."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from clients.embedded.child import EngineFailed
from clients.embedded.datadir import DataDir, DataDirLocked
from clients.embedded.postgres import EmbeddedPostgres
from clients.embedded.rundir import PREFIX, fresh_run_dir, remove_run_dir
from clients.embedded.valkey import EmbeddedValkey
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent
HOLD = """
import sys
from pathlib import Path
from clients.embedded.datadir import DataDir
with DataDir(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tapedeck-engines-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        path = Path(folder) / "data"
        with DataDir(path):
            yield path


async def answers(server: EmbeddedPostgres) -> bool:
    try:
        connection = await asyncpg.connect(server.url, timeout=2)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return False
    await connection.close()
    return True


async def test_data_survives_and_sockets_do_not_need_short_paths(data_dir: Path) -> None:
    long_dir = data_dir / ("long-" * 30)
    long_dir.mkdir()
    long_dir.chmod(0o711)
    for start in range(2):
        server = EmbeddedPostgres(long_dir, fresh_run_dir(long_dir), durable=False)
        await server.start()
        connection = await asyncpg.connect(server.url)
        if start == 0:
            await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        assert await connection.fetchval("SELECT n FROM kept") == 7
        listens = await connection.fetchval("SHOW listen_addresses")
        await connection.close()
        await server.stop()
        assert listens == ""


async def test_an_interrupted_beginning_is_begun_again(data_dir: Path) -> None:
    (data_dir / "postgres.new").mkdir()
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18")
    (data_dir / "postgres").mkdir()
    server = EmbeddedPostgres(data_dir, fresh_run_dir(data_dir), durable=False)
    await server.start()
    assert await answers(server)
    await server.stop()


async def test_an_engine_that_dies_is_started_again_and_counted(data_dir: Path) -> None:
    restarted: list[str] = []
    run_dir = fresh_run_dir(data_dir)
    postgres = EmbeddedPostgres(data_dir, run_dir, restarted.append, durable=False)
    valkey = EmbeddedValkey(data_dir, run_dir, restarted.append)
    await asyncio.gather(postgres.start(), valkey.start())
    first = (postgres.pid, valkey.pid)
    for pid in first:
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    async def both() -> bool:
        return postgres.pid != first[0] and valkey.pid != first[1] and await answers(postgres)

    await eventually(both)
    assert sorted(restarted) == ["postgres", "valkey"]
    await asyncio.gather(postgres.stop(), valkey.stop())


async def test_an_engine_that_cannot_start_says_its_last_words(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, fresh_run_dir(data_dir), durable=False)
    await server.start()
    await server.stop()
    (data_dir / "postgres" / "global" / "pg_control").unlink()
    broken = EmbeddedPostgres(data_dir, fresh_run_dir(data_dir), durable=False)
    with pytest.raises(EngineFailed, match=r"postgres did not start: .*pg_control"):
        await broken.start()


async def test_a_folder_that_others_may_not_enter() -> None:
    """For root it is closed to the user that Postgres runs as."""
    with tempfile.TemporaryDirectory(prefix="tapedeck-closed-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o700)
        data_dir = Path(folder) / "data"
        data_dir.mkdir()
        server = EmbeddedPostgres(data_dir, fresh_run_dir(data_dir), durable=False)
        await server.start()
        assert await answers(server)
        await server.stop()


def test_a_held_data_directory_names_its_holder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataDirLocked, match=f"process {holder.pid}"), DataDir(tmp_path):
            pass
        holder.kill()
    with DataDir(tmp_path):
        pass


def test_the_run_folder_of_a_killed_server_is_removed_at_the_next_start(tmp_path: Path) -> None:
    first = fresh_run_dir(tmp_path)
    second = fresh_run_dir(tmp_path)
    assert not first.exists()
    assert second.name.startswith(PREFIX)
    assert second.stat().st_mode & 0o777 == 0o700
    remove_run_dir(tmp_path, second)
    assert not second.exists()


def test_a_foreign_folder_is_never_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / "run-dir").write_text(str(precious))
    remove_run_dir(tmp_path, fresh_run_dir(tmp_path))
    assert precious.exists()
