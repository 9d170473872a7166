"""What lies between a node and the world: every port call passes here, may be struck, and is noted.

A dead node's calls never return, so nothing that it still tries reaches the world: that is a crash without mercy.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from actors.domain.events import JournalEvent
from actors.domain.model import Failure, FailureCode, Meeting
from actors.domain.outcomes import Ambiguous, RetryLater
from actors.ports import JournalUnavailable, OutcomeUnknown
from tests.simulation.faults import Faults

T = TypeVar("T")

BUSY = Failure(FailureCode.PROVIDER_UNAVAILABLE, "busy", retryable=True)
LATE_SECONDS_MAX = 30.0


class Wire:
    """Shared by all nodes of a run: the dice, the log of calls, and the checks after each of them."""

    def __init__(self, faults: Faults, check: Callable[[], None]) -> None:
        self.faults = faults
        self.calls: deque[str] = deque(maxlen=50)
        self.count = 0
        self.crash_at: int | None = None
        self.check = check
        self.late: set[asyncio.Task[Any]] = set()
        self.graveyard: list[asyncio.Future[None]] = []
        """What the tasks of dead nodes wait for, kept so that they are not collected before the run is over."""

    def note(self, text: str) -> None:
        self.calls.append(f"{asyncio.get_running_loop().time():10.3f} {text}")


class Cable:
    """One node's connection to the world."""

    def __init__(self, wire: Wire, crash: Callable[[], None]) -> None:
        self.wire = wire
        self.alive = True
        self._crash = crash

    async def pass_on(self, name: str, call: Callable[[], Awaitable[T]], lost: Callable[[str], T]) -> T:
        """Make the call, or not, or in part; `lost` says what the caller sees when the line is cut."""
        await self.to_the_world(name)
        if self.wire.faults.strikes(f"{name.split('.')[0]}.request_lost"):
            self.wire.note(f"{name} request lost")
            return lost("the request was lost")
        if self.wire.faults.strikes(f"{name.split('.')[0]}.late"):
            self._later(name, call)
            return lost("the request is late")
        answer = await call()
        self.wire.note(f"{name} -> {_short(answer)}")
        self.wire.check()
        await self.back(name)
        if self.wire.faults.strikes(f"{name.split('.')[0]}.answer_lost"):
            self.wire.note(f"{name} answer lost")
            return lost("the answer was lost")
        return answer

    async def to_the_world(self, name: str) -> None:
        self._maybe_crash()
        await self._pause(name)
        await self.hold()

    async def back(self, name: str) -> None:
        self._maybe_crash()
        await self._pause(name)
        await self.hold()

    async def _pause(self, name: str) -> None:
        rng = self.wire.faults.rng
        slow = self.wire.faults.strikes(f"{name.split('.')[0]}.slow")
        await asyncio.sleep(rng.uniform(3, 12) if slow else rng.uniform(0.001, 0.05))

    def _maybe_crash(self) -> None:
        if not self.alive:
            return
        self.wire.count += 1
        if self.wire.count == self.wire.crash_at or self.wire.faults.strikes("node.crash"):
            self.wire.note("CRASH")
            self.alive = False
            self._crash()

    async def hold(self) -> None:
        """Never come back if the node is dead."""
        if not self.alive:
            never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.wire.graveyard.append(never)
            await never

    def _later(self, name: str, call: Callable[[], Awaitable[Any]]) -> None:
        async def deliver() -> None:
            await asyncio.sleep(self.wire.faults.rng.uniform(0, LATE_SECONDS_MAX))
            self.wire.note(f"{name} delivered late -> {_short(await call())}")
            self.wire.check()

        task = asyncio.get_running_loop().create_task(deliver())
        self.wire.late.add(task)
        task.add_done_callback(self.wire.late.discard)


