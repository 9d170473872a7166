"""Waiting for something to become true, with a deadline instead of a fixed pause."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PAUSE_SECONDS = 0.02


async def eventually(look: Callable[[], Awaitable[T]], within_seconds: float = 15.0) -> T:
    """What `look` returns as soon as that is true. Fails with the last answer when the time is over."""
    deadline = time.monotonic() + within_seconds
    while True:
        found = await look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_seconds:g} s; last: {found!r}")
        await asyncio.sleep(PAUSE_SECONDS)
