"""Nodes with leases that run out, on one database in memory and with one provider: each with its heartbeat and its sweeps."""

import asyncio
from dataclasses import replace

from actors.domain.ids import MeetingId
from actors.domain.policy import Policy
from actors.heartbeat import Heartbeat
from actors.lease import Lease, LeaseSettings
from actors.ports import Claim, JournalUnavailable, Observer
from actors.reconciler import Reconciler, ReconcilerSettings
from actors.system import ActorSystem, SystemSettings
from tests.fakes.memory import MemoryInbox, MemoryOwnership
from tests.fakes.shell import World

LEASES = LeaseSettings()


class CutOwnership(MemoryOwnership):
    """Its renewals are refused while it is `cut` off, never answered while it `hangs`, and answered after `slow_seconds`."""

    cut = False
    hangs = False
    slow_seconds = 0.0
    claims = 0

    async def renew(self, lease_seconds: float, *, anew: bool = False) -> int:
        if self.hangs:
            await asyncio.get_running_loop().create_future()
        if self.cut:
            raise JournalUnavailable("cut off")
        incarnation = await super().renew(lease_seconds, anew=anew)
        await asyncio.sleep(self.slow_seconds)
        return incarnation

    async def claim(self, meeting_id: MeetingId) -> Claim:
        self.claims += 1
        return await super().claim(meeting_id)


class Outcomes(Observer):
    """Keeps what became of renewals and claims."""

    def __init__(self) -> None:
        self.renewals: list[str] = []
        self.refusals: list[str] = []
        self.quarantines = 0

    def quarantined(self, change: int) -> None:
        self.quarantines += change

    def renewal(self, outcome: str) -> None:
        self.renewals.append(outcome)

    def claim_refused(self, reason: str) -> None:
        self.refusals.append(reason)


class Node(World):
    """One process; `beside` is another one on the same database. It lives from `begin` until `die`."""

    def __init__(self, name: str, process: str = "first", beside: World | None = None) -> None:
        super().__init__(database=beside.database if beside is not None else None)
        self.database.now_ms = self.now_ms
        if beside is not None:
            self.agora, self._number = beside.agora, beside._number + 100
        self.seen = Outcomes()
        self.ownership = CutOwnership(self.database, name, process)
        self.lease = Lease(LEASES)
        self.ports = replace(
            self.ports,
            ownership=self.ownership,
            inbox=MemoryInbox(self.database, name),
            recorder=self.agora,
            media=self.agora.media,
            observe=self.seen,
        )
        self.system = ActorSystem(self.ports, Policy(), SystemSettings(), self.lease)
        self.heartbeat = Heartbeat(self.system, self.ports, self.lease, LEASES)
        self._works: list[asyncio.Task[None]] = []

    async def begin(self) -> "Node":
        """Take the name, then beat and sweep."""
        await self.heartbeat.beat()
        reconciler = Reconciler(self.system, self.ports, ReconcilerSettings())
        self._works = [asyncio.create_task(work) for work in (self.heartbeat.run(), reconciler.run())]
        return self

    def die(self) -> None:
        """As by kill -9: nothing of it goes on, and nothing is given back."""
        for work in self._works:
            work.cancel()
        self.system._closed = True
        for task in self.system._busy():
            task.cancel()
