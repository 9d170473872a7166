"""What lies between the nodes and the world: requests travel there and answers back, and each may be struck on its way.

A request that has left reaches the world whatever becomes of its sender; an answer reaches only those who still live.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from tests.simulation.faults import Faults
from tests.simulation.loop import Process

Call = Callable[[], Coroutine[Any, Any, Any]]
BEGIN_MS = 1_790_000_000_000


@dataclass(frozen=True, slots=True)
class Trip:
    """One call on its way. `lost`: what the caller is told when it hears nothing; `to` names the far end."""

    to: str
    name: str
    do: Call
    lost: Callable[[str], Any]
    checked: bool
    back: float


class Wire:
    """Shared by all nodes: the dice, the log of calls, the points at which a process may die, the check after each call."""

    def __init__(self, faults: Faults, check: Callable[[], None], crash_at: frozenset[int] = frozenset()) -> None:
        self.faults = faults
        self.calls: deque[str] = deque(maxlen=50)
        self.events: list[str] = []
        """What befell the world, for the story."""
        self.crossings = 0
        self.crash_at = crash_at
        self.check = check
        self._world: Context | None = None

    def open(self, world: Context) -> None:
        """From here on what arrives runs in the world's context, which no process owns."""
        self._world = world

    def after(self, seconds: float, callback: Callable[..., object], *arguments: Any) -> None:
        """Do something in the world, whoever asks for it now."""
        asyncio.get_running_loop().call_later(seconds, callback, *arguments, context=self._world)

    def note(self, text: str) -> None:
        self.calls.append(f"{asyncio.get_running_loop().time():10.3f} {text}")

    def tell(self, text: str) -> None:
        """Something for the story."""
        self.note(text)
        self.events.append(self.calls[-1])


class Line:
    """One process's connection to the world."""

    def __init__(self, wire: Wire, process: Process, name: str, crash: Callable[[], None]) -> None:
        self.wire = wire
        self.process = process
        self.name = name
        self.cut: set[str] = set()
        """The far ends that cannot be reached."""
        self._crash = crash

    def send(self, trip: Trip, seconds: float) -> "asyncio.Future[Any]":
        """The request leaves and arrives that much later. The answer, or what the caller is told instead of one."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not self._dies_here(trip):
            self.wire.after(seconds, self._arrive, trip, future)
        return future

    async def look(self, trip: Trip) -> Any:
        """A call that changes nothing takes no time: runs are mostly looks that find nothing."""
        if not self._dies_here(trip):
            answer = self._deliver(trip, "")
            if not self._dies_here(trip):
                lost = self.wire.faults.strikes(f"{trip.to}.answer_lost")
                answer = trip.lost("the answer was lost") if lost else answer
                if isinstance(answer, Exception):
                    raise answer
                return answer
        return await asyncio.get_running_loop().create_future()

    def refuse(self, name: str, answer: Any, seconds: float) -> "asyncio.Future[Any]":
        """Nothing leaves; the caller is told so."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.wire.note(f"{self.name} {name} x {_short(answer)}")
        self.wire.after(seconds, _settle, future, answer)
        return future

    def later(self, trip: Trip, seconds: float) -> None:
        """It will be done after its caller has given up, and nobody hears of it."""
        self.wire.after(seconds, self._deliver, trip, " late")

    def _arrive(self, trip: Trip, future: "asyncio.Future[Any]") -> None:
        if trip.to in self.cut:
            self.wire.note(f"{self.name} {trip.name} never arrived")
            _settle(future, trip.lost("the request was lost"))
            return
        if not self.process.alive:
            self.wire.faults.happened(f"{trip.to}.outlived")
        answer = self._deliver(trip, "" if self.process.alive else " outlived its caller")
        if self._dies_here(trip):
            return
        if trip.to in self.cut or self.wire.faults.strikes(f"{trip.to}.answer_lost"):
            self.wire.note(f"{self.name} {trip.name} answer lost")
            answer = trip.lost("the answer was lost")
        if trip.back:
            self.wire.after(trip.back, _settle, future, answer)
        else:
            _settle(future, answer)

    def _deliver(self, trip: Trip, how: str) -> Any:
        answer = at_once(trip.do())
        if answer != []:  # mostly there is nothing to do
            self.wire.note(f"{self.name} {trip.name}{how} -> {_short(answer)}")
        if trip.checked:
            self.wire.check()
        return answer

    def _dies_here(self, trip: Trip) -> bool:
        """A process may die before a request leaves, and before an answer comes."""
        if not self.process.alive:
            return True
        self.wire.crossings += 1
        if self.wire.crossings not in self.wire.crash_at and not self.wire.faults.strikes("node.crash"):
            return False
        self.wire.tell(f"{self.name} CRASHES at {trip.name}")
        self._crash()
        return True


def at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What it returns or raises; fakes never wait, so each of their methods is one transaction."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    except Exception as error:
        return error
    raise AssertionError("a fake waits")


def _settle(future: "asyncio.Future[Any]", answer: Any) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _short(answer: object) -> str:
    text = repr(answer)
    return text if len(text) <= 100 else text[:97] + "..."
