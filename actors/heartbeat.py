"""Keeps this node's lease, and ends its actors when it cannot: no recording is touched by that.

A node that was frozen or cut off goes on as a new incarnation, which finds its meetings as any other node would. It ends itself
only when a later process has its name.
"""

import asyncio

import structlog

from actors.lease import Lease, LeaseSettings
from actors.ports import JournalUnavailable, NameTaken, Ports
from actors.system import ActorSystem

log = structlog.get_logger(__name__)


class Heartbeat:
    """Runs until it is cancelled, or until `ousted`: then a later process has this node's name."""

    def __init__(self, system: ActorSystem, ports: Ports, lease: Lease, settings: LeaseSettings) -> None:
        self.ousted = asyncio.Event()
        self._system = system
        self._ports = ports
        self._lease = lease
        self._settings = settings
        self._incarnation: int | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self._left = False

    async def run(self) -> None:
        """Renew, pause, renew again; sooner where it failed."""
        while not self.ousted.is_set():
            kept = await self.beat()
            await asyncio.sleep(self._settings.renew_seconds if kept else self._settings.retry_seconds)

    async def beat(self) -> bool:
        """One renewal; the first one takes the name. False if it failed."""
        try:
            async with self._turn, asyncio.timeout(self._settings.renew_seconds):
                if not self._left:
                    await self._renew()
        except NameTaken:
            self._end()
            return False
        except (JournalUnavailable, TimeoutError) as error:
            log.warning("node.not_renewed", error=str(error) or type(error).__name__)
            self._ports.observe.renewal("failed")
            return False
        return True

    async def leave(self) -> None:
        """Give the name back for good, so that nobody has to wait for the lease to run out."""
        self._left = True
        self._disarm()
        try:
            async with asyncio.timeout(self._settings.renew_seconds), self._turn:
                await self._ports.ownership.leave()
        except (JournalUnavailable, TimeoutError) as error:
            log.warning("node.not_left", error=str(error) or type(error).__name__)

    async def _renew(self) -> None:
        sent_at = asyncio.get_running_loop().time()
        ownership, lease_seconds = self._ports.ownership, self._settings.lease_seconds
        if self._incarnation is None:
            incarnation = await ownership.enter(lease_seconds, await ownership.holder())
        else:
            # Whoever has ended its actors has to claim anew what it had, so it begins anew, though the lease may still hold.
            incarnation = await ownership.renew(lease_seconds, anew=not self._lease.held)
        self._keep(sent_at, incarnation)

    def _keep(self, sent_at: float, incarnation: int) -> None:
        lapsed = self._incarnation not in (None, incarnation)
        if lapsed:
            log.warning("node.lapsed", incarnation=incarnation)
            self._system.let_go()
        self._ports.observe.renewal("lapsed" if lapsed else "kept")
        self._incarnation = incarnation
        self._lease.renewed(sent_at)
        self._disarm()
        let_go_at = sent_at + self._settings.let_go_seconds
        self._alarm = asyncio.get_running_loop().call_at(let_go_at, self._let_go)

    def _let_go(self) -> None:
        log.warning("node.let_go", seconds=self._lease.age_seconds)
        self._system.let_go()

    def _end(self) -> None:
        log.error("node.name_taken", detail="a later process has this node's name; this one ends")
        self._ports.observe.renewal("taken")
        self._disarm()
        self._lease.lose()
        self._system.let_go()
        self.ousted.set()

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
