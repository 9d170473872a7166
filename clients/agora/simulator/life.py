"""The life of each session: it comes up, captures, uploads, reports and ends, one task each (reference 9.5, 12.4)."""

import asyncio
from collections.abc import Callable

import structlog

from actors.ports import StorageDenied, StorageUnavailable
from clients.agora.simulator.session import Session
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.state import State
from clients.agora.simulator.studio import Studio
from clients.agora.simulator.webhooks import Webhooks

log = structlog.get_logger(__name__)

PROGRESS_MS = 60_000
LEFT_BY_API, LEFT_IDLE, LEFT_IGNORED = 16, 4, 8
"""Bits of `leaveCode` (reference 9.4)."""
NOTHING, EVICTED, DIED = "nothing recorded", "same uid joined", "died"
LEAVE_CODES = {"idle": LEFT_IDLE, EVICTED: LEFT_IGNORED}
STORAGE_PAUSE_MS = 1_000


class Lives:
    """Runs sessions. Each step can be done again after a crash: what it makes has the same names and bytes."""

    def __init__(
        self, settings: SimulatorSettings, state: State, studio: Studio, webhooks: Webhooks, now_ms: Callable[[], int]
    ) -> None:
        self.ready_ms = round(settings.ready_seconds * 1000)
        self._state = state
        self._studio = studio
        self._webhooks = webhooks
        self.now_ms = now_ms
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stirred: dict[str, asyncio.Event] = {}
        self._finished: dict[str, asyncio.Event] = {}

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
            self.keep(session)
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

    def keep(self, session: Session) -> None:
        self._state.put("sessions", session.sid, session.written())

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
                await self._sleep(session, STORAGE_PAUSE_MS)
            except Exception:
                log.exception("simulator.session_failed", sid=session.sid)
                return

    async def _step(self, session: Session) -> None:
        now_ms = self.now_ms()
        if await self._studio.upload_late(session, now_ms):
            self.keep(session)
        if session.ended_at is None:
            await self._capture(session, now_ms)
        if session.ended_at is not None and not session.finished and not session.dead:
            await self._finish(session, session.ended_at)

    async def _capture(self, session: Session, now_ms: int) -> None:
        """Everything that is due: readiness, full slices, progress; and the end, if it came by itself."""
        end = self._due_end(session, now_ms)
        until_ms = now_ms if end is None else end[0]
        if not session.mute:
            self._report_ready(session, until_ms)
            if await self._studio.upload_slices(session, until_ms, ended=False):
                self._report_list(session)
            if until_ms >= session.next_progress_at and session.ended_at is None:
                self._report_progress(session, until_ms)
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
        return [(self._idle_at(session), "idle"), (session.evicted_at, EVICTED), (session.dies_at, DIED)]

    def _report_ready(self, session: Session, now_ms: int) -> None:
        ready_at = session.started_at + self.ready_ms
        if session.reported_ready or now_ms < ready_at:
            return
        with self._state.together():
            session.reported_ready = True
            self._webhooks.notify(session, 40, ready_at, status=0)
            self.keep(session)

    def _report_list(self, session: Session) -> None:
        """Event 4 tells of the playlist's first upload alone, and 42 comes after it (reference 9.4, 9.5)."""
        with self._state.together():
            if session.slices and not session.reported_list:
                session.reported_list = True
                began = {"startUtcMs": session.started_at, "discontinueUtcMs": session.started_at}
                who = {"mixedAllUser": True, "streamUid": 0, "trackType": session.track_type}
                self._webhooks.notify(session, 42, session.started_at, 150, **began, **who)
                self._webhooks.notify(session, 4, self.now_ms(), fileList=session.playlist_name)
            self.keep(session)

    def _report_progress(self, session: Session, now_ms: int) -> None:
        with self._state.together():
            self._webhooks.notify(session, 33, now_ms, progress=9_000)
            session.next_progress_at = now_ms + PROGRESS_MS
            self.keep(session)

    def _idle_at(self, session: Session) -> int | None:
        return None if session.empty_since is None else session.empty_since + session.max_idle_ms

    def _next_tick(self, session: Session) -> int:
        times = [due for _, _, due in session.late]
        if session.ended_at is None:
            times += [at for at, _ in self._ends(session) if at is not None]
            times += [session.next_progress_at, self._studio.next_slice_at(session)] if not session.mute else []
            if not session.reported_ready and not session.mute:
                times.append(session.started_at + self.ready_ms)
        return min(times, default=self.now_ms() + PROGRESS_MS)

    async def _sleep(self, session: Session, pause_ms: int) -> None:
        stirred = self._stirred[session.sid]
        try:
            async with asyncio.timeout(max(pause_ms, 0) / 1000):
                await stirred.wait()
        except TimeoutError:
            pass
        stirred.clear()

    async def _finish(self, session: Session, ended_at: int) -> None:
        """Upload the rest, and report in the order that was seen: 41, then 11 before 31 (reference 9.5)."""
        empty = session.mute or session.exit_reason == NOTHING
        if not empty:
            self._report_ready(session, session.started_at + self.ready_ms)
        self._report_left(session, ended_at)
        if not empty:
            await self._studio.upload_slices(session, ended_at, ended=True)
            self._report_list(session)
            if session.wants_mp4 and session.slices:
                await self._studio.upload_movie(session, ended_at)
        with self._state.together():
            session.finished = True
            now_ms = self.now_ms()
            if session.slices:
                self._webhooks.notify(session, 30, now_ms, 50, status=0)
                self._webhooks.notify(session, 31, now_ms, 250, status=0, fileList=session.files())
            self._webhooks.notify(session, 11, now_ms, 100, exitStatus=0)
            self.keep(session)
        self._finished[session.sid].set()

    def _report_left(self, session: Session, ended_at: int) -> None:
        if session.reported_left:
            return
        with self._state.together():
            session.reported_left = True
            code = LEAVE_CODES.get(session.exit_reason or "", LEFT_BY_API | LEFT_IGNORED)
            self._webhooks.notify(session, 41, ended_at, leaveCode=code)
            self.keep(session)