class ProviderCable:
    """ports.Recorder and ports.MediaStore behind a cable."""

    def __init__(self, cable: Cable, agora: Any, media: Any) -> None:
        self._cable, self._agora, self._media = cable, agora, media

    async def acquire(self, call: Any) -> Any:
        return await self._call("provider.acquire", lambda: self._agora.acquire(call))

    async def start(self, call: Any) -> Any:
        return await self._call("provider.start", lambda: self._agora.start(call))

    async def query(self, call: Any) -> Any:
        return await self._call("provider.query", lambda: self._agora.query(call))

    async def stop(self, call: Any) -> Any:
        return await self._call("provider.stop", lambda: self._agora.stop(call))

    async def update(self, call: Any) -> Any:
        return await self._call("provider.update", lambda: self._agora.update(call))

    async def update_layout(self, call: Any) -> Any:
        return await self._call("provider.update_layout", lambda: self._agora.update_layout(call))

    async def ban(self, call: Any) -> Any:
        return await self._call("provider.ban", lambda: self._agora.ban(call))

    async def members(self, call: Any) -> Any:
        return await self._call("provider.members", lambda: self._agora.members(call))

    async def examine(self, prefix: tuple[str, ...]) -> Any:
        return await self._stored("storage.examine", lambda: self._media.examine(prefix))

    async def erase(self, prefix: tuple[str, ...]) -> Any:
        return await self._stored("storage.erase", lambda: self._media.erase(prefix))

    async def _call(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if self._cable.wire.faults.strikes("provider.busy"):
            return RetryLater("429", BUSY)
        return await self._cable.pass_on(name, call, Ambiguous)

    async def _stored(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if self._cable.wire.faults.strikes("storage.unavailable"):
            return RetryLater("storage", BUSY)
        return await self._cable.pass_on(name, call, Ambiguous)


class DatabaseCable:
    """ports.Journal, Ownership and Inbox behind a cable. What is lost raises as the adapter would."""

    def __init__(self, cable: Cable, journal: Any, ownership: Any, inbox: Any) -> None:
        self._cable, self._journal, self._ownership, self._inbox = cable, journal, ownership, inbox

    async def commit(self, append: Any) -> None:
        await self._reach("commit")
        await self._journal.commit(append)
        self._cable.wire.note(f"database.commit {append.meeting_id} {[item.event.kind for item in append.events]}")
        self._cable.wire.check()
        await self._cable.back("database.commit")
        if self._cable.wire.faults.strikes("database.outcome_unknown"):
            raise OutcomeUnknown("the connection broke")

    async def find_command(self, *names: Any) -> Any:
        return await self._read("find_command", lambda: self._journal.find_command(*names))

    async def recorded_by(self, *names: Any) -> Any:
        return await self._read("recorded_by", lambda: self._journal.recorded_by(*names))

    async def recall(self, *names: Any) -> Any:
        return await self._read("recall", lambda: self._journal.recall(*names))

    async def enter(self, lease_seconds: float) -> int:
        return await self._read("enter", lambda: self._ownership.enter(lease_seconds))

    async def renew(self, lease_seconds: float, *, anew: bool = False) -> int:
        return await self._read("renew", lambda: self._ownership.renew(lease_seconds, anew=anew))

    async def claim(self, meeting_id: Any) -> Any:
        return await self._read("claim", lambda: self._ownership.claim(meeting_id))

    async def release(self, *names: Any) -> None:
        await self._read("release", lambda: self._ownership.release(*names))

    async def due(self, *names: Any) -> Any:
        return await self._read("due", lambda: self._ownership.due(*names))

    async def unowned(self, limit: int) -> Any:
        return await self._read("unowned", lambda: self._ownership.unowned(limit))

    async def store(self, *names: Any) -> Any:
        return await self._read("store", lambda: self._inbox.store(*names))

    async def meeting_of(self, notice: Any) -> Any:
        return await self._read("meeting_of", lambda: self._inbox.meeting_of(notice))

    async def unprocessed(self, *names: Any) -> Any:
        return await self._read("unprocessed", lambda: self._inbox.unprocessed(*names))

    async def set_aside(self, notice_id: Any) -> None:
        await self._read("set_aside", lambda: self._inbox.set_aside(notice_id))

    async def _reach(self, name: str) -> None:
        await self._cable.to_the_world(f"database.{name}")
        if self._cable.wire.faults.strikes("database.unavailable"):
            raise JournalUnavailable(name)

    async def _read(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        await self._reach(name)
        answer = await call()
        await self._cable.back(f"database.{name}")
        return answer


class SilentPublisher:
    """Hints of a node; a dead one gives none."""

    def __init__(self, cable: Cable, seen: list[JournalEvent]) -> None:
        self._cable, self._seen = cable, seen

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        if self._cable.alive:
            self._seen.extend(events)


def _short(answer: object) -> str:
    text = repr(answer)
    return text if len(text) <= 100 else text[:97] + "..."
