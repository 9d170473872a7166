"""What integration tests share."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from clients.agora.simulator.tracks import tone_track
from tests.fakes.studio import Bench, Receiver

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
