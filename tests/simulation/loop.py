"""An event loop without waiting: time jumps to the next timer, so an hour takes milliseconds and repeats exactly."""

import asyncio
import selectors
from typing import Any


class Deadlock(Exception):
    """Every task waits, and no timer is set: nothing will ever happen again."""


class _InstantSelector(selectors.DefaultSelector):
    """Never blocks; what would be waited is added to the loop's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            waiting = sorted(
                repr(task.get_coro()) for task in asyncio.all_tasks(asyncio.get_event_loop_policy().get_event_loop())
            )
            raise Deadlock("; ".join(waiting))
        self.now += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is virtual seconds since the loop was made."""

    def __init__(self) -> None:
        self._instant = _InstantSelector()
        super().__init__(self._instant)

    def time(self) -> float:
        return self._instant.now
