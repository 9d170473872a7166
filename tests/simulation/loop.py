"""An event loop without waiting, for processes that can be frozen and killed.

Time jumps to the next timer, so an hour takes milliseconds and repeats exactly. What a process does runs as callbacks in a
context that names it: while it is frozen they wait, and once it is dead they never run. So a crash has no mercy: no
`finally` of a dead process reaches the world.
"""

import asyncio
import contextlib
import selectors
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any

TURNS_MAX = 500_000
"""A run that takes more turns of the loop will never end: something goes round without waiting."""


class Deadlock(Exception):
    """Every task waits, and no timer is set: nothing will ever happen again."""


class Livelock(Exception):
    """Too much happens for what was to be done."""


class _InstantSelector(selectors.DefaultSelector):
    """Never blocks; what would be waited is added to the loop's clock. There is nothing to be read from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.turns = 0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise Deadlock("; ".join(sorted(repr(task.get_coro()) for task in asyncio.all_tasks(_current()))))
        self.turns += 1
        if self.turns > TURNS_MAX:
            raise Livelock(f"{TURNS_MAX} turns of the loop in {self.now:.0f} s")
        if timeout > 0:
            self.now += timeout
        return ()


class Process:
    """What the callbacks of one node run under."""

    def __init__(self) -> None:
        self.alive = True
        self.running = True
        self._waiting: list[tuple[_Held, Context]] = []
        self._buried: list[Any] = []
        """What a dead process will never do, kept so that it is not collected, and its `finally` run, before the end."""

    def freeze(self) -> None:
        """From now on nothing of it runs; the world goes on."""
        self.running = False

    def thaw(self) -> None:
        """It goes on where it was, and everything that fell due meanwhile happens at once."""
        self.running = self.alive
        waiting, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()
        for held, context in waiting:
            asyncio.SelectorEventLoop.call_soon(loop, held, context=context)  # type: ignore[arg-type]

    def kill(self) -> None:
        """Nothing of it ever runs again."""
        self.alive = self.running = False
        self._buried += asyncio.all_tasks()

    def hold(self, held: "_Held") -> None:
        """Not now, or never."""
        if self.alive:
            self._waiting.append((held, copy_context()))
        else:
            self._buried.append(held)


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
"""The process that the running callback belongs to; None for the world outside."""


class _Held:
    """A callback of a process."""

    __slots__ = ("args", "callback", "handle", "process")

    def __init__(self, process: Process, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.process = process
        self.callback = callback
        self.args = args
        self.handle: asyncio.Handle | None = None

    def __call__(self) -> None:
        if not self.process.running:
            self.process.hold(self)
        elif self.handle is None or not self.handle.cancelled():
            self.callback(*self.args)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is virtual seconds since the loop was made."""

    def __init__(self) -> None:
        self._instant = _InstantSelector()
        super().__init__(self._instant)
        self.set_exception_handler(lambda *_: None)  # answers to the dead are never fetched

    def time(self) -> float:
        return self._instant.now

    @property
    def turns(self) -> int:
        """How often it went round."""
        return self._instant.turns

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is None:
            return super().call_soon(callback, *args, context=context)
        held = _Held(process, callback, args)
        held.handle = super().call_soon(held, context=context)
        return held.handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is None:
            return super().call_at(when, callback, *args, context=context)
        held = _Held(process, callback, args)
        held.handle = timer = super().call_at(when, held, context=context)
        return timer

    def bury(self) -> None:
        """The world is over: close what still waits, the tasks of the dead too. What they do in `finally` reaches nothing."""
        for task in asyncio.all_tasks(self):
            with contextlib.suppress(BaseException):
                task.get_coro().close()  # type: ignore[union-attr]
        asyncio.set_event_loop(None)
        self.close()


def _current() -> asyncio.AbstractEventLoop:
    return asyncio.get_event_loop_policy().get_event_loop()
