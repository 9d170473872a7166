"""One actor system on fakes of all its ports, and the virtual clock that its stories run on."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from actors.domain.commands import StartRecording, StopRecording
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Actor, ActorKind, Meeting, Phase, RecordingSpec
from actors.domain.policy import Policy
from actors.mailbox import CommandKey
from actors.ports import Append, OutcomeUnknown, Ports
from actors.system import ActorSystem, SystemSettings
from tests.fakes.agora import FakeAgora
from tests.fakes.memory import MemoryDatabase, MemoryInbox, MemoryJournal
from tests.fakes.standing import standing
from tests.simulation.loop import VirtualLoop

M = MeetingId("m-1")
USER = Actor(ActorKind.USER, "host")


class Journal(MemoryJournal):
    """The journal in memory, which fails as it is told to."""

    def __init__(self, database: MemoryDatabase) -> None:
        super().__init__(database)
        self.failures: list[Exception] = []
        self.log: list[str] = []

    async def commit(self, append: Append) -> None:
        await asyncio.sleep(0.01)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, OutcomeUnknown):
                await super().commit(append)
            raise failure
        await super().commit(append)
        self.log.append("committed")


class World:
    """One system with everything that it needs."""

    def __init__(self, settings: SystemSettings | None = None, database: MemoryDatabase | None = None) -> None:
        self.database = database or MemoryDatabase()
        self.journal = Journal(self.database)
        self.agora = FakeAgora(self, random.Random(1))
        self.hints: list[JournalEvent] = []
        self._number = 0
        self.node = f"node-{len(self.database.nodes) + 1}"
        ownership, self.lease = standing(self.database, self.node)
        self.ports = Ports(
            journal=self.journal,
            ownership=ownership,
            inbox=MemoryInbox(self.database, self.node),
            recorder=self.agora,
            media=self.agora.media,
            publisher=self,
            clock=self,
            ids=self,
        )
        self.system = ActorSystem(self.ports, Policy(), settings or SystemSettings(), self.lease)

    def now_ms(self) -> int:
        return 1_790_000_000_000 + round(asyncio.get_running_loop().time() * 1000)

    def recording_id(self) -> RecordingId:
        self._number += 1
        return RecordingId(f"r-{self._number}")

    def recorder_uid(self) -> str:
        self._number += 1
        return str(self._number)

    def jitter(self) -> float:
        return 0.0

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        self.journal.log += [event.event.kind for event in events]
        self.hints += events

    def start_command(self) -> StartRecording:
        spec = RecordingSpec(channel_name=M)
        return StartRecording(recording_id=self.recording_id(), prefix=("t", "r"), spec=spec, by=USER)

    async def start(self, key: CommandKey | None = None) -> Any:
        return await self.system.ask(M, self.start_command(), key)

    async def stop(self) -> Any:
        return await self.system.ask(M, StopRecording(by=USER))

    async def until(self, phase: Phase, recording_id: RecordingId) -> Any:
        return await self.system.wait(M, recording_id, lambda recording: recording.phase is phase, 60)


def virtual(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story on a loop whose time jumps."""
    structlog.configure(processors=[_drop])
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(story())  # type: ignore[arg-type]
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        structlog.reset_defaults()


def _drop(*_: object) -> Any:
    raise structlog.DropEvent
