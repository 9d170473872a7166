"""One process: the shipped actor system and reconciler, on lines to the world that can be cut."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from actors.domain.commands import Notice
from actors.domain.events import JournalEvent
from actors.domain.model import Meeting
from actors.domain.policy import Policy
from actors.heartbeat import Heartbeat
from actors.lease import Lease, LeaseSettings
from actors.ports import JournalUnavailable, Observer, Ports
from actors.reconciler import Reconciler, ReconcilerSettings
from actors.system import ActorSystem, SystemSettings
from tests.fakes.memory import MemoryFeed, MemoryInbox, MemoryOwnership
from tests.simulation.cables import DatabaseCable, ProviderCable, PublisherCable
from tests.simulation.listeners import Edge, FeedCable
from tests.simulation.loop import PROCESS, Process
from tests.simulation.wire import Line

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")
DRAIN_SECONDS = 8.0
RECONCILER = ReconcilerSettings(interval_seconds=10.0)
"""It looks less often than in earnest: a run is mostly looking, and nothing may depend on how often."""
LEASES = LeaseSettings(
    renew_seconds=9.0, silent_seconds=15.0, let_go_seconds=24.0, lease_seconds=30.0, retry_seconds=3.0
)
"""Three times as long as in earnest, as are the stalls and cuts that outlast them: a run is full of heartbeats, too."""
POLICY = Policy(backup_deadline_ms=3_600_000, eviction_limit_ms=3_600_000, max_age_ms=3_600_000)
"""What takes a day takes an hour here."""


class WatchedOwnership(MemoryOwnership):
    """Ownership in memory, with an eye on who takes a name from whom."""

    def __init__(self, world: "World", node: "Node") -> None:
        super().__init__(world.database, node.name, node.process_id)
        self._world, self._of = world, node

    async def enter(self, lease_seconds: float, over: int) -> int:
        before = self._world.database.nodes.get(self._of.name)
        incarnation = await super().enter(lease_seconds, over)
        if before is not None and before.incarnation != over and not self._of.process.alive:
            self._world.outlived(before.process)
        return incarnation


class Node:
    """It lives until it crashes or has been drained."""

    def __init__(self, world: "World", name: str, incarnation: int) -> None:
        self.name = name
        self.process_id = str(incarnation)
        self.process = Process()
        self.line = Line(world.wire, self.process, f"{name}.{incarnation}", self.crash)
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._world = world
        self._context = copy_context()
        self._context.run(PROCESS.set, self.process)
        self._inbox = DatabaseCable(
            self.line,
            world.journal,
            WatchedOwnership(world, self),
            MemoryInbox(world.database, name),
        )
        provider = ProviderCable(self.line, world, self._asks)
        self._ports = Ports(
            journal=self._inbox,
            ownership=self._inbox,
            inbox=self._inbox,
            recorder=provider,
            media=provider,
            publisher=PublisherCable(self.line, world.hear),
            clock=world,
            ids=world,
            observe=Observer(),
        )
        lease = Lease(LEASES)
        self.system: ActorSystem = self._context.run(ActorSystem, self._ports, POLICY, SystemSettings(), lease)
        self._heartbeat = Heartbeat(self.system, self._ports, lease, LEASES)
        self._reconciling = self.spawn(Reconciler(self.system, self._ports, RECONCILER).run())
        feed = FeedCable(self.line, MemoryFeed(world.database), JournalUnavailable)
        self.edge: Edge = self._context.run(Edge, world, feed)
        self.spawn(self._heartbeat.run())
        self.spawn(self.edge.watch())
        self.spawn(self._until_ousted())

    def __str__(self) -> str:
        return self.line.name

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """A task of this process, which stands still and dies with it."""
        return asyncio.get_running_loop().create_task(work, context=self._context)

    def hear(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        """A hint has come."""
        asyncio.get_running_loop().call_soon(self.edge.hint, state, events, context=self._context)

    def _asks(self, call: Any) -> None:
        self._world.asked(call, self.name, self.process_id)

    def crash(self) -> None:
        """From one instruction to the next. Another comes up in its place."""
        if self.process.alive:
            self._end()
            self._world.replace(self)

    def _end(self) -> None:
        self.process.kill()
        self.gone.set_result(None)
        self._world.lost(self)

    async def _until_ousted(self) -> None:
        await self._heartbeat.ousted.wait()
        self._world.wire.after(0, self._end_for_another)

    def _end_for_another(self) -> None:
        """A later process has its name: it ends. None comes up in its place, unless that process is gone."""
        if self.process.alive:
            self._world.faults.happened("node.ousted")
            self._end()
            if all(node.name != self.name for node in self._world.nodes):
                self._world.replace(self)

    async def drain(self) -> None:
        """Leave in good order, as on SIGTERM."""
        task = self.spawn(self._leave())
        await asyncio.wait({task, self.gone}, return_when=asyncio.FIRST_COMPLETED)
        self.crash()

    async def _leave(self) -> None:
        await self.system.drain(DRAIN_SECONDS)
        await self._heartbeat.leave()

    async def receive(self, notice: Notice) -> bool:
        """The webhook's route: stored before it is answered. False: no answer, so it will be sent again."""
        try:
            await self._inbox.store(notice, b"", self._world.now_ms())
            meeting = await self._inbox.meeting_of(notice)
        except JournalUnavailable:
            return False
        if meeting is not None:
            self.system.report(meeting, notice)
        return True
