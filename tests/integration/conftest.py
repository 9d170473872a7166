"""What integration tests share."""

import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.agora.simulator.tracks import tone_track
from clients.embedded.datadir import DataDir
from clients.embedded.rundir import fresh_run_dir
from tests.fakes.studio import Bench, Receiver
from tests.integration.engines import NewRunDir

Begin = Callable[..., Awaitable[Bench]]


@pytest.fixture(scope="session")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoded tone, made once."""
    folder = tmp_path_factory.mktemp("tone")
    tone_track(folder)
    (file,) = folder.glob("tone*")
    return file


@pytest.fixture
async def begin(tmp_path: Path, tone: Path) -> AsyncIterator[Begin]:
    """Starts simulators on one folder: `await begin(faults={...})`. `ahead`: seconds by which its clock is later."""
    benches: list[Bench] = []

    async def start(now: Callable[[], float] | None = None, ahead: float = 0.0, **settings: Any) -> Bench:
        bench = Bench(tmp_path, tone, now or (lambda: time.time() + ahead), **settings)
        benches.append(bench)
        return await bench.start()

    yield start
    for bench in reversed(benches):
        await bench.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    """A receiver of notifications, and its URL."""
    one = Receiver()
    yield one, await one.start()
    await one.stop()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that is held, outside pytest's folders: those are closed to the user that root's Postgres runs as."""
    with tempfile.TemporaryDirectory(prefix="tapedeck-engines-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        path = Path(folder) / "data"
        with DataDir(path):
            yield path


@pytest.fixture
def new_run_dir() -> Iterator[NewRunDir]:
    """Makes run folders, and removes them at the end of the test."""
    made: list[Path] = []

    def make(data_dir: Path) -> Path:
        made.append(fresh_run_dir(data_dir))
        return made[-1]

    yield make
    for run_dir in made:
        shutil.rmtree(run_dir, ignore_errors=True)
