"""Makes the files of sessions from the shared tracks, one piece of work at a time and off the event loop."""

import asyncio
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from clients.agora.simulator.faults import Faults
from clients.agora.simulator.muxing import Stretch, slice_bytes, write_movie
from clients.agora.simulator.playlist import playlist_text
from clients.agora.simulator.session import Session
from clients.agora.simulator.shelves import Shelf, Shelves
from clients.agora.simulator.tracks import Track, clock_track, file_track, tone_track

T = TypeVar("T")
LATE_MS = (1_000, 30_000)
BACKUP_MS = (20_000, 60_000)
"""How long after its end a slice comes, late or out of the backup cloud (api.md 7)."""
SIDE_MIN = 16
REST_MS = 150
"""Demuxers do not know MPEG-TS with fewer than six AAC frames for what it is, so a shorter rest joins the slice before."""
DEFAULT_PICTURE = (360, 640, 15)
"""Width, height and frames a second where `transcodingConfig` says nothing (reference 3.6)."""


class Studio:
    """Sessions capture from their start to their end by the clock, to a packet's length."""

    def __init__(self, shelves: Shelves, cache: Path, media: str, faults: Faults) -> None:
        self._shelves = shelves
        self._cache = cache
        self._media = media
        self._faults = faults
        self._worker = ThreadPoolExecutor(1, "studio")
        self._painter = ThreadPoolExecutor(1, "painter")
        self._sound: Track | None = None
        self._clocks: dict[tuple[int, int, int], asyncio.Future[Track]] = {}

    def close(self) -> None:
        for pool in (self._worker, self._painter):
            pool.shutdown(wait=False, cancel_futures=True)

    def next_slice_at(self, session: Session) -> int:
        """When the slice that is being captured can be uploaded: a rest that comes now would still belong to it."""
        return self._boundary(session, len(session.leg.slices) + 1) + REST_MS

    async def upload_slices(self, session: Session, until_ms: int, *, ended: bool) -> bool:
        """Upload every slice that is full by then, and with `ended` the rest; then the playlist. True if there was one."""
        new = False
        while (end := self._slice_end(session, until_ms, ended=ended)) is not None:
            begin = self._begin(session)
            seconds = await self._upload_slice(session, begin, end)
            if session.denied:
                return new
            session.leg.slices.append((session.slice_name(begin), seconds))
            new = True
        if session.leg.slices and (new or ended):
            text = playlist_text(session, ended=ended)
            await (await self._shelf(session)).put(session.prefix + session.playlist_name, text.encode())
        return new

    async def upload_late(self, session: Session, now_ms: int) -> bool:
        """Upload slices that a fault has kept back and that are due. True if there was one."""
        if session.keys_ended(now_ms):
            session.late.clear()
        due = [item for item in session.late if item[2] <= now_ms]
        for item in due:
            stretches = await self._stretches(session, item[0], item[1])
            await self._put_slice(session, item[0], stretches)
            session.late.remove(item)
        return bool(due)

    async def upload_movie(self, session: Session, until_ms: int) -> None:
        """All that the recorder captured as one MP4."""
        if self._faults.strikes("storage.mp4_missing"):
            return
        stretches = await self._stretches(session, session.leg.since, until_ms)
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            path = Path(folder) / "movie.mp4"
            await self._in_thread(lambda: write_movie(path, stretches))
            await (await self._shelf(session)).put_file(session.prefix + session.movie_name, path)

    def _slice_end(self, session: Session, until_ms: int, *, ended: bool) -> int | None:
        """Where the next slice ends, None if nothing is due. No slice is shorter than `REST_MS`."""
        if self.next_slice_at(session) <= until_ms:
            return self._boundary(session, len(session.leg.slices) + 1)
        return until_ms if ended and until_ms - self._begin(session) >= REST_MS else None

    def _begin(self, session: Session) -> int:
        return self._boundary(session, len(session.leg.slices))

    def _boundary(self, session: Session, number: int) -> int:
        """With video a slice begins with a key frame, and those stand on the whole seconds (reference 8.2)."""
        since = session.leg.since
        if number == 0:
            return since
        if session.has_video:
            return -(-since // 1000) * 1000 + number * -(-session.slice_ms // 1000) * 1000
        return since + number * session.slice_ms

    async def _upload_slice(self, session: Session, begin: int, end: int) -> float:
        stretches = await self._stretches(session, begin, end)
        sound, first, behind, _ = stretches[0]
        fault = "storage.denied" if session.keys_ended(end) else self._faults.of_slice()
        match fault:
            case "storage.denied":
                session.denied = True
            case "storage.backup":
                session.backuped = True
                self._put_off(session, begin, end, fault, BACKUP_MS)
            case "storage.backup_forever":
                session.backuped = True
            case "storage.slice_late":
                self._put_off(session, begin, end, fault, LATE_MS)
            case "storage.slice_missing":
                pass
            case _:
                await self._put_slice(session, begin, stretches)
        return sound.seconds(behind - first)

    def _put_off(self, session: Session, begin: int, end: int, fault: str, pause_ms: tuple[int, int]) -> None:
        session.late.append((begin, end, end + self._faults.dice(fault).randint(*pause_ms)))

    async def _put_slice(self, session: Session, begin: int, stretches: list[Stretch]) -> None:
        data = await self._in_thread(lambda: slice_bytes(stretches))
        await (await self._shelf(session)).put(session.prefix + session.slice_name(begin), data)

    async def _shelf(self, session: Session) -> Shelf:
        return await self._shelves.of(session.request["storageConfig"])

    async def _stretches(self, session: Session, begin: int, end: int) -> list[Stretch]:
        assert self._sound is not None, "the studio is not prepared"
        tracks = [self._sound, *([await self._clock_of(session)] if session.has_video else [])]
        return [
            (
                track,
                track.key_at(begin / 1000),
                track.index_at(end / 1000),
                track.index_at(session.leg_at(begin).since / 1000),
            )
            for track in tracks
        ]

    async def _clock_of(self, session: Session) -> Track:
        """A picture of that size; a large one takes seconds to encode, which the sound of others does not wait for."""
        size = picture_of(session)
        made = self._clocks.get(size)
        if made is None or (made.done() and made.exception() is not None):  # a full disk has room again some day
            loop = asyncio.get_running_loop()
            self._clocks[size] = loop.run_in_executor(self._painter, clock_track, self._cache, *size)
        return await asyncio.shield(self._clocks[size])

    async def prepare(self) -> None:
        """Have the sound encoded before anybody waits for it."""
        self._sound = await self._in_thread(self._sound_track)

    def _sound_track(self) -> Track:
        self._cache.mkdir(parents=True, exist_ok=True)
        return tone_track(self._cache) if self._media == "tone" else file_track(Path(self._media), self._cache)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)


def picture_of(session: Session) -> tuple[int, int, int]:
    """Width, height and frames a second. Sides are even, as the encoder wants them."""
    picture = session.recording.get("transcodingConfig") or {}
    width, height, fps = DEFAULT_PICTURE
    sides = (max(picture.get(name, side) & ~1, SIDE_MIN) for name, side in (("width", width), ("height", height)))
    return (*sides, picture.get("fps", fps))
