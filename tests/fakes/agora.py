"""Agora Cloud Recording and its channel management in memory, with their real semantics, for the deterministic simulation.

Pure state that is advanced to a time; no tasks, no waiting. Resources are single-use and live five minutes (reference 2), a
repeated start gives 7 or 53 (7.4), a session is ready a second after its start, what is not found may have ended or be moving
(4.3), notifications carry sid and uid (9.3), rules strike some time after they are made, and lists show what was. Lost
requests and answers are the simulation's business, not this one's.
"""

import random
from dataclasses import dataclass, field
from typing import Protocol

from actors.domain.commands import Notice
from actors.domain.effects import (
    AgoraAcquire,
    AgoraBan,
    AgoraMembers,
    AgoraQuery,
    AgoraRekey,
    AgoraStart,
    AgoraStop,
    AgoraUpdate,
    AgoraUpdateLayout,
)
from actors.domain.outcomes import (
    Acquired,
    AlreadyRunning,
    Ambiguous,
    Banned,
    Done,
    Leaving,
    Members,
    NotFound,
    NothingRecorded,
    Outcome,
    QueryAnswer,
    Rekeyed,
    ResourceUnusable,
    Seen,
    StartAnswer,
    Started,
    StopAnswer,
    Stopped,
    Updated,
)
from tests.fakes.channels import Rooms, Rule, Rules
from tests.fakes.files import FakeMedia
from tests.fakes.lives import GAP_MS, LEFT_BY_API, LEFT_IGNORED, PROGRESS_MS, Lives
from tests.fakes.recorders import Resource, Session

RESOURCE_LIFETIME_MS = 300_000
LEAVING_MS = 2_000
CAPTURING, UPLOADED, STARTING, STUCK = 5, 7, 2, 3
"""`status` of a query (reference 4.1)."""


class Now(Protocol):
    def now_ms(self) -> int: ...


