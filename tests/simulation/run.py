"""Runs seeds on a virtual loop. One seed is one story: it repeats exactly, byte for byte."""

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass

import structlog

from tests.simulation.faults import Faults
from tests.simulation.loop import VirtualLoop
from tests.simulation.world import World, journal_lines


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended. `digest` is of all journals and the end time; `error` is None if every promise was kept."""

    seed: int
    digest: str
    fired: Counter[str]
    crash_points: int
    error: str | None
    story: str


def run_seed(seed: int, crash_at: int | None = None, faults: Faults | None = None) -> Result:
    """One run from beginning to end. `crash_at`: the node dies at that port call; `faults`: instead of drawn ones."""
    structlog.configure(processors=[_drop], cache_logger_on_first_use=False)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    world = World(seed, crash_at, faults)
    error = None
    try:
        loop.run_until_complete(world.run())
    except Exception as caught:
        error = f"{type(caught).__name__}: {caught}"
    digest = _digest(world, loop.time())
    story = world.story() if error is not None else ""
    _bury(loop)
    return Result(seed, digest, world.faults.fired, world.wire.count, error, story)


def story_of(seed: int) -> str:
    """What happened in a run, also in one that ended well."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    structlog.configure(processors=[_drop], cache_logger_on_first_use=False)
    world = World(seed)
    try:
        loop.run_until_complete(world.run())
        return world.story()
    finally:
        _bury(loop)


def _digest(world: World, end_time: float) -> str:
    lines = [line for meeting in world.meetings for line in journal_lines(world.database, meeting)]
    return hashlib.sha256("\n".join([*lines, f"{end_time:.6f}"]).encode()).hexdigest()[:16]


def _bury(loop: VirtualLoop) -> None:
    """End the tasks of dead nodes: their world is gone, so what they still do in `finally` reaches nothing."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()


def _drop(*_: object) -> object:
    raise structlog.DropEvent
