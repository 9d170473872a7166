"""As whom Postgres runs, with which folders closed to it; what a killed server leaves behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from clients.embedded import runas
from clients.embedded.child import EngineFailed
from clients.embedded.postgres import EmbeddedPostgres
from tests.acceptance.processes import alive
from tests.integration.engines import NewRunDir, answers
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent
HOLDER = """
import asyncio, os, sys
from pathlib import Path
from types import SimpleNamespace

from clients.embedded import child, runas
from clients.embedded.postgres import EmbeddedPostgres
from clients.embedded.rundir import fresh_run_dir
from clients.embedded.valkey import EmbeddedValkey

async def hold(data_dir, *traits):
    if "no-namespaces" in traits:
        runas.UNSHARE = ("false",)
    if "no-prctl" in traits:
        child.sys = SimpleNamespace(platform="elsewhere")
    run_dir = fresh_run_dir(data_dir)
    engines = [EmbeddedPostgres(data_dir, run_dir, durable=False)]
    if "no-prctl" not in traits:
        engines.append(EmbeddedValkey(data_dir, run_dir))
    for engine in engines:
        await engine.start()
    print(os.geteuid(), *(engine.pid for engine in engines), flush=True)
    await asyncio.Event().wait()

asyncio.run(hold(Path(sys.argv[1]), *sys.argv[2:]))
"""
Hold = Callable[..., Awaitable[tuple[asyncio.subprocess.Process, list[int]]]]


@pytest.fixture
async def hold(data_dir: Path, new_run_dir: NewRunDir) -> AsyncIterator[Hold]:
    """Another process that runs engines on the data directory; the process, and the numbers that it tells."""
    holders: list[asyncio.subprocess.Process] = []

    async def run(*traits: str, way: runas.RunAs | None = None) -> tuple[asyncio.subprocess.Process, list[int]]:
        arguments = [sys.executable, "-c", HOLDER, str(data_dir), *traits]
        command = (way or runas.RunAs(Path(sys.prefix))).command(arguments)
        command.env["PYTHONPATH"] = str(ROOT)
        holders.append(await command.spawn(stdout=asyncio.subprocess.PIPE))
        output = holders[-1].stdout
        assert output is not None
        numbers = [int(word) for word in (await output.readline()).split()]
        assert numbers, "it did not start"
        return holders[-1], numbers

    yield run
    for holder in holders:
        if holder.returncode is None:
            holder.kill()
        await holder.wait()
    new_run_dir(data_dir)  # removes the one that the killed left


def close(data_dir: Path) -> None:
    """For root it is closed then to the user that Postgres runs as."""
    data_dir.parent.chmod(0o700)


def without_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in most containers."""
    monkeypatch.setattr(runas, "UNSHARE", ("false",))


@pytest.mark.parametrize("namespaces", [True, False])
async def test_folders_that_others_may_not_enter(
    namespaces: bool, data_dir: Path, new_run_dir: NewRunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not namespaces:
        without_namespaces(monkeypatch)
    close(data_dir)
    server = EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False)
    await server.start()
    assert await answers(server)
    await server.stop()


async def test_data_outlives_a_change_of_the_user(
    data_dir: Path, new_run_dir: NewRunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in range(3):
        server = EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False)
        await server.start()
        connection = await asyncpg.connect(server.url)
        if start == 0:
            await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        assert await connection.fetchval("SELECT n FROM kept") == 7
        await connection.close()
        await server.stop()
        close(data_dir)
        if start == 1:
            without_namespaces(monkeypatch)


async def test_a_caller_who_is_not_root(data_dir: Path, hold: Hold) -> None:
    way = await runas.choose(Path(sys.executable), data_dir)
    way.own(data_dir)
    _, (uid, *pids) = await hold(way=way)
    assert uid != 0
    assert len(pids) == 2
    assert all(map(alive, pids))


async def test_root_is_told_what_to_do_when_nothing_works(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(EngineFailed, match="Postgres does not run as root"):
        await runas.choose(Path("/nowhere/postgres"), data_dir)


@pytest.mark.parametrize("traits", [("open",), ("closed",), ("closed", "no-namespaces")], ids="-".join)
async def test_no_engine_outlives_a_killed_parent(traits: tuple[str, ...], data_dir: Path, hold: Hold) -> None:
    if "closed" in traits:
        close(data_dir)
    holder, (_, *pids) = await hold(*traits)
    assert len(pids) == 2
    assert all(map(alive, pids))
    holder.send_signal(signal.SIGKILL)

    async def gone() -> bool:
        return not any(map(alive, pids))

    await eventually(gone)


async def test_an_old_postgres_that_nobody_told_is_told_to_leave(
    data_dir: Path, new_run_dir: NewRunDir, hold: Hold
) -> None:
    holder, (_, old) = await hold("no-prctl")
    holder.kill()
    await holder.wait()
    server = EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False)
    await server.start()
    assert not alive(old)
    assert await answers(server)
    await server.stop()


async def test_the_number_of_the_old_one_may_belong_to_somebody_else(data_dir: Path, new_run_dir: NewRunDir) -> None:
    server = EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False)
    await server.start()
    await server.stop()
    way = await runas.choose(Path("/bin/sleep"), data_dir)
    stranger = await way.command(["sleep", "600"]).spawn(signal.SIGKILL)
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n")
    again = EmbeddedPostgres(data_dir, new_run_dir(data_dir), durable=False)
    await again.start()
    assert await answers(again)
    assert alive(stranger.pid)
    await again.stop()
    stranger.kill()
    await stranger.wait()
