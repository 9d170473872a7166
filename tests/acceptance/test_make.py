"""`make run` in the foreground, as a user has it: however it is told to stop, nothing stays."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.acceptance.encoded import give_tone
from tests.acceptance.processes import alive, children_of, named
from tests.acceptance.running import RunningServer
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent
LISTENS = re.compile(rb"Tapedeck\s+http://")
WAYS: dict[str, Callable[[int, int], None]] = {
    "Ctrl-C": lambda make, server: os.killpg(make, signal.SIGINT),
    "SIGTERM to make": lambda make, server: os.kill(make, signal.SIGTERM),
    "SIGTERM to the server": lambda make, server: os.kill(server, signal.SIGTERM),
}


@pytest.fixture
async def make_run(tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`make run` without the set-up, in a process group of its own as from a terminal; it listens."""
    command = ("make", "--silent", "--old-file=setup-run", f"BIN={Path(sys.prefix) / 'bin'}", "run")
    output = (tmp_path / "output").open("wb")
    environment = RunningServer(tmp_path / "data").environment()
    give_tone(tmp_path / "data" / "simulator")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
    )
    output.close()

    async def listens() -> bool:
        said = (tmp_path / "output").read_bytes()
        assert process.returncode is None, said
        return LISTENS.search(said) is not None

    await eventually(listens, 30)
    yield process
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_stays(way: str, make_run: asyncio.subprocess.Process) -> None:
    (server,) = children_of(make_run.pid)
    engines = [pid for pid in children_of(server) if named(pid, "postgres") or named(pid, "valkey")]
    assert len(engines) == 2
    WAYS[way](make_run.pid, server)
    await asyncio.wait_for(make_run.wait(), 10)

    async def gone() -> bool:
        return not any(map(alive, [server, *engines]))

    await eventually(gone)


def test_make_alone_lists_the_targets() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "sim", "lint", "format", "clean"):
        assert f"make {target} " in listed
