"""What the provider's fake sessions leave in storage: a playlist and slices for each machine, and an MP4 of the last one."""

from collections.abc import Callable
from typing import Protocol

from actors.domain.ids import RecordingId
from actors.domain.media import ListedObject, MediaReport, Movie, Playlist, Slice, StoredObject
from actors.domain.outcomes import Done, Erased, Inventory, Outcome, Sealed
from tests.fakes.recorders import Leg, Session

SLICE_MS = 15_000


class Sessions(Protocol):
    @property
    def sessions(self) -> list[Session]: ...


class FakeMedia:
    """ports.MediaStore over what the sessions captured."""

    def __init__(self, agora: Sessions, now_ms: Callable[[], int]) -> None:
        self._agora = agora
        self._now_ms = now_ms
        self._erased: set[str] = set()

    async def examine(self, prefix: tuple[str, ...]) -> Outcome[MediaReport]:
        objects: list[StoredObject] = []
        playlists, movies = [], []
        for session in self._of(prefix):
            for leg in session.legs:
                if leg.ready:
                    playlist = self._playlist(session, leg)
                    playlists.append(playlist)
                    objects += [StoredObject(item.key, item.size or 0, 0) for item in playlist.slices]
                    objects.append(StoredObject(playlist.key, playlist.size, 0))
            if session.mp4 and session.leg.ready and _is_whole(session, session.leg):
                seconds = sum(item.duration_seconds for item in playlists[-1].slices)
                movies.append(Movie(f"{_stem(session, session.leg)}_0.mp4", 1000, seconds))
                objects.append(StoredObject(movies[-1].key, 1000, 0))
        return Done(MediaReport(tuple(objects), tuple(playlists), tuple(movies)))

    async def seal(self, recording_id: RecordingId, prefix: tuple[str, ...]) -> Outcome[Sealed]:
        return Done(Sealed(len(self._of(prefix)), 1000, "0" * 64))

    async def survey(self, prefix: tuple[str, ...], after: str | None) -> Outcome[Inventory]:
        objects = tuple(ListedObject(item.sid, 1000) for item in self._of(prefix))
        return Done(Inventory(objects))

    async def erase(self, prefix: tuple[str, ...]) -> Outcome[Erased]:
        sessions = self._of(prefix)
        self._erased.update(item.sid for item in sessions)
        return Done(Erased(len(sessions), 1000 * len(sessions)))

    def _of(self, prefix: tuple[str, ...]) -> list[Session]:
        return [s for s in self._agora.sessions if s.prefix == prefix and s.ready and s.sid not in self._erased]

    def _playlist(self, session: Session, leg: Leg) -> Playlist:
        whole = _is_whole(session, leg)
        end_ms = leg.lost_at_ms or session.ended_at_ms or self._now_ms()
        if not whole:  # a slice comes when it is full; with the machine the rest is lost
            end_ms -= (end_ms - leg.since_ms) % SLICE_MS
        stem = _stem(session, leg)
        slices = tuple(
            Slice(f"{stem}_{at_ms}.ts", min(SLICE_MS, end_ms - at_ms) / 1000, at_ms, 500)
            for at_ms in range(leg.since_ms, end_ms, SLICE_MS)
        )
        return Playlist(f"{stem}.m3u8", 200, slices, ended=whole)


def _is_whole(session: Session, leg: Leg) -> bool:
    """Whether the machine lived to upload all that it captured, and to close its files."""
    return leg.lost_at_ms is None and session.ended_at_ms is not None and not session.dead


def _stem(session: Session, leg: Leg) -> str:
    return f"{'/'.join(session.prefix)}/{leg.mark}{session.sid}_{session.cname}"
