"""Whether another recording may begin at all, whatever its meeting: storage that works, and a recorder.

A start that finds an obstacle stores nothing. Starts that come at the same moment may all find room for one more: then the
provider refuses what is too much, and those recordings wait for a recorder.
"""

from collections.abc import Callable
from math import ceil

from actors.capacity import Capacity
from actors.domain.outcomes import Limit
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from actors.reading import Records
from server.config import Config
from server.errors import Problem

STORAGE_RETRY_SECONDS = 60
SETTINGS = {Limit.RECORDERS: "recorders_max", Limit.REQUESTS: "requests_per_second"}
"""Where in `[agora]` the provider's limits stand."""


class Openings:
    """`free_bytes` tells how much local storage is left (None: not limited), `storage_trouble` what the last look at storage
    found wrong, if anything."""

    def __init__(
        self,
        records: Records,
        capacity: Capacity,
        free_bytes: Callable[[], int | None],
        storage_trouble: Callable[[], str | None],
        config: Config,
    ) -> None:
        self._records = records
        self._capacity = capacity
        self._free_bytes = free_bytes
        self._storage_trouble = storage_trouble
        self._config = config

    async def obstacle(self) -> Problem | None:
        """Why no recording may begin now; None: one may. Raises JournalUnavailable."""
        return self._full() or self._broken() or self._provider() or await self._count()

    def _broken(self) -> Problem | None:
        trouble = self._storage_trouble()
        if trouble is None:
            return None
        return Problem(
            "storage_unavailable",
            f"storage does not work, and no recording starts until it does: {trouble}",
            retry_after_seconds=ceil(self._config.health.interval_seconds),
        )

    def _full(self) -> Problem | None:
        free, floor = self._room(), self._config.storage.min_free_bytes
        if free is None or free >= floor:
            return None
        return Problem(
            "storage_unavailable",
            f"local storage has {free} bytes left, and no recording starts below {floor} (storage.min_free_bytes)",
            retry_after_seconds=STORAGE_RETRY_SECONDS,
        )

    def _room(self) -> int | None:
        try:
            return self._free_bytes()
        except (StorageDenied, StorageNotFound, StorageUnavailable):
            return 0  # a folder that is not there holds nothing

    def _provider(self) -> Problem | None:
        full = self._capacity.full
        if full is None:
            return None
        what = "recorder" if full.limit is Limit.RECORDERS else "request"
        return self._exhausted(SETTINGS[full.limit], f"the provider takes no further {what} now", ceil(full.seconds))

    async def _count(self) -> Problem | None:
        limit = self._config.agora.recorders_max
        if await self._records.live_count(limit) < limit:
            return None
        return self._exhausted("recorders_max", f"{limit} recordings are live, and that is the limit")

    def _exhausted(self, key: str, why: str, retry_after_seconds: int | None = None) -> Problem:
        limit = {"name": f"agora.{key}", "value": getattr(self._config.agora, key)}
        return Problem(
            "recording_capacity_exhausted",
            f"{why} (agora.{key})",
            retry_after_seconds=retry_after_seconds,
            extra={"limit": limit},
        )
