"""What a scrape of the metrics reads before it is answered: cheap, once for all who scrape at the same time, and never long."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from actors.ports import JournalUnavailable, StorageDenied, StorageNotFound, StorageUnavailable
from clients.postgres.standing import Standing
from server.gauges import StateMetrics


class Scrape:
    """Fills `metrics`. A database that is away makes what stands in it absent, and nothing fail."""

    def __init__(
        self,
        metrics: StateMetrics,
        read: Callable[[], Awaitable[Standing]],
        data_dir: Path,
        storage_bytes: Callable[[], int | None],
        timeout_seconds: float,
    ) -> None:
        self._metrics = metrics
        self._read = read
        self._data_dir = data_dir
        self._storage_bytes = storage_bytes
        self._timeout_seconds = timeout_seconds
        self._reading: asyncio.Task[Standing | None] | None = None

    async def refresh(self) -> None:
        """Read what can be read within `health.timeout_seconds`."""
        self._metrics.free_bytes(self._free_of_data(), self._free_of_storage())
        if self._reading is None:
            self._reading = asyncio.create_task(self._stand(), name="read metrics")
        # As with checks: a database that hangs does not even notice that it was given up on.
        done, _ = await asyncio.wait({self._reading}, timeout=self._timeout_seconds)
        self._metrics.standing(done.pop().result() if done else None)

    def close(self) -> None:
        """Let go of what still waits."""
        if self._reading is not None:
            self._reading.cancel()

    async def _stand(self) -> Standing | None:
        try:
            return await self._read()
        except JournalUnavailable:
            return None
        finally:
            self._reading = None

    def _free_of_data(self) -> int | None:
        try:
            return shutil.disk_usage(self._data_dir).free
        except OSError:
            return None

    def _free_of_storage(self) -> int | None:
        try:
            return self._storage_bytes()
        except (StorageDenied, StorageNotFound, StorageUnavailable):
            return None
