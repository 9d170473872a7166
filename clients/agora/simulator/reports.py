"""What the service tells about a session by notification; told and noted as told in one transaction (reference 9.4, 9.5)."""

from collections.abc import Callable, Sequence

from clients.agora.simulator.channels import Channels
from clients.agora.simulator.session import Session
from clients.agora.simulator.state import State
from clients.agora.simulator.webhooks import Webhooks

PROGRESS_MS = 60_000
LEFT_BY_API, LEFT_IDLE, LEFT_IGNORED, LEFT_NEVER_JOINED = 16, 4, 8, 0
"""Bits of `leaveCode` (reference 9.4)."""
IDLE, EVICTED, BANNED, REFUSED = "idle", "same uid joined", "banned", "join refused"
LEAVE_CODES = {IDLE: LEFT_IDLE, EVICTED: LEFT_IGNORED, BANNED: LEFT_IGNORED, REFUSED: LEFT_NEVER_JOINED}
RECEIVING, SILENT = 0, 1
"""`state` of events 43 and 44."""
UPLOADER, STORAGE_DENIED, UPLOAD_FAILED, FATAL = 1, 32, 47, 5
"""`module`, two of `errorCode`, and `errorLevel` of event 1 (reference 7.3, 9.4)."""
RECORDER, BANNED_BY_SERVER = 0, 123
"""The same of a recorder that may not join; the code is the old one of the native SDKs (channel management 1.4)."""
COMPOSITE = 1
"""`recordingMode` of event 3."""


class Reports:
    """Queues notifications. The pauses make the disorder that is really seen: 42 after 4, 43 after 41, 11 before 31."""

    def __init__(self, state: State, webhooks: Webhooks, channels: Channels, now_ms: Callable[[], int]) -> None:
        self._state = state
        self._webhooks = webhooks
        self._channels = channels
        self._now_ms = now_ms

    def keep(self, session: Session) -> None:
        """Have the session on disk as it is now."""
        self._state.put("sessions", session.sid, session.written())

    def ready(self, session: Session, ready_at: int) -> None:
        """The recorder is in the channel, and receives who is there."""
        if session.reported_ready:
            return
        with self._state.together():
            session.reported_ready = True
            self._webhooks.notify(session, 40, ready_at, status=0)
            self._streams(session, self._channels.users(session.cname), RECEIVING, ready_at, 50)
            self.keep(session)

    def playlist(self, session: Session) -> None:
        """Event 4 tells of the playlist's first upload alone, and 42 comes after it."""
        with self._state.together():
            if session.leg.slices and not session.reported_list:
                session.reported_list = True
                since = session.leg.since
                began = {"startUtcMs": since, "discontinueUtcMs": since}
                who = {"mixedAllUser": True, "streamUid": 0, "trackType": session.track_type}
                self._webhooks.notify(session, 42, since, 150, **began, **who)
                self._webhooks.notify(session, 4, self._now_ms(), fileList=session.playlist_name)
            self.keep(session)

    def progress(self, session: Session, at_ms: int) -> None:
        """Every minute: uploaded of recorded files, of 10,000; it never falls."""
        recorded = sum(len(leg.slices) for leg in session.legs)
        uploaded = recorded - len(session.late)
        with self._state.together():
            session.progress = max(session.progress, 10_000 * uploaded // (recorded + 1))
            session.next_progress_at = at_ms + PROGRESS_MS
            self._webhooks.notify(session, 33, at_ms, progress=session.progress)
            self.keep(session)

    def people(self, session: Session, before: Sequence[str], after: Sequence[str]) -> None:
        """Somebody came into the channel of a recorder that is ready, or left it."""
        if not session.reported_ready:
            return
        with self._state.together():
            now_ms = self._now_ms()
            self._streams(session, [uid for uid in before if uid not in after], SILENT, now_ms, 0)
            self._streams(session, [uid for uid in after if uid not in before], RECEIVING, now_ms, 0)
            self.keep(session)

    def misfit(self, session: Session, status: int) -> None:
        """Event 3: a call does not fit the state."""
        with self._state.together():
            now_ms, files = self._now_ms(), session.newest_playlist
            self._webhooks.notify(session, 3, now_ms, status=status, recordingMode=COMPOSITE, fileList=files)
            self.keep(session)

    def refused(self, session: Session, code: int) -> None:
        """Event 1: the customer's storage takes nothing."""
        with self._state.together():
            error = {"module": UPLOADER, "errorLevel": FATAL, "errorCode": code, "stat": 0}
            self._webhooks.notify(session, 1, self._now_ms(), **error, errorMsg="upload failed")
            self.keep(session)

    def moved(self, session: Session) -> None:
        """Event 12: the machine was lost, and another goes on; much is told once more, of the new recorder (reference 7.5)."""
        with self._state.together():
            session.moves()
            joins_at, new_uid = session.leg.since, int(session.recorder_uid)
            self._webhooks.notify(session, 12, joins_at, max(joins_at - self._now_ms(), 0), newUid=new_uid)
            self.keep(session)

    def left(self, session: Session, ended_at: int) -> None:
        """The recorder is out of the channel, or was never let in; that its streams have ended is told late."""
        if session.reported_left:
            return
        with self._state.together():
            session.reported_left = True
            if session.exit_reason == REFUSED:
                error = {"module": RECORDER, "errorLevel": FATAL, "errorCode": BANNED_BY_SERVER, "stat": 0}
                self._webhooks.notify(session, 1, ended_at, **error, errorMsg="banned by server")
            code = LEAVE_CODES.get(session.exit_reason or "", LEFT_BY_API | LEFT_IGNORED)
            self._webhooks.notify(session, 41, ended_at, leaveCode=code)
            if session.reported_ready:
                self._streams(session, self._channels.users(session.cname), SILENT, ended_at, 50)
            self.keep(session)

    def finished(self, session: Session) -> None:
        """Every file is up, in the customer's storage or in the backup cloud; the service has exited."""
        now_ms = self._now_ms()
        with self._state.together():
            session.finished = True
            if session.captured:
                uploaded = 32 if session.backuped else 31
                self._webhooks.notify(session, 30, now_ms, 50, status=0)
                self._webhooks.notify(session, uploaded, now_ms, 250, status=0, fileList=session.files())
            abnormal = session.denied or session.exit_reason == REFUSED
            self._webhooks.notify(session, 11, now_ms, 100, exitStatus=int(abnormal))
            self.keep(session)

    def _streams(self, session: Session, users: Sequence[str], state: int, at_ms: int, pause_ms: int) -> None:
        for uid in users:
            for event_type in (43, 44) if session.has_video else (43,):
                details = {"streamUid": int(uid), "state": state, "UtcMs": at_ms}
                self._webhooks.notify(session, event_type, at_ms, pause_ms, **details)