@dataclass(slots=True)
class FakeAgora:
    """The whole service. `running` is what the safety of a run is checked with."""

    clock: Now
    rng: random.Random
    rule_delay_ms: tuple[int, int] = (200, 5_000)
    """How long a rule takes to strike, drawn for each."""
    list_lag_ms: tuple[int, int] = (0, 120_000)
    """How old a list of members is, drawn for each look."""
    resources: dict[str, Resource] = field(default_factory=dict)
    rooms: Rooms = field(default_factory=Rooms)
    rules: Rules = field(default_factory=Rules)
    lives: Lives = field(init=False)
    media: FakeMedia = field(init=False)

    def __post_init__(self) -> None:
        self.lives = Lives(self.rng, self.rooms, self.rules)
        self.media = FakeMedia(self.lives, self.clock.now_ms)

    @property
    def sessions(self) -> list[Session]:
        return self.lives.sessions

    @sessions.setter
    def sessions(self, sessions: list[Session]) -> None:
        self.lives.sessions = sessions

    def running(self, cname: str) -> list[Session]:
        """The sessions that record in a channel now, or will again when they have moved."""
        return [item for item in self.sessions if item.cname == cname and item.ended_at_ms is None]

    def take_notices(self, now_ms: int) -> list[Notice]:
        """Notifications that are due, taken out of the queue."""
        return self.lives.take_notices(now_ms)

    def advance(self, now_ms: int) -> None:
        """Let pass what has happened until now."""
        self.lives.advance(now_ms)

    def vacate(self, cname: str) -> None:
        """Everybody has left the channel; after `maxIdleTime` its recorders leave too (reference 3.2)."""
        self.advance(self.clock.now_ms())
        self.rooms.set(cname, self.clock.now_ms(), empty=True)

    def occupy(self, cname: str) -> None:
        """Somebody is in the channel again."""
        self.advance(self.clock.now_ms())
        self.rooms.set(cname, self.clock.now_ms(), empty=False)

    # --- what may befall a session; nothing does if it has ended ---

    def failover(self, sid: str, now_ms: int, gap_ms: tuple[int, int] = GAP_MS) -> None:
        """Its machine is lost; another goes on with it (reference 7.5)."""
        session = self._live(sid, now_ms)
        if session is not None:
            self.lives.lose_machine(session, now_ms, gap_ms)

    def die(self, sid: str, now_ms: int) -> None:
        """It is gone without a word."""
        session = self._live(sid, now_ms)
        if session is not None:
            self.lives.die(session, now_ms)

    def evict(self, sid: str, now_ms: int) -> None:
        """Somebody with its uid joins, so it leaves (reference 7.4)."""
        session = self._live(sid, now_ms)
        if session is not None:
            self.lives.end(session, now_ms, LEFT_IGNORED)

    def mute(self, sid: str) -> None:
        """It never comes up. Said before it has."""
        session = self._session(sid)
        assert session is not None
        session.mute = True

    # --- ports.Recorder ---

    async def acquire(self, call: AgoraAcquire) -> Outcome[Acquired]:
        resource_id = f"resource-{self.rng.getrandbits(64):016x}"
        self.resources[resource_id] = Resource(call.channel_name, call.uid, self.clock.now_ms())
        return Done(Acquired(resource_id))

    async def start(self, call: AgoraStart) -> Outcome[StartAnswer]:
        now_ms = self.clock.now_ms()
        self.advance(now_ms)
        resource = self.resources.get(call.resource_id)
        if resource is None or (resource.cname, resource.uid) != (call.channel_name, call.uid):
            return Done(ResourceUnusable(432, "not of this resource"))
        if resource.session is not None:
            ended = resource.session.ended_at_ms is not None
            return Done(ResourceUnusable(433, "used") if ended else AlreadyRunning(7))
        if now_ms > resource.acquired_at_ms + RESOURCE_LIFETIME_MS:
            return Done(ResourceUnusable(433, "older than five minutes"))
        if any(item.recorder_uid == call.uid for item in self.running(call.channel_name)):
            return Done(AlreadyRunning(53))
        resource.session = self._open(call, now_ms)
        return Done(Started(resource.session.sid))

    async def query(self, call: AgoraQuery) -> Outcome[QueryAnswer]:
        now_ms = self.clock.now_ms()
        self.advance(now_ms)
        session = self._session(call.sid)
        if session is None or not self._is_to_be_found(session, now_ms):
            return Done(NotFound())
        if session.ended_at_ms is not None:
            return Done(Seen(UPLOADED))
        return Done(Seen(STUCK if session.mute else CAPTURING if session.leg.ready else STARTING))

    async def stop(self, call: AgoraStop) -> Outcome[StopAnswer]:
        now_ms = self.clock.now_ms()
        self.advance(now_ms)
        session = self._session(call.sid)
        if session is None or not self._is_to_be_found(session, now_ms):
            return Done(NotFound())
        if session.ended_at_ms is not None:
            return Done(Leaving())
        self.lives.end(session, now_ms, LEFT_BY_API)
        return Done(Stopped("uploaded") if session.ready else NothingRecorded())

    async def update(self, call: AgoraUpdate) -> Outcome[Updated]:
        session = self._working(call.sid)
        if session is None:
            return Ambiguous("failed to find worker")
        session.subscribe = call.subscribe
        return Done(Updated())

    async def update_layout(self, call: AgoraUpdateLayout) -> Outcome[Updated]:
        session = self._working(call.sid)
        if session is None:
            return Ambiguous("failed to find worker")
        session.layout = call.layout
        return Done(Updated())

    async def rekey(self, call: AgoraRekey) -> Outcome[Rekeyed]:
        """Its recorders write with keys that do not end."""
        return Ambiguous("failed to find worker") if self._working(call.sid) is None else Done(Rekeyed(None))

    async def ban(self, call: AgoraBan) -> Outcome[Banned]:
        now_ms = self.clock.now_ms()
        self.advance(now_ms)
        strikes_at_ms = now_ms + self.rng.randint(*self.rule_delay_ms)
        self.rules.all.append(Rule(call.channel_name, call.uid, strikes_at_ms, now_ms + call.seconds * 1000))
        return Done(Banned(str(len(self.rules.all))))

    async def members(self, call: AgoraMembers) -> Outcome[Members]:
        now_ms = self.clock.now_ms()
        self.advance(now_ms)
        at_ms = now_ms - self.rng.randint(*self.list_lag_ms)
        people = self.rooms.people_at(call.channel_name, at_ms)
        sessions = [item for item in self.sessions if item.cname == call.channel_name]
        there = [(item, uid) for item in sessions if (uid := item.present_at(at_ms)) is not None]
        uids = (*people, *(uid for _, uid in there))
        return Done(Members(uids, people if any(item.live for item, _ in there) else uids))

    def _open(self, call: AgoraStart, now_ms: int) -> Session:
        session = Session(
            sid=f"{self.rng.getrandbits(128):032x}",
            cname=call.channel_name,
            uid=call.uid,
            prefix=call.prefix,
            mp4="mp4" in call.spec.outputs,
            live=call.spec.channel_type == "live_broadcasting",
            max_idle_ms=call.spec.max_idle_seconds * 1000,
            started_at_ms=now_ms,
            subscribe=call.spec.subscribe,
            layout=call.spec.layout,
            next_progress_ms=now_ms + PROGRESS_MS,
        )
        self.lives.begin(session)
        return session

    def _session(self, sid: str) -> Session | None:
        return next((item for item in self.sessions if item.sid == sid), None)

    def _live(self, sid: str, now_ms: int) -> Session | None:
        """One that is in its channel."""
        self.advance(now_ms)
        session = self._session(sid)
        return session if session is not None and session.ended_at_ms is None and session.move is None else None

    def _working(self, sid: str) -> Session | None:
        return self._live(sid, self.clock.now_ms())

    def _is_to_be_found(self, session: Session, now_ms: int) -> bool:
        if session.move is not None or session.dead or session.refused:
            return False
        return session.ended_at_ms is None or now_ms < session.ended_at_ms + LEAVING_MS
