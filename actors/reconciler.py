"""The safety net under every hint: what is due, unowned or unprocessed is found by looking, again and again.

It never carries what has changed, only which meeting to look at. Start-up after a crash needs nothing else: every meeting
with something left to do is unowned then. What another node owns is not found, so a claim is hardly ever refused.
"""

import asyncio
from dataclasses import dataclass

import structlog

from actors.domain.ids import MeetingId
from actors.ports import JournalUnavailable, Ports
from actors.system import ActorSystem

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilerSettings:
    """How often it looks, how many meetings a statement takes, how old a stored notification may get."""

    interval_seconds: float = 1.0
    batch: int = 100
    inbox_age_ms: int = 5_000


class Reconciler:
    """Runs until it is cancelled."""

    def __init__(self, system: ActorSystem, ports: Ports, settings: ReconcilerSettings) -> None:
        self._system = system
        self._ports = ports
        self._settings = settings

    async def run(self) -> None:
        """Look, pause, look again; a database that is away is only waited for, and so is a lease."""
        while True:
            try:
                if self._system.standing:
                    await self.look()
            except JournalUnavailable as error:
                log.warning("reconciler.database_unavailable", error=str(error))
            await asyncio.sleep(self._settings.interval_seconds)

    async def look(self) -> None:
        """One pass over everything that may need an actor."""
        now_ms = self._ports.clock.now_ms()
        for meeting_id in await self._ports.ownership.unowned(self._settings.batch):
            self._system.wake(meeting_id)
        await self._wake_due(now_ms)
        stale_ms = now_ms - self._settings.inbox_age_ms
        for meeting_id, notice in await self._ports.inbox.unprocessed(stale_ms, self._settings.batch):
            self._system.report(meeting_id, notice)

    async def _wake_due(self, now_ms: int) -> None:
        """Page by page to the end, so that meetings that stay due for long hide no others."""
        last: MeetingId | None = None
        while True:
            page = await self._ports.ownership.due(now_ms, self._settings.batch, last)
            for meeting_id in page:
                self._system.wake(meeting_id)
            if len(page) < self._settings.batch:
                return
            last = page[-1]
