"""How the provider brings files to storage: mostly at once, sometimes late, in part never, or by way of its backup.

What becomes of a session's files is drawn once for each session, and told to nobody but the promises.
"""

from dataclasses import dataclass, replace
from typing import Any

from actors.domain.commands import Notice
from actors.domain.ids import NoticeId
from actors.domain.media import MediaReport, Movie, Playlist, Slice, StoredObject
from actors.domain.outcomes import Done, Outcome, Sealed, StopAnswer, Stopped
from actors.domain.timeline import session_of
from tests.fakes.agora import FakeAgora
from tests.fakes.recorders import Session
from tests.simulation.faults import Faults

LATE_MS_MAX = 40_000
BACKUP_MS = 900_000
UPLOADED, BACKUPED = 31, 32


@dataclass(frozen=True, slots=True)
class Habit:
    """Of one session: how late its files come, every how manieth slice never does (0: none), whether by way of the backup."""

    late_ms: int = 0
    lost_each: int = 0
    backup: bool = False


class Shelf:
    """ports.MediaStore, and what the provider says about files."""

    def __init__(self, agora: FakeAgora, faults: Faults) -> None:
        self._agora = agora
        self._faults = faults
        self._habits: dict[str, Habit] = {}
        self._backed_up: set[str] = set()

    async def examine(self, prefix: tuple[str, ...]) -> Outcome[MediaReport]:
        return Done(await self.report(prefix, self._agora.clock.now_ms()))

    async def seal(self, prefix: tuple[str, ...]) -> Outcome[Sealed]:
        report = await self.report(prefix, self._agora.clock.now_ms())
        return Done(Sealed(len(report.objects), sum(found.size for found in report.objects), "0" * 64))

    async def survey(self, prefix: tuple[str, ...], after: str | None) -> Any:
        return await self._agora.media.survey(prefix, after)

    async def erase(self, prefix: tuple[str, ...]) -> Any:
        return await self._agora.media.erase(prefix)

    async def report(self, prefix: tuple[str, ...], at_ms: int) -> MediaReport:
        """What lies below the prefix by then."""
        outcome = await self._agora.media.examine(prefix)
        assert isinstance(outcome, Done)
        found = outcome.value
        playlists = tuple(self._there(playlist, at_ms) for playlist in found.playlists)
        movies = tuple(movie for movie in found.movies if self._has_come(movie, at_ms))
        kept = {item.key for playlist in playlists for item in playlist.slices if item.size is not None}
        kept |= {item.key for item in (*playlists, *movies)}
        objects: tuple[StoredObject, ...] = tuple(item for item in found.objects if item.key in kept)
        return MediaReport(objects, playlists, movies)

    def answered(self, sid: str, answer: Outcome[StopAnswer]) -> Outcome[StopAnswer]:
        """The answer to a stop, which tells where the files are."""
        if self.habit(sid).backup and isinstance(answer, Done) and isinstance(answer.value, Stopped):
            self._backed_up.add(sid)
            return Done(Stopped("backuped"))
        return answer

    def noticed(self, notice: Notice) -> list[tuple[int, Notice]]:
        """What is notified in its place, each with its delay in milliseconds."""
        if notice.event_type != UPLOADED or notice.sid not in self._backed_up:
            return [(0, notice)]
        behind = NoticeId(f"{notice.notice_id}-arrived")
        arrived = replace(notice, notice_id=behind, sequence=notice.sequence + 1000)
        return [(0, replace(notice, event_type=BACKUPED)), (BACKUP_MS, arrived)]

    def habit(self, sid: str) -> Habit:
        habit = self._habits.get(sid)
        if habit is None:
            habit = self._habits[sid] = self._drawn()
        return habit

    def _drawn(self) -> Habit:
        dice, strikes = self._faults.dice("habits"), self._faults.strikes
        return Habit(
            late_ms=dice.randint(1, LATE_MS_MAX) if strikes("storage.late") else 0,
            lost_each=dice.choice((2, 3, 5)) if strikes("storage.missing") else 0,
            backup=strikes("storage.backup"),
        )

    def _there(self, playlist: Playlist, at_ms: int) -> Playlist:
        sid = session_of(playlist.key)
        slices = tuple(
            replace(item, size=item.size if self._is_there(sid, number, item, at_ms) else None)
            for number, item in enumerate(playlist.slices, 1)
        )
        return replace(playlist, slices=slices)

    def _is_there(self, sid: str, number: int, item: Slice, at_ms: int) -> bool:
        habit = self.habit(sid)
        if habit.lost_each and number % habit.lost_each == 0:
            return False
        if number % 2 and at_ms < self._ended_ms(sid, at_ms) + self._backup_ms(sid):
            return False
        return at_ms >= (item.started_at_ms or 0) + round(item.duration_seconds * 1000) + habit.late_ms

    def _has_come(self, movie: Movie, at_ms: int) -> bool:
        sid = session_of(movie.key)
        return at_ms >= self._ended_ms(sid, at_ms) + max(self._backup_ms(sid), self.habit(sid).late_ms)

    def _backup_ms(self, sid: str) -> int:
        """How long its files lie in the backup, where only what was told to stop leaves them."""
        return BACKUP_MS if sid in self._backed_up else 0

    def _ended_ms(self, sid: str, now_ms: int) -> int:
        return self._session(sid).ended_at_ms or now_ms

    def _session(self, sid: str) -> Session:
        return next(item for item in self._agora.sessions if item.sid == sid)
