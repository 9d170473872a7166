"""What integration tests share."""

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
    """Starts simulators on one folder: `await begin(faults={...})`. The later ones first when they end."""
    benches: list[Bench] = []

    async def start(**settings: Any) -> Bench:
        bench = Bench(tmp_path, tone, **settings)
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
