"""Manifests: written beside the files of a recording, and held against them later.

Every byte is read for it, a piece at a time, and only so many objects at once. A deletion does not wait: what is being read for a
manifest is left, and nothing is written behind it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Protocol
from weakref import WeakValueDictionary

from actors.domain.ids import RecordingId
from actors.domain.media import MANIFEST, StoredObject
from actors.domain.outcomes import Sealed
from actors.ports import StorageUnavailable
from clients.storage import manifest
from clients.storage.manifest import Entry, without_manifest


class ByteStore(Protocol):
    """What is needed of a store. All raise StorageNotFound, StorageDenied, StorageUnavailable."""

    async def list(self, prefix: str) -> list[StoredObject]: ...

    async def get(self, key: str) -> bytes: ...

    async def put(self, key: str, data: bytes) -> str | None: ...

    def chunks(self, found: StoredObject) -> AsyncIterator[bytes]:
        """All of it, in pieces."""
        ...


class Hashing:
    """Reads objects, `reads_max` at once. `reading` is told of each that begins (1) and ends (-1), `hashed` of bytes."""

    def __init__(
        self,
        store: ByteStore,
        reads_max: int,
        reading: Callable[[int], None] = lambda change: None,
        hashed: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._store = store
        self._slots = asyncio.Semaphore(reads_max)
        self._reading = reading
        self._hashed = hashed

    async def sha256(self, found: StoredObject, go_on: Callable[[], None] = lambda: None) -> str:
        """In hex. `go_on` may raise, and is asked before each piece."""
        async with self._slots:
            self._reading(1)
            try:
                return await self._digest(found, go_on)
            finally:
                self._reading(-1)

    async def _digest(self, found: StoredObject, go_on: Callable[[], None]) -> str:
        digest = sha256()
        async for chunk in self._store.chunks(found):
            go_on()
            await asyncio.to_thread(digest.update, chunk)
            self._hashed(len(chunk))
        return digest.hexdigest()


class Sealing:
    """Writes manifests. Raises StorageNotFound, StorageDenied, StorageUnavailable."""

    def __init__(self, store: ByteStore, hashing: Hashing) -> None:
        self._store = store
        self._hashing = hashing
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._erased: set[str] = set()

    async def seal(self, recording_id: RecordingId, folder: str) -> Sealed:
        """Nothing is written where the files change meanwhile."""
        async with self._turn(folder):
            found = await self._objects(folder)
            entries = [await self._entry(each, folder) for each in found]
            if await self._objects(folder) != found:
                raise StorageUnavailable("the files still change")
            data = manifest.write(recording_id, entries)
            self._go_on(folder)
            await self._store.put(folder + MANIFEST, data)
        return Sealed(len(found), sum(each.size for each in found), manifest.digest(data))

    @asynccontextmanager
    async def kept_out(self, folder: str) -> AsyncIterator[None]:
        """No manifest is written there until the end of the block."""
        self._erased.add(folder)
        try:
            async with self._turn(folder):
                yield
        finally:
            self._erased.discard(folder)

    def _turn(self, folder: str) -> asyncio.Lock:
        return self._turns.setdefault(folder, asyncio.Lock())

    def _go_on(self, folder: str) -> None:
        if folder in self._erased:
            raise StorageUnavailable("the files are being deleted")

    async def _objects(self, folder: str) -> Sequence[StoredObject]:
        return without_manifest(await self._store.list(folder), folder)

    async def _entry(self, found: StoredObject, folder: str) -> Entry:
        digest = await self._hashing.sha256(found, lambda: self._go_on(folder))
        return Entry(found.key, found.size, found.etag, digest)
