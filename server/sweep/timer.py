"""The sweep that nobody asks for: it only tells, in metrics and the log; whoever wants to delete asks for it."""

import asyncio

import structlog

from actors.ports import JournalUnavailable, StorageDenied, StorageNotFound, StorageUnavailable
from server.sweep.findings import Item
from server.sweep.sweeper import Sweeper, SweepRuns

LOOKS = 10
"""In an interval: the turn may be another node's, and may come to this one when that has gone."""
log = structlog.get_logger(__name__)


class SweepTimer:
    """One sweep in each interval, over all nodes."""

    def __init__(self, sweeper: Sweeper, interval_seconds: float) -> None:
        self._sweeper = sweeper
        self._interval_seconds = interval_seconds

    async def run(self) -> None:
        """Until it is cancelled."""
        if not self._interval_seconds:
            return
        while True:
            await asyncio.sleep(self._interval_seconds / LOOKS)
            await self.look()

    async def look(self) -> None:
        """Sweep, if it is time and nobody else does."""
        count = 0
        try:
            async for told in self._sweeper.sweep(delete=False, since_seconds=self._interval_seconds):
                if isinstance(told, Item):
                    count += 1
                    log.debug("sweep.found", kind=told.finding.kind, key=told.finding.key, action=told.action)
        except SweepRuns:
            return
        except (StorageDenied, StorageNotFound, StorageUnavailable, JournalUnavailable) as error:
            log.warning("sweep.failed", why=str(error))
            return
        log.info("sweep.done", findings=count)
