"""The sessions of the service and the people in its channels; a restart finds them as if it had run on (api.md 7)."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from clients.agora.simulator.channels import Channels
from clients.agora.simulator.faults import Faults
from clients.agora.simulator.life import Lives
from clients.agora.simulator.reports import BANNED, EVICTED, PROGRESS_MS, REFUSED, Reports
from clients.agora.simulator.rules import Rule, Rules
from clients.agora.simulator.session import Session
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.state import State
from clients.agora.simulator.wire import UID_MAX

HEARTBEAT_SECONDS = 1.0
DOOM_MS = (1_000, 20_000)
"""When after its start a fault takes a session."""
FAILOVER = "session.failover"
GAP_MS = (2_000, 20_000)
"""How long a move to another machine takes; the service needs up to 30 s when the process died (reference 4.3)."""


class Service:
    """All sessions. Times are Unix milliseconds by `now_ms`."""

    def __init__(
        self,
        settings: SimulatorSettings,
        state: State,
        channels: Channels,
        rules: Rules,
        reports: Reports,
        lives: Lives,
        faults: Faults,
        now_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._state = state
        self._channels = channels
        self._rules = rules
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
        """Who is in the channel from now on, but for whom a rule keeps out. One with a recorder's uid drives it out (7.4)."""
        now_ms, before = self.now_ms(), self._channels.users(cname)
        users = [uid for uid in users if not self._rules.refuse(None, cname, uid, now_ms)]
        self._channels.put(cname, users, now_ms)
        for session in self.running(cname):
            if session.recorder_uid in users:
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

    def put_out(self, rule: Rule) -> None:
        """A rule strikes: whom it matches leaves."""
        for session in self.running():
            if rule.matches(session.app_id, session.cname, session.recorder_uid):
                self._lives.end_by_itself(session, rule.strikes_at)
                self._lives.end(session, BANNED, rule.strikes_at)
        for cname in [rule.cname] if rule.cname is not None else self._channels.names():
            users = self.users(cname)
            staying = [uid for uid in users if not rule.matches(None, cname, uid)]
            if staying != users:
                self.put_users(cname, staying)

    def of_channel(self, app_id: str, cname: str) -> list[Session]:
        """The sessions of a channel, past ones too."""
        return [session for session in self.sessions.values() if (session.app_id, session.cname) == (app_id, cname)]

    def recorded(self, app_id: str) -> list[str]:
        """The channels that an App ID records."""
        return [session.cname for session in self.running() if session.app_id == app_id]

    def open(self, session: Session) -> None:
        """A recorder joins the channel, if no rule keeps it out. It is on disk before the call is answered."""
        if self._rules.refuse(session.app_id, session.cname, session.uid, session.started_at):
            session.ended_at, session.exit_reason = session.started_at, REFUSED
        session.next_progress_at = session.started_at + PROGRESS_MS
        session.empty_since = None if self.users(session.cname) else session.started_at
        session.mute = self._faults.strikes("session.never_active")
        session.dies_at = self._doom("session.dies", session.started_at)
        session.evicted_at = self._doom("session.evicted", session.started_at)
        session.move = self._move_of(session)
        self.sessions[session.sid] = session
        self._reports.keep(session)
        self._lives.run(session)

    def _doom(self, fault: str, started_at: int) -> int | None:
        return started_at + self._faults.dice(fault).randint(*DOOM_MS) if self._faults.strikes(fault) else None

    def _move_of(self, session: Session) -> tuple[int, int, str] | None:
        lost_at = self._doom(FAILOVER, session.started_at)
        if lost_at is None:
            return None
        dice = self._faults.dice(FAILOVER)
        return lost_at, lost_at + dice.randint(*GAP_MS), str(dice.randint(1, UID_MAX))

    def shown(self, session: Session) -> dict[str, Any]:
        """A session as the control call shows it."""
        names = [name for leg in session.legs for name, _ in leg.slices] + [
            item["fileName"] for item in session.files()
        ]
        return {
            "sid": session.sid,
            "cname": session.cname,
            "uid": session.recorder_uid,
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
