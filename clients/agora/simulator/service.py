"""The sessions of the service and the people in its channels; a restart finds them as if it had run on (api.md 7)."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from clients.agora.simulator.channels import Channels
from clients.agora.simulator.faults import Faults
from clients.agora.simulator.life import Lives
from clients.agora.simulator.reports import EVICTED, PROGRESS_MS, Reports
from clients.agora.simulator.session import Session
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.state import State

HEARTBEAT_SECONDS = 1.0
DOOM_MS = (1_000, 20_000)
"""When after its start a fault takes a session."""


class Service:
    """All sessions. Times are Unix milliseconds by `now_ms`."""

    def __init__(
        self,
        settings: SimulatorSettings,
        state: State,
        channels: Channels,
        reports: Reports,
        lives: Lives,
        faults: Faults,
        now_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._state = state
        self._channels = channels
        self._reports = reports
        self._lives = lives
        self._faults = faults
        self.now_ms = now_ms
        self.sessions: dict[str, Session] = {key: Session.read(value) for key, value in state.all("sessions")}

    def resume(self) -> None:
        """Take up what a death cut off. The people of its channels left an hour after it."""
        died_at = self._state.get("meta", "heartbeat")
        now_ms = self.now_ms()
        if died_at is not None:
            left_at = died_at + round(self._settings.people_seconds * 1000)
            if now_ms > left_at:
                self._everybody_left(left_at)
        for session in self.running():
            # Before anybody asks; its files are made from the clock afterwards.
            self._lives.end_by_itself(session, now_ms)
        for session in self.sessions.values():
            if not session.dead and (not session.finished or session.late):
                self._lives.run(session)

    def _everybody_left(self, at_ms: int) -> None:
        """The channels keep their people for the recordings to come: a server that slept all night records in the morning."""
        for session in self.running():
            if session.empty_since is None:
                session.empty_since = at_ms
                self._reports.keep(session)

    async def beat(self) -> None:
        """Note that the service lives, until cancelled."""
        while True:
            self._state.put("meta", "heartbeat", self.now_ms())
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def users(self, cname: str) -> list[str]:
        return self._channels.users(cname)

    def put_users(self, cname: str, users: list[str]) -> None:
        """Who is in the channel from now on. Somebody with a recorder's uid drives it out (reference 7.4)."""
        now_ms, before = self.now_ms(), self._channels.users(cname)
        self._channels.put(cname, users)
        for session in self.running(cname):
            if session.uid in users:
                self._lives.end(session, EVICTED)
            elif users:
                session.empty_since = None
            elif session.empty_since is None:
                session.empty_since = now_ms
            self._reports.people(session, before, users)
            self._reports.keep(session)
            self._lives.stir(session)

    def running(self, cname: str | None = None) -> list[Session]:
        """Sessions whose recorder is in its channel."""
        return [
            session
            for session in self.sessions.values()
            if session.ended_at is None and not session.dead and (cname is None or session.cname == cname)
        ]

    def open(self, session: Session) -> None:
        """A recorder joins the channel. It is on disk before the call is answered."""
        session.next_progress_at = session.started_at + PROGRESS_MS
        session.empty_since = None if self.users(session.cname) else session.started_at
        session.mute = self._faults.strikes("session.never_active")
        session.dies_at = self._doom("session.dies", session.started_at)
        session.evicted_at = self._doom("session.evicted", session.started_at)
        self.sessions[session.sid] = session
        self._reports.keep(session)
        self._lives.run(session)

    def _doom(self, fault: str, started_at: int) -> int | None:
        return started_at + self._faults.rng.randint(*DOOM_MS) if self._faults.strikes(fault) else None

    def shown(self, session: Session) -> dict[str, Any]:
        """A session as the control call shows it."""
        names = [name for name, _ in session.slices] + [item["fileName"] for item in session.files()]
        return {
            "sid": session.sid,
            "cname": session.cname,
            "uid": session.uid,
            "resourceId": session.resource_id,
            "mode": "mix",
            "status": 20 if session.dead else 8 if session.finished else self.status_of(session),
            "startedAt": _rfc3339(session.started_at),
            "endedAt": None if session.ended_at is None else _rfc3339(session.ended_at),
            "exitReason": session.exit_reason,
            "files": [session.prefix + name for name in names],
            **session.settings,
        }

    def status_of(self, session: Session) -> int:
        return session.status(self.now_ms(), self._lives.ready_ms)


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
