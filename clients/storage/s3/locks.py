"""What keeps objects of a bucket from being deleted: dates, and holds without one."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from actors.domain.erasure import Lock
from actors.ports import StorageDenied, StorageNotFound
from clients.storage.s3.line import OnLine
from clients.storage.s3.versions import Version

HEADS_MAX = 16
"""Versions that are asked about at once."""


class Locks(OnLine):
    """Raises StorageDenied, StorageUnavailable."""

    async def lock(self, versions: Sequence[Version], now_ms: int) -> Lock | None:
        """The longest lock on any of these; a hold is longer than any date. Only a bucket that has locks is asked for each."""
        if not versions or not await self._may_lock():
            return None
        slots = asyncio.Semaphore(HEADS_MAX)
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._lock_of(each, slots)) for each in versions if not each.marker]
        return _longest((task.result() for task in asked), now_ms)

    async def _may_lock(self) -> bool:
        try:
            async with self._line.call("lock_configuration") as s3:
                told = await s3.get_object_lock_configuration(Bucket=self._bucket)
        except StorageNotFound:
            return False
        except StorageDenied:  # we may not know, so each object is asked
            return True
        return told.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"

    async def _lock_of(self, version: Version, slots: asyncio.Semaphore) -> Lock | None:
        try:
            async with slots, self._line.call("head") as s3:
                told = await s3.head_object(Bucket=self._bucket, Key=version.key, VersionId=version.version)
        except StorageNotFound:
            return None
        if told.get("ObjectLockLegalHoldStatus") == "ON":
            return Lock(None)
        until: datetime | None = told.get("ObjectLockRetainUntilDate")
        return None if until is None else Lock(int(until.timestamp() * 1000))


def _longest(locks: Iterable[Lock | None], now_ms: int) -> Lock | None:
    longest: Lock | None = None
    for lock in locks:
        if lock is None or (lock.until_ms is not None and lock.until_ms <= now_ms):
            continue
        if lock.until_ms is None:
            return lock
        if longest is None or longest.until_ms is None or lock.until_ms > longest.until_ms:
            longest = lock
    return longest
