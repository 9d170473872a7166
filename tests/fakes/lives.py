"""The lives of the fake's sessions: they come up, report, lose their machine, and end, each at its time."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from actors.domain.commands import Notice
from actors.domain.ids import NoticeId
from tests.fakes.channels import Rooms, Rules
from tests.fakes.recorders import Leg, Session

READY_MS = 1_000
PROGRESS_MS = 60_000
GAP_MS = (1_000, 85_000)
"""How long a move takes; the service says 90 s at most (reference 7.5)."""
MOVES_MAX = 3
"""After a fourth loss nothing goes on (reference 7.5)."""
UID_MAX = 2**32 - 1
LEFT_BY_API, LEFT_IDLE, LEFT_IGNORED, NEVER_JOINED = 24, 4, 8, 0
"""`leaveCode` (reference 9.4)."""
NOTICE_MS = 2_000
"""A notification is sent up to so long after what it tells of, so they overtake one another."""


@dataclass(slots=True)
class Lives:
    """All sessions, and what they have to tell."""

    rng: random.Random
    rooms: Rooms
    rules: Rules
    sessions: list[Session] = field(default_factory=list)
    _notices: list[tuple[int, Notice]] = field(default_factory=list)

    def take_notices(self, now_ms: int) -> list[Notice]:
        due = [notice for at_ms, notice in self._notices if at_ms <= now_ms]
        self._notices = [item for item in self._notices if item[0] > now_ms]
        return due

    def begin(self, session: Session) -> None:
        """It joins, if no rule keeps it out (channel management 4.1)."""
        self.sessions.append(session)
        if self.rules.refuse(session.cname, session.uid, session.started_at_ms):
            self._refuse(session, session.started_at_ms)

    def advance(self, now_ms: int) -> None:
        for session in self.sessions:
            while session.ended_at_ms is None and (turn := min(self._turns(session), default=None)) is not None:
                if turn[0] > now_ms:
                    break
                self._capture(session, turn[0])
                self._take(session, *turn)
            if session.ended_at_ms is None:
                self._capture(session, now_ms)

    def lose_machine(self, session: Session, now_ms: int, gap_ms: tuple[int, int] = GAP_MS) -> None:
        session.leg.lost_at_ms = now_ms
        if len(session.legs) > MOVES_MAX:
            self.die(session, now_ms)
        else:
            session.move = (now_ms + self.rng.randint(*gap_ms), str(self.rng.randint(1, UID_MAX)))

    def die(self, session: Session, now_ms: int) -> None:
        session.dead, session.ended_at_ms = True, now_ms

    def end(self, session: Session, at_ms: int, leave_code: int) -> None:
        session.ended_at_ms = at_ms
        kinds = [41, 30, 31, 11] if session.ready else [41, 11]
        self._tell(session, kinds, at_ms, leaveCode=leave_code, exitStatus=0, status=0)

    def _turns(self, session: Session) -> Iterator[tuple[int, str]]:
        """What comes next for it by itself, and when."""
        if session.move is not None:
            yield session.move[0], "goes on"
            return
        strike = self.rules.strike_after(session.cname, session.leg.uid, session.leg.since_ms)
        if strike is not None:
            yield strike, "put out"
        empty_since_ms = self.rooms.empty_since(session.cname)
        if empty_since_ms is not None:
            idle_at_ms = max(empty_since_ms, session.started_at_ms) + session.max_idle_ms
            yield max(idle_at_ms, session.leg.since_ms), "idle"

    def _take(self, session: Session, at_ms: int, turn: str) -> None:
        if turn == "goes on":
            self._go_on(session, at_ms)
        else:
            self.end(session, at_ms, LEFT_IDLE if turn == "idle" else LEFT_IGNORED)

    def _go_on(self, session: Session, at_ms: int) -> None:
        """On another machine, with another uid and other files; it says so by event 12."""
        session.legs.append(Leg(session.recorder_uid, at_ms, mark=f"bak{len(session.legs) - 1}_"))
        session.move = None
        if self.rules.refuse(session.cname, session.leg.uid, at_ms):
            self._refuse(session, at_ms)
        else:
            self._notify(session, 12, at_ms, newUid=int(session.leg.uid))

    def _refuse(self, session: Session, at_ms: int) -> None:
        session.refused, session.ended_at_ms = True, at_ms
        self._tell(session, [1, 41, 11], at_ms, errorLevel=5, leaveCode=NEVER_JOINED, exitStatus=1)

    def _capture(self, session: Session, until_ms: int) -> None:
        if session.mute or session.move is not None:
            return
        ready_at_ms = session.leg.since_ms + READY_MS
        if not session.leg.ready and until_ms >= ready_at_ms:
            session.leg.ready = True
            self._notify(session, 40, ready_at_ms, status=0)
            self._notify(session, 42, ready_at_ms, startUtcMs=session.leg.since_ms)
        while session.leg.ready and until_ms >= session.next_progress_ms:
            self._notify(session, 33, session.next_progress_ms, progress=9000)
            session.next_progress_ms += PROGRESS_MS

    def _tell(self, session: Session, kinds: list[int], at_ms: int, **details: int) -> None:
        """In no order."""
        self.rng.shuffle(kinds)
        for kind in kinds:
            self._notify(session, kind, at_ms, **details)

    def _notify(self, session: Session, event_type: int, at_ms: int, **details: int) -> None:
        notice = Notice(
            notice_id=NoticeId(f"{session.sid}-{session.sequence}"),
            event_type=event_type,
            sid=session.sid,
            uid=session.leg.uid,
            cname=session.cname,
            sequence=session.sequence,
            at_ms=at_ms,
            details=dict(details),
        )
        session.sequence += 1
        self._notices.append((at_ms + self.rng.randint(0, NOTICE_MS), notice))
