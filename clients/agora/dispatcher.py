"""Hands out the places of the provider's budget, one by one, to whoever matters most when a place comes (recipe 3.2).

The budget is one for all nodes, so a place is reserved where they all see it. A node reserves one at a time and for nobody in
particular: a stop that comes in behind two hundred queries takes the very next place. Looking may take half of the rate at most.
"""

import asyncio
import heapq
import itertools
from dataclasses import dataclass, field
from typing import Protocol

from clients.agora.observing import UNOBSERVED, CallObserver

ORDER = {
    "stop": 0,
    "start": 1,
    "acquire": 1,
    "rule": 2,
    "update": 3,
    "updateLayout": 3,
    "ncs_ip": 3,
    "query": 4,
    "users": 5,
}
"""The least goes first. The look of `/readyz` (`ncs_ip`) is rare, and waits for no query: they would make a busy node unready."""
LOOKING = ORDER["query"]
"""Calls from here on look only, and share half of the rate."""


class Places(Protocol):
    """Where places are reserved, for all nodes of an App ID."""

    async def reserve(self, *, looking: bool) -> float:
        """Take the next place, of all or of those for looking; the seconds until it comes. Raises JournalUnavailable."""
        ...


@dataclass(order=True, slots=True)
class _Waiter:
    order: int
    number: int
    place: asyncio.Future[None] = field(compare=False)


class Dispatcher:
    """Implements `clients.agora.client.Budget`. Its task lives while anybody waits."""

    def __init__(self, places: Places, observe: CallObserver = UNOBSERVED) -> None:
        self._places = places
        self._observe = observe
        self._numbers = itertools.count()
        self._waiters: list[_Waiter] = []
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._held_until = 0.0
        self._look_at: float | None = None
        """When the place for looking comes that is reserved, if one is."""

    async def slot(self, call: str) -> None:
        """Wait for a place. Raises JournalUnavailable: without a place there is no call."""
        loop = asyncio.get_running_loop()
        asked, waiter = loop.time(), _Waiter(ORDER[call], next(self._numbers), loop.create_future())
        self._observe.waiting(1)
        self._join(waiter)
        try:
            await waiter.place
        except asyncio.CancelledError:
            self._leave(waiter)
            raise
        finally:
            self._observe.waiting(-1)
        self._observe.waited(call, loop.time() - asked)

    @property
    def waiting(self) -> int:
        """How many wait for a place on this node."""
        return sum(not waiter.place.done() for waiter in self._waiters)

    def hold(self, seconds: float) -> None:
        """Nothing goes out for so long: the provider has said so."""
        self._held_until = max(self._held_until, asyncio.get_running_loop().time() + seconds)

    def _join(self, waiter: _Waiter) -> None:
        heapq.heappush(self._waiters, waiter)
        self._arrived.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._dispatch(), name="provider's budget")

    def _leave(self, waiter: _Waiter) -> None:
        """Whoever leaves as the place comes hands it on."""
        if waiter.place.cancelled() or waiter.place.exception() is not None:
            return
        if waiter.order >= LOOKING:
            self._look_at = asyncio.get_running_loop().time()
        self._give()

    def _first(self) -> _Waiter | None:
        while self._waiters and self._waiters[0].place.done():  # who has left
            heapq.heappop(self._waiters)
        return self._waiters[0] if self._waiters else None

    async def _dispatch(self) -> None:
        try:
            while self._first() is not None:
                await self._next()
        except Exception as error:
            self._refuse(error)

    async def _next(self) -> None:
        """One place, if it is not for looking only and that must wait."""
        await self._until(self._held_until)
        if not await self._may_go():
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + await self._places.reserve(looking=False)
        await self._until(due)
        if self._held_until <= loop.time():
            self._give()

    async def _may_go(self) -> bool:
        """Whether the first in line needs no place for looking, or has one. Waits for it, but no longer than others let it."""
        self._arrived.clear()
        first, loop = self._first(), asyncio.get_running_loop()
        if first is None or first.order < LOOKING:
            return first is not None
        if self._look_at is None:
            self._look_at = loop.time() + await self._places.reserve(looking=True)
        try:
            async with asyncio.timeout_at(self._look_at):
                await self._arrived.wait()
        except TimeoutError:
            return True
        return False

    def _give(self) -> None:
        """A place has come. It passes by if only those are left who must wait for another."""
        first = self._first()
        if first is None:
            return
        if first.order >= LOOKING:
            if self._look_at is None or self._look_at > asyncio.get_running_loop().time():
                return
            self._look_at = None
        heapq.heappop(self._waiters)
        first.place.set_result(None)

    def _refuse(self, error: Exception) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.place.done():
                waiter.place.set_exception(error)

    async def _until(self, at: float) -> None:
        await asyncio.sleep(at - asyncio.get_running_loop().time())
