"""The life of each session: it comes up, captures, uploads, reports and ends, one task each (reference 9.5, 12.4)."""

import asyncio
from collections.abc import Callable

import structlog

from actors.ports import StorageDenied, StorageUnavailable
from clients.agora.simulator.reports import (
    EVICTED,
    IDLE,
    PROGRESS_MS,
    REFUSED,
    STORAGE_DENIED,
    UPLOAD_FAILED,
    Reports,
)
from clients.agora.simulator.session import Session
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.studio import Studio

log = structlog.get_logger(__name__)

NOTHING, DIED, DENIED = "nothing recorded", "died", "storage refused"
STORAGE_PAUSE_MS = 1_000


class Lives:
    """Runs sessions. Each step can be done again after a crash: what it makes has the same names and bytes."""

    def __init__(
        self, settings: SimulatorSettings, studio: Studio, reports: Reports, now_ms: Callable[[], int]
    ) -> None:
        self.ready_ms = round(settings.ready_seconds * 1000)
        self._studio = studio
        self._reports = reports
        self.now_ms = now_ms
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stirred: dict[str, asyncio.Event] = {}
        self._finished: dict[str, asyncio.Event] = {}
        self._refused: set[str] = set()

    def run(self, session: Session) -> None:
        """Let it live, from wherever it is."""
        self._stirred[session.sid] = asyncio.Event()
        self._finished[session.sid] = asyncio.Event()
        self._tasks[session.sid] = asyncio.create_task(self._live(session), name=f"session {session.sid}")

    async def stop(self) -> None:
        """End all tasks; the sessions stay on disk as they are."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def end(self, session: Session, reason: str, at_ms: int | None = None) -> None:
        """The recorder leaves the channel; its files are uploaded and reported from here on."""
        if session.ended_at is None:
            session.ended_at = self.now_ms() if at_ms is None else at_ms
            session.exit_reason = reason
            self._reports.keep(session)
            self.stir(session)

    async def uploaded(self, session: Session, seconds: float) -> bool:
        """Wait until every file is up. False if that takes longer."""
        if session.finished:
            return True
        finished = self._finished.get(session.sid)
        if finished is None:  # it has failed
            return False
        try:
            async with asyncio.timeout(seconds):
                await finished.wait()
        except TimeoutError:
            return False
        return True

    def stir(self, session: Session) -> None:
        """Something about the session has changed: look at once."""
        if session.sid in self._stirred:
            self._stirred[session.sid].set()

    async def _live(self, session: Session) -> None:
        try:
            await self._until_done(session)
        finally:
            for kept in (self._tasks, self._stirred, self._finished):
                kept.pop(session.sid, None)

    async def _until_done(self, session: Session) -> None:
        while not session.dead:
            try:
                await self._step(session)
                if session.finished and not session.late:
                    return
                await self._sleep(session, self._next_tick(session) - self.now_ms())
            except (StorageDenied, StorageUnavailable, OSError) as error:
                log.warning("simulator.storage_refused", sid=session.sid, error=str(error))
                self._tell_refused(session, denied=isinstance(error, StorageDenied))
                await self._sleep(session, STORAGE_PAUSE_MS)
            except Exception:
                log.exception("simulator.session_failed", sid=session.sid)
                return

    def _tell_refused(self, session: Session, *, denied: bool) -> None:
        """Once, although it goes on trying."""
        if session.sid not in self._refused:
            self._refused.add(session.sid)
            self._reports.refused(session, STORAGE_DENIED if denied else UPLOAD_FAILED)

    async def _step(self, session: Session) -> None:
        now_ms = self.now_ms()
        if await self._studio.upload_late(session, now_ms):
            self._reports.keep(session)
        await self._move(session, now_ms)
        if session.ended_at is None:
            await self._capture(session, now_ms)
        if session.ended_at is not None and not session.finished and not session.dead:
            await self._finish(session, session.ended_at)

    async def _move(self, session: Session, now_ms: int) -> None:
        """Lose the machine if a fault took it before the end; what it had not uploaded is lost too."""
        end = self._due_end(session, now_ms)
        until_ms = session.ended_at or (now_ms if end is None else end[0])
        if session.move is not None and session.move[0] <= until_ms and not session.finished:
            if not session.mute:
                await self._upload(session, session.move[0], ended=False)
            self._reports.moved(session)

    async def _capture(self, session: Session, now_ms: int) -> None:
        """Everything that is due: readiness, full slices, progress; and the end, if it came by itself."""
        end = self._due_end(session, now_ms)
        until_ms = now_ms if end is None else end[0]
        if not session.mute:
            if until_ms >= session.leg.since + self.ready_ms:
                self._reports.ready(session, session.leg.since + self.ready_ms)
            await self._upload(session, until_ms, ended=False)
            if until_ms >= session.next_progress_at and session.ended_at is None:
                self._reports.progress(session, until_ms)
        self.end_by_itself(session, now_ms)

    def end_by_itself(self, session: Session, now_ms: int) -> None:
        """End it if nobody has been there for too long, or a fault takes it."""
        end = self._due_end(session, now_ms)
        if end is not None and session.ended_at is None:
            session.dead = end[1] == DIED
            self.end(session, end[1], end[0])

    def _due_end(self, session: Session, now_ms: int) -> tuple[int, str] | None:
        return min(((at, why) for at, why in self._ends(session) if at is not None and at <= now_ms), default=None)

    def _ends(self, session: Session) -> list[tuple[int | None, str]]:
        return [(self._idle_at(session), IDLE), (session.evicted_at, EVICTED), (session.dies_at, DIED)]

    def _idle_at(self, session: Session) -> int | None:
        return None if session.empty_since is None else session.empty_since + session.max_idle_ms

    def _next_tick(self, session: Session) -> int:
        times = [due for _, _, due in session.late]
        if session.ended_at is None:
            times += [at for at, _ in self._ends(session) if at is not None]
            times += [session.move[0]] if session.move is not None else []
            times += [session.next_progress_at, self._studio.next_slice_at(session)] if not session.mute else []
            if not session.reported_ready and not session.mute:
                times.append(session.leg.since + self.ready_ms)
        return min(times, default=self.now_ms() + PROGRESS_MS)

    async def _sleep(self, session: Session, pause_ms: int) -> None:
        stirred = self._stirred[session.sid]
        try:
            async with asyncio.timeout(max(pause_ms, 0) / 1000):
                await stirred.wait()
        except TimeoutError:
            pass
        stirred.clear()

    async def _upload(self, session: Session, until_ms: int, *, ended: bool) -> None:
        if await self._studio.upload_slices(session, until_ms, ended=ended):
            self._reports.playlist(session)
        if session.denied:
            self._reports.refused(session, UPLOAD_FAILED)
            self.end(session, DENIED, until_ms)

    async def _finish(self, session: Session, ended_at: int) -> None:
        """Upload the rest. What is told and in which order: reference 9.5."""
        empty = session.mute or session.exit_reason in (NOTHING, REFUSED)
        if not empty and ended_at >= session.leg.since:
            self._reports.ready(session, min(session.leg.since + self.ready_ms, ended_at))
        self._reports.left(session, ended_at)
        if not empty and not session.denied:
            await self._upload(session, ended_at, ended=True)
            if session.wants_mp4 and session.leg.slices and not session.denied:
                await self._studio.upload_movie(session, ended_at)
        self._reports.finished(session)
        self._finished[session.sid].set()
