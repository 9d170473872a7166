"""A recording held against its manifest: what is there, what is not, what is other than it was, and what is not of it."""

import asyncio
from collections.abc import Mapping, Sequence

from actors.domain.media import MANIFEST, Checked, Finding, StoredObject, Verification
from actors.ports import StorageNotFound
from clients.storage import manifest
from clients.storage.manifest import Entry, ManifestError, without_manifest
from clients.storage.media import folder_of
from clients.storage.sealing import ByteStore, Hashing


class Verifying:
    """`seconds`: after which a look ends, one object at least; the next one goes on behind it."""

    def __init__(self, store: ByteStore, hashing: Hashing, seconds: float) -> None:
        self._store = store
        self._hashing = hashing
        self._seconds = seconds

    async def verify(self, prefix: tuple[str, ...], sha256: str, after: int = 0) -> Verification:
        """`sha256`: the manifest's own, as it was written; one that is another vouches for nothing.

        Raises StorageDenied, StorageUnavailable.
        """
        folder = folder_of(prefix)
        objects = await self._store.list(folder)
        itself, entries = await self._manifest(folder, objects, sha256)
        if itself.finding is not Finding.SAME:
            return Verification((itself,), 1, None)
        there = {each.key: each for each in without_manifest(objects, folder)}
        foreign = sorted(there.keys() - {entry.key for entry in entries})
        total = 1 + len(entries) + len(foreign)
        looks = [
            *([] if after else [itself]),
            *(await self._held_against(entries[max(after - 1, 0) :], there)),
        ]
        if after + len(looks) >= 1 + len(entries):
            begin = max(after - 1 - len(entries), 0)
            looks += [Checked(key, there[key].size, Finding.FOREIGN) for key in foreign[begin:]]
        done = after + len(looks)
        return Verification(tuple(looks), total, None if done >= total else done)

    async def _manifest(
        self, folder: str, objects: Sequence[StoredObject], sha256: str
    ) -> tuple[Checked, tuple[Entry, ...]]:
        key = folder + MANIFEST
        found = next((each for each in objects if each.key == key), None)
        if found is None:
            return Checked(key, None, Finding.MISSING), ()
        altered = Checked(key, found.size, Finding.ALTERED, "it is not the manifest that was written")
        if found.size > manifest.BYTES_MAX:
            return altered, ()
        data = await self._store.get(key)
        try:
            entries = manifest.read(data)
        except ManifestError:
            return altered, ()
        return (Checked(key, found.size, Finding.SAME), entries) if manifest.digest(data) == sha256 else (altered, ())

    async def _held_against(self, entries: Sequence[Entry], there: Mapping[str, StoredObject]) -> list[Checked]:
        """As many as the time allows, in order."""
        loop = asyncio.get_running_loop()
        ends_at, looks = loop.time() + self._seconds, list[Checked]()
        for entry in entries:
            looks.append(await self._checked(entry, there.get(entry.key)))
            if loop.time() >= ends_at:
                break
        return looks

    async def _checked(self, entry: Entry, found: StoredObject | None) -> Checked:
        if found is None:
            return Checked(entry.key, None, Finding.MISSING)
        if found.size != entry.size:
            return Checked(entry.key, found.size, Finding.ALTERED, f"it had {entry.size} bytes")
        try:
            same = await self._hashing.sha256(found) == entry.sha256
        except StorageNotFound:  # since it was listed
            return Checked(entry.key, None, Finding.MISSING)
        if same:
            return Checked(entry.key, found.size, Finding.SAME)
        return Checked(entry.key, found.size, Finding.ALTERED, "its bytes are others")
