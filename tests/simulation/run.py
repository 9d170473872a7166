"""Runs seeds on a virtual loop. One seed is one story: it repeats exactly, byte for byte."""

import asyncio
import hashlib
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import structlog

from tests.simulation.faults import Faults
from tests.simulation.loop import VirtualLoop
from tests.simulation.promises import Broken
from tests.simulation.story import journal_lines, story_of
from tests.simulation.users import Users
from tests.simulation.world import Size, World

BUGS = ("actor.failed", "effect.failed")
"""What the shell logs when the core or a port raised: in a run nothing does."""
Play = Callable[[World], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended. `digest` is of all journals and the end time; `error` is None if every promise was kept."""

    seed: int
    digest: str
    fired: Counter[str]
    crossings: int
    seconds: float
    nodes: int
    error: str | None
    story: str


def run_seed(seed: int, rates: Mapping[str, float] = MappingProxyType({}), *, told: bool = False) -> Result:
    """One run from beginning to end; `rates` of faults that are given are not drawn. `told`: with its story, even if it
    ended well."""
    faults = Faults.drawn(seed, rates)
    return _run(seed, World(faults, Size.drawn(faults.dice("size"))), World.run, told=told)


def run_crashes(crash_at: frozenset[int], *, told: bool = False) -> Result:
    """A start and a stop without other faults: the node dies at these crossings of the wire, counted from 1."""
    return _run(0, World(Faults("exhaustive"), Size(1, 1, 0), crash_at), start_and_stop, told=told)


async def start_and_stop(world: World) -> None:
    """The shortest story: a user starts, and stops a while later."""
    world.begin()
    users = Users(world, world.meetings[0])
    while not await users.start():
        pass
    await asyncio.sleep(30)
    await users.stop(20)
    await asyncio.sleep(60)
    await world.calm()
    await world.end([users])


def _run(seed: int, world: World, play: Play, *, told: bool) -> Result:
    structlog.configure(processors=[_listener(world)], cache_logger_on_first_use=False)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    error = None
    try:
        loop.run_until_complete(world.play(play))
    except Exception as caught:
        error = str(caught) if isinstance(caught, Broken) else f"{type(caught).__name__}: {caught}"
    digest = _digest(world, loop.time())
    story = story_of(world) if told or error is not None else ""
    seconds = loop.time()
    loop.bury()
    return Result(seed, digest, world.faults.fired, world.wire.crossings, seconds, world.size.nodes, error, story)


def _digest(world: World, end_time: float) -> str:
    lines = [line for meeting in world.meetings for line in journal_lines(world.database, meeting)]
    return hashlib.sha256("\n".join([*lines, f"{end_time:.6f}"]).encode()).hexdigest()[:16]


def _listener(world: World) -> Callable[..., Any]:
    """Nothing is logged, but a bug breaks a promise."""

    def listen(logger: Any, method: str, words: Any) -> Any:
        if words["event"] in BUGS:
            world.breaks(Broken(f"{words['event']}: {words.get('command') or words.get('effect')}: {_raised()}"))
        raise structlog.DropEvent

    return listen


def _raised() -> str:
    error = sys.exc_info()[1]
    return f"{type(error).__name__}: {error}"
