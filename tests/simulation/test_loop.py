"""Processes on the virtual loop: what stands still goes on, and what is dead does nothing any more."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

import pytest

from tests.simulation.loop import PROCESS, Deadlock, Livelock, Process, VirtualLoop


def in_process(process: Process, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    context = copy_context()
    context.run(PROCESS.set, process)
    return asyncio.get_running_loop().create_task(work, context=context)


def played(story: Callable[[list[str]], Coroutine[Any, Any, None]]) -> list[str]:
    loop, log = VirtualLoop(), list[str]()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(story(log))
    finally:
        loop.bury()
    return log


async def ticking(log: list[str]) -> None:
    try:
        for tick in range(4):
            log.append(f"{tick} at {asyncio.get_running_loop().time():.1f}")
            await asyncio.sleep(1)
    finally:
        log.append("ended")


def test_time_passes_without_waiting() -> None:
    assert played(ticking) == ["0 at 0.0", "1 at 1.0", "2 at 2.0", "3 at 3.0", "ended"]


def test_what_fell_due_while_a_process_stood_still_happens_when_it_goes_on() -> None:
    async def story(log: list[str]) -> None:
        process = Process()
        task = in_process(process, ticking(log))
        await asyncio.sleep(1.5)
        process.freeze()
        await asyncio.sleep(60)
        process.thaw()
        await task

    assert played(story) == ["0 at 0.0", "1 at 1.0", "2 at 61.5", "3 at 62.5", "ended"]


def test_a_timeout_that_is_met_while_a_process_stands_still_does_not_strike_twice() -> None:
    async def hurrying(log: list[str]) -> None:
        answer = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(5, answer.set_result, "late")
        try:
            async with asyncio.timeout(3):
                log.append(await answer)
        except TimeoutError:
            log.append("gave up")
        await asyncio.sleep(1)
        log.append("went on")

    async def story(log: list[str]) -> None:
        process = Process()
        task = in_process(process, hurrying(log))
        await asyncio.sleep(1)
        process.freeze()
        await asyncio.sleep(60)
        process.thaw()
        await task

    assert played(story) == ["gave up", "went on"]


def test_a_dead_process_does_not_even_clean_up() -> None:
    async def story(log: list[str]) -> None:
        process = Process()
        in_process(process, ticking(log))
        await asyncio.sleep(1.5)
        process.kill()
        await asyncio.sleep(60)
        log.append("the world goes on")

    assert played(story)[:3] == ["0 at 0.0", "1 at 1.0", "the world goes on"]


def test_a_run_in_which_nothing_can_happen_any_more_ends() -> None:
    async def story(log: list[str]) -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock, match="story"):
        played(story)


def test_a_run_that_goes_round_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.simulation.loop.TURNS_MAX", 100)

    async def story(log: list[str]) -> None:
        for _ in iter(int, 1):
            await asyncio.sleep(0)

    with pytest.raises(Livelock):
        played(story)
