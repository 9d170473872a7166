"""What recordings have to play, read for players; also of those that are still being recorded.

Many may ask for the same recording: one look at its folder serves all who ask within a moment, and only so many looks are
taken at once.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

from actors.domain.media import MediaReport
from actors.domain.timeline import Part, parts_of, session_of
from actors.ports import StorageNotFound
from clients.storage.media import PlaylistStore, folder_of, read_playlists
from clients.storage.playlist import Entry, write


class Shelf:
    """Playlists and what they list. All raise StorageNotFound, StorageDenied, StorageUnavailable.

    `look_seconds`: for how long a look's outcome serves others; `looks_max`: looks at once; `looked` is told of each. What
    was seen while a recording went on serves nobody any more once it is over: a closed list is read once, so it is whole.
    """

    def __init__(
        self, store: PlaylistStore, *, look_seconds: float, looks_max: int, looked: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._look_seconds = look_seconds
        self._slots = asyncio.Semaphore(looks_max)
        self._looked = looked
        self._looks: dict[tuple[str, bool], asyncio.Task[MediaReport]] = {}

    async def playlists(self, prefix: tuple[str, ...]) -> MediaReport:
        """Everything below the prefix, and its playlists read; MP4s are not opened."""
        return await self._report(folder_of(prefix), over=False)

    async def playlist(self, key: str, url_of: Callable[[str, float], str], *, over: bool | None, whole: bool) -> str:
        """The playlist as a player gets it: with all slices of its part that are there, those of other machines too.

        `whole`: those of all parts. `url_of` makes a slice's URL of its key and the list's seconds. `over`: the recording is,
        so the list is closed whatever the recorder wrote; not before; None: the list itself tells. One that cannot be read is
        not there.
        """
        report = await self._report(key.rpartition("/")[0] + "/", over=over is True)
        asked = next((p for p in report.playlists if p.key == key and p.error is None), None)
        if asked is None:
            raise StorageNotFound("the playlist cannot be read")
        session, ended = None if whole else session_of(key), asked.ended if over is None else over
        # A day has five thousand slices, and each URL its own signature.
        return await asyncio.to_thread(_text, report, session, url_of, ended=ended)

    async def _report(self, folder: str, *, over: bool) -> MediaReport:
        key = folder, over
        if key not in self._looks:
            self._looks[key] = asyncio.create_task(self._look(folder), name=f"look {folder}")
            self._looks[key].add_done_callback(partial(self._keep, key))
        return await asyncio.shield(self._looks[key])

    async def _look(self, folder: str) -> MediaReport:
        async with self._slots:
            self._looked()
            objects = await self._store.list(folder)
            return MediaReport(tuple(objects), await read_playlists(self._store, objects), ())

    def _keep(self, key: tuple[str, bool], look: asyncio.Task[MediaReport]) -> None:
        """Its outcome for a while, if there is one; whoever asked for a failure may have left, so it is taken note of here."""
        if look.cancelled() or look.exception() is not None or not self._look_seconds:
            del self._looks[key]
        else:
            look.get_loop().call_later(self._look_seconds, self._looks.pop, key)


def _text(report: MediaReport, session: str | None, url_of: Callable[[str, float], str], *, ended: bool) -> str:
    parts = [part for part in parts_of(report, 0) if session in (None, part.session)]
    entries = [entry for number, part in enumerate(parts) for entry in _entries(part, broken_off=number > 0)]
    seconds = sum(entry.duration_seconds for entry in entries)
    signed = (Entry(url_of(e.uri, seconds), e.duration_seconds, e.discontinuity) for e in entries)
    return write(signed, ended=ended)


def _entries(part: Part, *, broken_off: bool) -> Iterator[Entry]:
    """The slices that can be played, each once, in the order of their times; their URIs are keys."""
    for stretch in part.stretches:
        piece = stretch.slice
        if stretch.present:
            yield Entry(piece.key, piece.duration_seconds, piece.discontinuity or broken_off)
        broken_off = not stretch.present
