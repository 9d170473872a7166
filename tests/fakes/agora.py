"""Agora Cloud Recording in memory, with its real semantics, for the deterministic simulation.

Pure state that is advanced to a time; no tasks, no waiting. Resources are single-use and live five minutes (reference 2), a
repeated start gives 7 or 53 (7.4), a session is ready a second after its start, what is not found may have ended (4.3),
notifications carry sid and uid (9.3). Lost requests and answers are the simulation's business, not this one's.
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
    AgoraStart,
    AgoraStop,
    AgoraUpdate,
    AgoraUpdateLayout,
)
from actors.domain.ids import NoticeId
from actors.domain.media import MediaReport, Movie, Playlist, Slice, StoredObject
from actors.domain.model import Layout, Subscription
from actors.domain.outcomes import (
    Acquired,
    AlreadyRunning,
    Ambiguous,
    Banned,
    Done,
    Erased,
    Leaving,
    Members,
    NotFound,
    NothingRecorded,
    Outcome,
    QueryAnswer,
    ResourceUnusable,
    Seen,
    StartAnswer,
    Started,
    StopAnswer,
    Stopped,
    Updated,
)

RESOURCE_LIFETIME_MS = 300_000
READY_MS = 1_000
LEAVING_MS = 2_000
SLICE_MS = 15_000
PROGRESS_MS = 60_000
PEOPLE = ("1001", "1002")
LEFT_BY_API, LEFT_IDLE = 24, 4
"""`leaveCode` (reference 9.4)."""


class Now(Protocol):
    def now_ms(self) -> int: ...


@dataclass(slots=True)
class Resource:
    cname: str
    uid: str
    acquired_at_ms: int
    session: "Session | None" = None


@dataclass(slots=True)
class Session:
    """A recorder in a channel, from its start to its exit."""

    sid: str
    cname: str
    uid: str
    prefix: tuple[str, ...]
    mp4: bool
    max_idle_ms: int
    started_at_ms: int
    subscribe: Subscription
    layout: Layout | None
    ended_at_ms: int | None = None
    sequence: int = 0
    next_progress_ms: int = 0
    ready: bool = False


@dataclass(slots=True)
class FakeAgora:
    """The whole service. `running` is what the safety of a run is checked with."""

    clock: Now
    rng: random.Random
    resources: dict[str, Resource] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    empty_since: dict[str, int] = field(default_factory=dict)
    """Channels that nobody is in, and since when. There is somebody in every other one."""
    rules: dict[tuple[str, str], int] = field(default_factory=dict)
    """Kicking rules: (channel, uid), and until when each holds."""
    _notices: list[tuple[int, Notice]] = field(default_factory=list)
    media: "FakeMedia" = field(init=False)

    def __post_init__(self) -> None:
        self.media = FakeMedia(self)

    def running(self, cname: str) -> list[Session]:
        """The sessions that record in a channel now."""
        return [item for item in self.sessions if item.cname == cname and item.ended_at_ms is None]

    def take_notices(self, now_ms: int) -> list[Notice]:
        """Notifications that are due, taken out of the queue."""
        due = [notice for at_ms, notice in self._notices if at_ms <= now_ms]
        self._notices = [item for item in self._notices if item[0] > now_ms]
        return due

    def vacate(self, cname: str) -> None:
        """Everybody has left the channel; after `maxIdleTime` its recorders leave too (reference 3.2)."""
        self.advance(self.clock.now_ms())
        self.empty_since.setdefault(cname, self.clock.now_ms())

    def occupy(self, cname: str) -> None:
        """Somebody is in the channel again."""
        self.advance(self.clock.now_ms())
        self.empty_since.pop(cname, None)

    def advance(self, now_ms: int) -> None:
        """Let pass what has happened until now."""
        for session in self.sessions:
            if session.ended_at_ms is not None:
                continue
            idle_at_ms = self._idle_at_ms(session)
            self._capture(session, now_ms if idle_at_ms is None else min(now_ms, idle_at_ms))
            if idle_at_ms is not None and idle_at_ms <= now_ms:
                self._end(session, idle_at_ms, LEFT_IDLE)

    def _idle_at_ms(self, session: Session) -> int | None:
        empty_since_ms = self.empty_since.get(session.cname)
        return None if empty_since_ms is None else max(empty_since_ms, session.started_at_ms) + session.max_idle_ms

    def _capture(self, session: Session, until_ms: int) -> None:
        if not session.ready and until_ms >= session.started_at_ms + READY_MS:
            session.ready = True
            self._notify(session, 40, session.started_at_ms + READY_MS, status=0)
            self._notify(session, 42, session.started_at_ms + READY_MS, startUtcMs=session.started_at_ms)
        while session.ready and until_ms >= session.next_progress_ms:
            self._notify(session, 33, session.next_progress_ms, progress=9000)
            session.next_progress_ms += PROGRESS_MS

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
        if any(item.uid == call.uid for item in self.running(call.channel_name)):
            return Done(AlreadyRunning(53))
        resource.session = self._open(call, now_ms)
        return Done(Started(resource.session.sid))

    async def query(self, call: AgoraQuery) -> Outcome[QueryAnswer]:
        now_ms = self.clock.now_ms()
        self.advance(now_ms)
        session = self._session(call.sid)
        if session is None or session.ended_at_ms is not None:
            return Done(NotFound())
        return Done(Seen(5 if session.ready else 2))

    async def stop(self, call: AgoraStop) -> Outcome[StopAnswer]:
        now_ms = self.clock.now_ms()
        self.advance(now_ms)
        session = self._session(call.sid)
        if session is None:
            return Done(NotFound())
        if session.ended_at_ms is not None:
            return Done(Leaving() if now_ms < session.ended_at_ms + LEAVING_MS else NotFound())
        self._end(session, now_ms, LEFT_BY_API)
        return Done(Stopped("uploaded") if session.ready else NothingRecorded())

    async def update(self, call: AgoraUpdate) -> Outcome[Updated]:
        session = self._live(call.sid)
        if session is None:
            return Ambiguous("failed to find worker")
        session.subscribe = call.subscribe
        return Done(Updated())

    async def update_layout(self, call: AgoraUpdateLayout) -> Outcome[Updated]:
        session = self._live(call.sid)
        if session is None:
            return Ambiguous("failed to find worker")
        session.layout = call.layout
        return Done(Updated())

    async def ban(self, call: AgoraBan) -> Outcome[Banned]:
        now_ms = self.clock.now_ms()
        self.advance(now_ms)
        self.rules[(call.channel_name, call.uid)] = now_ms + call.seconds * 1000
        for session in self.running(call.channel_name):
            if session.uid == call.uid:
                self._end(session, now_ms, LEFT_BY_API)
        return Done(Banned(str(len(self.rules))))

    async def members(self, call: AgoraMembers) -> Outcome[Members]:
        self.advance(self.clock.now_ms())
        people = () if call.channel_name in self.empty_since else PEOPLE
        uids = (*people, *(session.uid for session in self.running(call.channel_name)))
        return Done(Members(uids, uids))

    def _open(self, call: AgoraStart, now_ms: int) -> Session:
        session = Session(
            sid=f"{self.rng.getrandbits(128):032x}",
            cname=call.channel_name,
            uid=call.uid,
            prefix=call.prefix,
            mp4="mp4" in call.spec.outputs,
            max_idle_ms=call.spec.max_idle_seconds * 1000,
            started_at_ms=now_ms,
            subscribe=call.spec.subscribe,
            layout=call.spec.layout,
            next_progress_ms=now_ms + PROGRESS_MS,
        )
        self.sessions.append(session)
        if now_ms < self.rules.get((call.channel_name, call.uid), 0):
            self._end(session, now_ms, LEFT_BY_API)  # it is refused at the door (channel management 4.1)
        return session

    def _end(self, session: Session, now_ms: int, leave_code: int) -> None:
        session.ended_at_ms = now_ms
        kinds = [41, 11] if not session.ready else [41, 30, 31, 11]
        self.rng.shuffle(kinds)
        for kind in kinds:
            self._notify(session, kind, now_ms, leaveCode=leave_code, exitStatus=0, status=0)

    def _session(self, sid: str) -> Session | None:
        return next((item for item in self.sessions if item.sid == sid), None)

    def _live(self, sid: str) -> Session | None:
        self.advance(self.clock.now_ms())
        session = self._session(sid)
        return None if session is None or session.ended_at_ms is not None else session

    def _notify(self, session: Session, event_type: int, at_ms: int, **details: int) -> None:
        notice = Notice(
            notice_id=NoticeId(f"{session.sid}-{session.sequence}"),
            event_type=event_type,
            sid=session.sid,
            uid=session.uid,
            cname=session.cname,
            sequence=session.sequence,
            at_ms=at_ms,
            details=dict(details),
        )
        session.sequence += 1
        self._notices.append((at_ms + self.rng.randint(0, 2_000), notice))


class FakeMedia:
    """ports.MediaStore over what the sessions captured."""

    def __init__(self, agora: FakeAgora) -> None:
        self._agora = agora
        self._erased: set[str] = set()

    async def examine(self, prefix: tuple[str, ...]) -> Outcome[MediaReport]:
        objects: list[StoredObject] = []
        playlists, movies = [], []
        for session in self._of(prefix):
            playlist = self._playlist(session)
            playlists.append(playlist)
            objects += [StoredObject(item.key, item.size or 0, 0) for item in playlist.slices]
            objects.append(StoredObject(playlist.key, playlist.size, 0))
            if session.mp4 and session.ended_at_ms is not None:
                seconds = sum(item.duration_seconds for item in playlist.slices)
                movies.append(Movie(f"{self._stem(session)}_0.mp4", 1000, seconds))
                objects.append(StoredObject(movies[-1].key, 1000, 0))
        return Done(MediaReport(tuple(objects), tuple(playlists), tuple(movies)))

    async def erase(self, prefix: tuple[str, ...]) -> Outcome[Erased]:
        sessions = self._of(prefix)
        self._erased.update(item.sid for item in sessions)
        return Done(Erased(len(sessions), 1000 * len(sessions)))

    def _of(self, prefix: tuple[str, ...]) -> list[Session]:
        return [s for s in self._agora.sessions if s.prefix == prefix and s.ready and s.sid not in self._erased]

    def _stem(self, session: Session) -> str:
        return f"{'/'.join(session.prefix)}/{session.sid}_{session.cname}"

    def _playlist(self, session: Session) -> Playlist:
        end_ms = session.ended_at_ms or self._agora.clock.now_ms()
        slices = tuple(
            Slice(f"{self._stem(session)}_{at_ms}.ts", min(SLICE_MS, end_ms - at_ms) / 1000, at_ms, 500)
            for at_ms in range(session.started_at_ms, end_ms, SLICE_MS)
        )
        return Playlist(f"{self._stem(session)}.m3u8", 200, slices, ended=session.ended_at_ms is not None)
