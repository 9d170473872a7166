"""Embedded engines where they were met in trouble: long paths, interrupted beginnings, a death."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from clients.embedded import postgres, valkey
from clients.embedded.child import EngineFailed
from clients.embedded.datadir import DataDir, DataDirLocked
from clients.embedded.postgres import EmbeddedPostgres
from clients.embedded.rundir import PREFIX, fresh_run_dir, remove_run_dir
from clients.embedded.valkey import EmbeddedValkey
from tests.integration.engines import NewRunDir, answers
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


async def test_data_survives_and_sockets_do_not_need_short_paths(data_dir: Path, new_run_dir: NewRunDir) -> None:
    long_dir = data_dir / ("long-" * 30)
    long_dir.mkdir()
    long_dir.chmod(0o711)
    for start in range(2):
        server = EmbeddedPostgres(long_dir, new_run_dir(long_dir), durable=False)
        await server.start()
        connection = await asyncpg.connect(server.url)
        if start == 0:
            await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        assert await connection.fetchval("SELECT n FROM kept") == 7
        listens = await connection.fetchval("SHOW listen_addresses")
        await connection.close()
        await server.stop()
        assert listens == ""


async def test_an_old_server_that_is_just_leaving_is_waited_for(
    data_dir: Path, new_run_dir: NewRunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False)
    await server.start()
    await server.stop()
    cluster = data_dir / "postgres"
    leaving = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", cwd=cluster, stdin=asyncio.subprocess.PIPE
    )
    assert leaving.stdin is not None
    hint = leaving.stdin.write
    (cluster / "postmaster.pid").write_text(f"{leaving.pid}\n")
    run = server._run

    async def told_too_late(program: str, *arguments: str) -> tuple[int | None, str]:
        (cluster / "postmaster.pid").unlink()
        answer = await run(program, *arguments)
        asyncio.get_running_loop().call_later(0.3, hint, b"\n")
        return answer

    monkeypatch.setattr(server, "_run", told_too_late)
    await server.start()
    assert await leaving.wait() == 0
    assert await answers(server)
    await server.stop()


async def test_an_interrupted_beginning_is_begun_again(data_dir: Path, new_run_dir: NewRunDir) -> None:
    (data_dir / "postgres.new").mkdir()
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18")
    (data_dir / "postgres").mkdir()
    server = EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False)
    await server.start()
    assert await answers(server)
    await server.stop()


async def test_what_is_not_a_cluster_is_left_alone(data_dir: Path, new_run_dir: NewRunDir) -> None:
    (data_dir / "postgres").mkdir()
    (data_dir / "postgres" / "precious").write_text("kept")
    with pytest.raises(EngineFailed, match="holds files, but no Postgres cluster"):
        await EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False).start()
    assert (data_dir / "postgres" / "precious").read_text() == "kept"


async def test_binaries_of_the_system_serve_where_no_wheel_does(
    data_dir: Path, new_run_dir: NewRunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postgres").symlink_to(postgres.find_bin_dir() / "postgres")
    (tmp_path / "redis-server").symlink_to(valkey.find_server())
    for module in (postgres, valkey):
        monkeypatch.setattr(module, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    run_dir = new_run_dir(data_dir)
    engines = EmbeddedPostgres(data_dir, run_dir, durable=False), EmbeddedValkey(data_dir, run_dir)
    await asyncio.gather(*(engine.start() for engine in engines))
    assert await answers(engines[0])
    await asyncio.gather(*(engine.stop() for engine in engines))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineFailed, match="set DATABASE_URL"):
        postgres.find_bin_dir()
    with pytest.raises(EngineFailed, match="set REDIS_URL"):
        valkey.find_server()


async def test_an_engine_that_dies_is_started_again_and_counted(data_dir: Path, new_run_dir: NewRunDir) -> None:
    restarted: list[str] = []
    run_dir = new_run_dir(data_dir)
    database = EmbeddedPostgres(data_dir, run_dir, restarted.append, durable=False)
    cache = EmbeddedValkey(data_dir, run_dir, restarted.append)
    await asyncio.gather(database.start(), cache.start())
    first = (database.pid, cache.pid)
    for pid in first:
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    async def both() -> bool:
        return database.pid != first[0] and cache.pid != first[1] and await answers(database)

    await eventually(both)
    assert sorted(restarted) == ["postgres", "valkey"]
    await asyncio.gather(database.stop(), cache.stop())


async def test_an_engine_that_cannot_start_says_its_last_words(data_dir: Path, new_run_dir: NewRunDir) -> None:
    server = EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False)
    await server.start()
    await server.stop()
    (data_dir / "postgres" / "global" / "pg_control").unlink()
    broken = EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False)
    with pytest.raises(EngineFailed, match=r"postgres did not start: .*pg_control"):
        await broken.start()


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
