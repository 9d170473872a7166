"""The files of recordings: looked at for the proof, erased, and read for playing. The same over any object store."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from actors.domain.media import MediaReport, Movie, Playlist, Slice, StoredObject
from actors.domain.model import Failure, FailureCode
from actors.domain.outcomes import Done, Erased, Outcome, RetryLater
from actors.domain.timeline import session_of
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from clients.storage.movie import probe
from clients.storage.playlist import Entry, Listing, PlaylistError, parse, slice_time_ms, write

PLAYLIST_BYTES_MAX = 16 * 1024 * 1024
_TROUBLE = (StorageDenied, StorageNotFound, StorageUnavailable)
log = structlog.get_logger(__name__)


class ObjectStore(Protocol):
    """What is needed of a store. All raise StorageNotFound, StorageDenied, StorageUnavailable."""

    async def list(self, prefix: str) -> list[StoredObject]: ...

    async def get(self, key: str) -> bytes: ...

    async def delete(self, keys: Sequence[str]) -> None: ...

    def source(self, key: str) -> str:
        """Where a media library opens the object: a path, or a URL."""
        ...


class StoredMedia:
    """`actors.ports.MediaStore` over an object store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def examine(self, prefix: tuple[str, ...]) -> Outcome[MediaReport]:
        """List everything below the prefix, read its playlists, open its MP4s."""
        try:
            return Done(await self._report(_folder(prefix)))
        except _TROUBLE as error:
            return _later(error)

    async def erase(self, prefix: tuple[str, ...]) -> Outcome[Erased]:
        """Delete everything below the prefix, and look again: a recorder may still have been writing."""
        try:
            folder = _folder(prefix)
            found = await self._store.list(folder)
            await self._store.delete([each.key for each in found])
            left = await self._store.list(folder) if found else []
        except _TROUBLE as error:
            return _later(error)
        if left:
            return _later(StorageUnavailable(f"{len(left)} objects are still there"))
        log.info("media.erased", prefix=folder, objects=len(found))
        return Done(Erased(len(found), sum(each.size for each in found)))

    async def playlist(self, key: str, url_of: Callable[[str, float], str], *, over: bool) -> str:
        """The playlist as a player gets it: with all slices of its part that are there, those of other machines too.

        `url_of` makes a slice's URL of its key and the playlist's seconds. `over`: the recording is, so the list is closed
        whatever the recorder wrote. One that cannot be read is not there. Raises StorageNotFound, StorageDenied,
        StorageUnavailable.
        """
        folder = key.rpartition("/")[0] + "/"
        sizes = {each.key: each.size for each in await self._store.list(folder)}
        asked = await self._listing(key)
        others = [k for k in sizes if k != key and _is_playlist(k) and session_of(k) == session_of(key)]
        listings = [asked, *[await self._listing(other, needed=False) for other in others]]
        entries = _there([(folder, entry) for listing in listings for entry in listing.entries], sizes)
        seconds = sum(entry.duration_seconds for entry in entries)
        signed = [Entry(url_of(e.uri, seconds), e.duration_seconds, e.discontinuity) for e in entries]
        return write(signed, ended=over or asked.ended)

    async def _listing(self, key: str, *, needed: bool = True) -> Listing:
        try:
            return parse(await self._store.get(key))
        except (PlaylistError, StorageNotFound) as error:
            if needed:
                raise StorageNotFound("the playlist cannot be read") from error
            return Listing((), ended=False)

    async def _report(self, folder: str) -> MediaReport:
        objects = await self._store.list(folder)
        sizes = {each.key: each.size for each in objects}
        playlists = [await self._playlist(each, sizes) for each in objects if _is_playlist(each.key)]
        movies = [await self._movie(each) for each in objects if each.key.lower().endswith(".mp4")]
        return MediaReport(tuple(objects), tuple(playlists), tuple(movies))

    async def _playlist(self, found: StoredObject, sizes: Mapping[str, int]) -> Playlist:
        if found.size > PLAYLIST_BYTES_MAX:
            return _unreadable(found, f"it has more than {PLAYLIST_BYTES_MAX} bytes")
        try:
            listing = parse(await self._store.get(found.key))
        except PlaylistError as error:
            return _unreadable(found, str(error))
        folder = found.key.rpartition("/")[0]
        return Playlist(found.key, found.size, tuple(_slice(folder, e, sizes) for e in listing.entries), listing.ended)

    async def _movie(self, found: StoredObject) -> Movie:
        seconds, error = await asyncio.to_thread(probe, self._store.source(found.key))
        return Movie(found.key, found.size, seconds, error)


def _is_playlist(key: str) -> bool:
    return key.lower().endswith(".m3u8")


def _unreadable(found: StoredObject, why: str) -> Playlist:
    return Playlist(found.key, found.size, (), ended=False, error=why)


def _slice(folder: str, entry: Entry, sizes: Mapping[str, int]) -> Slice:
    key = f"{folder}/{entry.uri}"
    return Slice(key, entry.duration_seconds, slice_time_ms(entry.uri), sizes.get(key))


def _there(named: Sequence[tuple[str, Entry]], sizes: Mapping[str, int]) -> list[Entry]:
    """The slices that can be played, each once, in the order of their times; their URIs are keys now."""
    slices = {folder + entry.uri: entry for folder, entry in named}
    times = {key: slice_time_ms(key) for key in slices}
    if None not in times.values():
        slices = {key: slices[key] for key in sorted(slices, key=lambda key: times[key] or 0)}
    entries, broken_off = [], False
    for key, entry in slices.items():
        if sizes.get(key):
            entries.append(Entry(key, entry.duration_seconds, entry.discontinuity or broken_off))
        broken_off = not sizes.get(key)
    return entries


def _folder(prefix: tuple[str, ...]) -> str:
    if not prefix or not all(prefix):
        raise StorageDenied("a recording's prefix is never empty")  # else it would mean the whole store
    return "/".join(prefix) + "/"


def _later(error: Exception) -> RetryLater:
    denied = isinstance(error, StorageDenied)
    code = FailureCode.STORAGE_DENIED if denied else FailureCode.STORAGE_UNAVAILABLE
    log.warning("storage.trouble", code=code.value, why=str(error))
    return RetryLater(str(error), Failure(code, f"The storage does not do its part: {error}.", retryable=not denied))
