"""The ports of a node, each call of which goes over the wire. What is lost raises, or is answered, as the adapter would."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from actors.domain.effects import key_of
from actors.domain.events import JournalEvent
from actors.domain.model import Failure, FailureCode, Meeting
from actors.domain.outcomes import Ambiguous, Done, Leaving, NotFound, Rejected, RetryLater, Started
from actors.ports import JournalUnavailable, OutcomeUnknown
from tests.simulation.promises import Broken
from tests.simulation.wire import Line, Trip

FULL = Failure(FailureCode.CAPACITY, "full", retryable=True)
BUSY = Failure(FailureCode.PROVIDER_UNAVAILABLE, "busy", retryable=True)
AWAY = Failure(FailureCode.STORAGE_UNAVAILABLE, "away", retryable=True)
REFUSED = Failure(FailureCode.PROVIDER_REJECTED, "refused", retryable=False)
LATE_SECONDS_MAX = 30.0
LINGERING_SECONDS = (1.0, 10.0)
HINT_SECONDS = 0.002
CHECKED = ("acquire", "start", "stop", "ban")
"""Calls after which the world may look otherwise than was promised."""
Call = Callable[[], Coroutine[Any, Any, Any]]


class ProviderCable:
    """ports.Recorder and ports.MediaStore."""

    def __init__(self, line: Line, world: Any, asked: Callable[[Any], None]) -> None:
        self._line, self._world, self._asked = line, world, asked
        self._agora, self._shelf, self._veil = world.agora, world.shelf, world.veil
        self._under_way: set[Any] = set()
        self._pace = line.wire.faults.dice("pace of the provider")

    async def acquire(self, call: Any) -> Any:
        self._asked(call)
        if self._strikes("provider.refused"):
            return await self._line.refuse("acquire", Rejected(REFUSED), 0.1)
        return await self._call("acquire", call, lambda: self._agora.acquire(call))

    async def start(self, call: Any) -> Any:
        self._asked(call)
        return await self._call("start", call, lambda: self._start(call))

    async def query(self, call: Any) -> Any:
        if self._strikes("query.fails"):
            return await self._line.refuse("query", Ambiguous("500"), 1)
        return await self._call("query", call, lambda: self._query(call))

    async def stop(self, call: Any) -> Any:
        self._asked(call)
        if self._strikes("stop.fails"):
            return await self._line.refuse("stop", Ambiguous("500"), 1)
        return await self._call("stop", call, lambda: self._stop(call))

    async def update(self, call: Any) -> Any:
        return await self._call("update", call, lambda: self._agora.update(call))

    async def update_layout(self, call: Any) -> Any:
        return await self._call("update_layout", call, lambda: self._agora.update_layout(call))

    async def rekey(self, call: Any) -> Any:
        return await self._call("rekey", call, lambda: self._agora.rekey(call))

    async def ban(self, call: Any) -> Any:
        self._asked(call)
        if self._strikes("rule.refused"):
            return await self._line.refuse("ban", RetryLater("503", BUSY), 1)
        return await self._call("ban", call, lambda: self._agora.ban(call))

    async def members(self, call: Any) -> Any:
        if self._strikes("list.fails"):
            return await self._line.refuse("members", Ambiguous("500"), 1)
        return await self._call("members", call, lambda: self._agora.members(call))

    async def examine(self, prefix: tuple[str, ...]) -> Any:
        return await self._stored("examine", lambda: self._shelf.examine(prefix))

    async def seal(self, recording_id: Any, prefix: tuple[str, ...]) -> Any:
        return await self._stored("seal", lambda: self._shelf.seal(prefix))

    async def survey(self, prefix: tuple[str, ...], after: str | None) -> Any:
        return await self._stored("survey", lambda: self._shelf.survey(prefix, after))

    async def erase(self, prefix: tuple[str, ...]) -> Any:
        return await self._stored("erase", lambda: self._shelf.erase(prefix))

    async def _start(self, call: Any) -> Any:
        answer = await self._agora.start(call)
        if isinstance(answer, Done) and isinstance(answer.value, Started) and self._strikes("session.mute"):
            self._agora.mute(answer.value.sid)
        return answer

    async def _query(self, call: Any) -> Any:
        if self._veil.hides(call.sid, self._agora.clock.now_ms()):
            return Done(NotFound())
        return await self._agora.query(call)

    async def _stop(self, call: Any) -> Any:
        """Code 49 says that a recorder is about to leave, which may take it seconds (reference 6.2). Who moves is not found."""
        if self._strikes("stop.lingers") and await self._agora.query(call) != Done(NotFound()):
            trip = Trip("provider", "stop", lambda: self._agora.stop(call), Ambiguous, checked=True, back=0.0)
            self._line.later(trip, self._pace.uniform(*LINGERING_SECONDS))
            return Done(Leaving())
        return self._shelf.answered(call.sid, await self._agora.stop(call))

    def _strikes(self, kind: str) -> bool:
        return self._line.wire.faults.strikes(kind)

    async def _call(self, name: str, call: Any, do: Call) -> Any:
        """One at a time of a kind: what is under way is not sent again beside itself."""
        key = key_of(call)
        if key in self._under_way:
            self._world.breaks(Broken(f"{name} of {call.recording_id} was sent while it was under way"))
        self._under_way.add(key)
        try:
            return await self._travel(name, do)
        finally:
            self._under_way.discard(key)

    async def _travel(self, name: str, do: Call) -> Any:
        """Slow, busy, lost, or late: done after the caller was told that nothing is known."""
        trip = Trip("provider", name, do, Ambiguous, name in CHECKED, self._seconds())
        if "provider" in self._line.cut:
            return await self._line.refuse(name, Ambiguous("no connection"), self._pace.uniform(0.1, 5))
        if self._strikes("provider.busy"):
            full = FULL if name == "acquire" else BUSY
            return await self._line.refuse(name, RetryLater("429", full, self._pace.choice((None, 20_000))), 0.1)
        if self._strikes("provider.request_lost"):
            return await self._line.refuse(name, Ambiguous("the request was lost"), self._pace.uniform(1, 10))
        if self._strikes("provider.late"):
            self._line.later(trip, self._pace.uniform(0, LATE_SECONDS_MAX))
            return await self._line.refuse(name, Ambiguous("the request is late"), self._pace.uniform(1, 10))
        return await self._line.send(trip, self._seconds())

    def _seconds(self) -> float:
        return self._pace.uniform(2, 12) if self._strikes("provider.slow") else self._pace.uniform(0.02, 0.3)

    async def _stored(self, name: str, do: Call) -> Any:
        if self._strikes("storage.unavailable"):
            return await self._line.refuse(name, RetryLater("away", AWAY), 0.1)
        return await self._line.send(Trip("storage", name, do, Ambiguous, False, 0.0), self._pace.uniform(0.01, 0.2))


class DatabaseCable:
    """ports.Journal, Ownership and Inbox."""

    def __init__(self, line: Line, journal: Any, ownership: Any, inbox: Any) -> None:
        self._line, self._journal, self._ownership, self._inbox = line, journal, ownership, inbox
        self._pace = line.wire.faults.dice("pace of the database")

    async def commit(self, append: Any) -> None:
        """Done or not, the caller may hear nothing of it; it may even be done after that."""
        trip = Trip("database", "commit", lambda: self._journal.commit(append), OutcomeUnknown, True, 0.0)
        self._line.wire.note(f"{self._line.name} commits {[item.event.kind for item in append.events]}")
        if self._strikes("database.commit_lost"):
            await self._line.refuse("commit", OutcomeUnknown("never arrived"), self._seconds())
        elif self._strikes("database.commit_late"):
            self._line.later(trip, self._pace.uniform(0, 5))
            await self._line.refuse("commit", OutcomeUnknown("arrives later"), self._seconds())
        else:
            await self._send(trip)
            if self._strikes("database.commit_unseen"):
                raise OutcomeUnknown("the connection broke")

    async def find_command(self, *names: Any) -> Any:
        return await self._look("find_command", lambda: self._journal.find_command(*names))

    async def recorded_by(self, *names: Any) -> Any:
        return await self._look("recorded_by", lambda: self._journal.recorded_by(*names))

    async def recall(self, *names: Any) -> Any:
        return await self._look("recall", lambda: self._journal.recall(*names))

    async def holder(self) -> Any:
        return await self._look("holder", self._ownership.holder)

    async def enter(self, lease_seconds: float, over: int) -> Any:
        return await self._ask("enter", lambda: self._ownership.enter(lease_seconds, over))

    async def renew(self, lease_seconds: float, *, anew: bool = False) -> Any:
        return await self._ask("renew", lambda: self._ownership.renew(lease_seconds, anew=anew))

    async def leave(self) -> None:
        await self._ask("leave", self._ownership.leave)

    async def claim(self, meeting_id: Any) -> Any:
        return await self._ask("claim", lambda: self._ownership.claim(meeting_id))

    async def release(self, *names: Any) -> None:
        await self._ask("release", lambda: self._ownership.release(*names))

    async def due(self, *names: Any) -> Any:
        return await self._look("due", lambda: self._ownership.due(*names))

    async def unowned(self, *names: Any) -> Any:
        return await self._look("unowned", lambda: self._ownership.unowned(*names))

    async def store(self, *names: Any) -> Any:
        return await self._ask("store", lambda: self._inbox.store(*names))

    async def meeting_of(self, notice: Any) -> Any:
        return await self._look("meeting_of", lambda: self._inbox.meeting_of(notice))

    async def unprocessed(self, *names: Any) -> Any:
        return await self._look("unprocessed", lambda: self._inbox.unprocessed(*names))

    async def set_aside(self, notice_id: Any) -> None:
        await self._ask("set_aside", lambda: self._inbox.set_aside(notice_id))

    def _strikes(self, kind: str) -> bool:
        return self._line.wire.faults.strikes(kind)

    async def _ask(self, name: str, do: Call) -> Any:
        return await self._send(Trip("database", name, do, JournalUnavailable, False, 0.0))

    async def _look(self, name: str, do: Call) -> Any:
        trip = Trip("database", name, do, JournalUnavailable, False, 0.0)
        if self._is_away():
            return await self._refuse(trip)
        if self._strikes("database.slow"):
            return await self._line.send(trip, self._pace.uniform(1, 15))
        return await self._line.look(trip)

    async def _send(self, trip: Trip) -> Any:
        if self._is_away():
            return await self._refuse(trip)
        return await self._line.send(trip, self._seconds())

    def _is_away(self) -> bool:
        return "database" in self._line.cut or self._strikes("database.unavailable")

    async def _refuse(self, trip: Trip) -> Any:
        return await self._line.refuse(trip.name, JournalUnavailable(trip.name), self._pace.uniform(0.01, 2))

    def _seconds(self) -> float:
        return self._pace.uniform(1, 15) if self._strikes("database.slow") else self._pace.uniform(0.001, 0.05)


class PublisherCable:
    """ports.Publisher: nobody waits for hints, and they may be lost."""

    def __init__(self, line: Line, hear: Callable[[Meeting, Sequence[JournalEvent]], None]) -> None:
        self._line, self._hear = line, hear

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        self._line.wire.after(HINT_SECONDS, self._hear, state, tuple(events))
