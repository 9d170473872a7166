"""The files of recordings: looked at for the proof, and erased. The same over any object store."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

import structlog

from actors.domain.ids import RecordingId
from actors.domain.media import MediaReport, Movie, Playlist, Slice, StoredObject
from actors.domain.model import Failure, FailureCode
from actors.domain.outcomes import Done, Erased, Inventory, Outcome, RetryLater, Sealed
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from clients.storage.manifest import without_manifest
from clients.storage.movie import probe
from clients.storage.playlist import Entry, PlaylistError, parse, slice_time_ms
from clients.storage.sealing import Sealing

PLAYLIST_BYTES_MAX = 16 * 1024 * 1024
_TROUBLE = (StorageDenied, StorageNotFound, StorageUnavailable)
log = structlog.get_logger(__name__)


class PlaylistStore(Protocol):
    """What is needed to play. All raise StorageNotFound, StorageDenied, StorageUnavailable."""

    async def list(self, prefix: str) -> list[StoredObject]: ...

    async def get(self, key: str) -> bytes: ...


class ObjectStore(PlaylistStore, Protocol):
    """What is needed besides to prove and to erase; they raise the same."""

    async def survey(self, prefix: str, after: str | None, limit: int) -> Inventory:
        """A page of everything whose key begins so, all versions, behind `after`, with the longest lock on them."""
        ...

    async def delete_prefix(self, prefix: str) -> Erased:
        """Remove everything whose key begins so, as it is now."""
        ...

    def source(self, found: StoredObject) -> AbstractContextManager[str | BinaryIO]:
        """What a media library opens, in a thread: a path, or a file to read. Raises at its end if that was not possible."""
        ...


class StoredMedia:
    """`actors.ports.MediaStore` over an object store. `receipt_keys`: objects on a page of a survey."""

    def __init__(self, store: ObjectStore, sealing: Sealing, receipt_keys: int = 500) -> None:
        self._store = store
        self._sealing = sealing
        self._receipt_keys = receipt_keys

    async def examine(self, prefix: tuple[str, ...]) -> Outcome[MediaReport]:
        """List everything below the prefix, read its playlists, open its MP4s."""
        try:
            return Done(await self._report(folder_of(prefix)))
        except _TROUBLE as error:
            return _later(error)

    async def seal(self, recording_id: RecordingId, prefix: tuple[str, ...]) -> Outcome[Sealed]:
        """Write the manifest of everything below the prefix."""
        try:
            folder = folder_of(prefix)
            sealed = await self._sealing.seal(recording_id, folder)
        except _TROUBLE as error:
            return _later(error)
        log.info("media.sealed", prefix=folder, objects=sealed.objects, bytes=sealed.bytes)
        return Done(sealed)

    async def survey(self, prefix: tuple[str, ...], after: str | None) -> Outcome[Inventory]:
        """A page of everything below the prefix, for the receipt of its erasure."""
        try:
            return Done(await self._store.survey(folder_of(prefix), after, self._receipt_keys))
        except _TROUBLE as error:
            return _later(error)

    async def erase(self, prefix: tuple[str, ...]) -> Outcome[Erased]:
        """Delete everything that is below the prefix now."""
        try:
            folder = folder_of(prefix)
            async with self._sealing.kept_out(folder):
                erased = await self._store.delete_prefix(folder)
        except _TROUBLE as error:
            return _later(error)
        log.info("media.erased", prefix=folder, objects=erased.objects)
        return Done(erased)

    async def _report(self, folder: str) -> MediaReport:
        objects = without_manifest(await self._store.list(folder), folder)
        playlists = await read_playlists(self._store, objects)
        movies = [await self._movie(each) for each in objects if each.key.lower().endswith(".mp4")]
        return MediaReport(tuple(objects), playlists, tuple(movies))

    async def _movie(self, found: StoredObject) -> Movie:
        with self._store.source(found) as source:
            seconds, error = await asyncio.to_thread(probe, source)
        return Movie(found.key, found.size, seconds, error)


async def read_playlists(store: PlaylistStore, objects: Sequence[StoredObject]) -> tuple[Playlist, ...]:
    """The playlists among these objects, with the sizes of what they list. Raises as the store does."""
    sizes = {each.key: each.size for each in objects}
    return tuple([await _playlist(store, each, sizes) for each in objects if each.key.lower().endswith(".m3u8")])


async def _playlist(store: PlaylistStore, found: StoredObject, sizes: Mapping[str, int]) -> Playlist:
    if found.size > PLAYLIST_BYTES_MAX:
        return _unreadable(found, f"it has more than {PLAYLIST_BYTES_MAX} bytes")
    # A day has five thousand slices.
    return await asyncio.to_thread(_parsed, found, await store.get(found.key), sizes)


def _parsed(found: StoredObject, data: bytes, sizes: Mapping[str, int]) -> Playlist:
    try:
        listing = parse(data)
    except PlaylistError as error:
        return _unreadable(found, str(error))
    folder = found.key.rpartition("/")[0]
    return Playlist(found.key, found.size, tuple(_slice(folder, e, sizes) for e in listing.entries), listing.ended)


def _unreadable(found: StoredObject, why: str) -> Playlist:
    return Playlist(found.key, found.size, (), ended=False, error=why)


def _slice(folder: str, entry: Entry, sizes: Mapping[str, int]) -> Slice:
    key = f"{folder}/{entry.uri}"
    return Slice(key, entry.duration_seconds, slice_time_ms(entry.uri), sizes.get(key), entry.discontinuity)


def folder_of(prefix: tuple[str, ...]) -> str:
    """What the keys below a prefix begin with. Raises StorageDenied."""
    if not prefix or not all(prefix):
        raise StorageDenied("a recording's prefix is never empty")  # else it would mean the whole store
    return "/".join(prefix) + "/"


def _later(error: Exception) -> RetryLater:
    denied = isinstance(error, StorageDenied)
    code = FailureCode.STORAGE_DENIED if denied else FailureCode.STORAGE_UNAVAILABLE
    log.warning("storage.trouble", code=code.value, why=str(error))
    return RetryLater(str(error), Failure(code, f"The storage does not do its part: {error}.", retryable=not denied))
