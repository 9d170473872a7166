"""The database in memory: the same fences and marks as the Postgres adapters, without clock, chance or tasks.

It is the database of the deterministic simulation, and passes the same contract tests as the real one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from actors.domain.commands import Notice
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.model import Meeting, Recording, Status
from actors.domain.projections import is_live, state_of, status_of
from actors.ports import (
    Append,
    Claim,
    CommandMark,
    Fenced,
    JournalRejected,
    LeaseLost,
    NameTaken,
    OwnedElsewhere,
    RecorderRow,
)
from actors.reading import FeedPosition, ListQuery, Page, Snapshot


@dataclass(slots=True)
class Row:
    """A row of `meetings`."""

    state: Meeting
    epoch: int = 0
    owner: str | None = None
    """The node; None: released."""
    incarnation: int = 0
    wake_at_ms: int | None = None


@dataclass(slots=True)
class NodeRow:
    """A row of `nodes`."""

    process: str
    incarnation: int
    lease_until_ms: float


@dataclass(slots=True)
class Noticed:
    """A row of `inbox`."""

    notice: Notice
    received_at_ms: int
    processed: bool = False


@dataclass(slots=True)
class MemoryDatabase:
    """All tables. Every method of the fakes below runs without a pause, so each is a transaction.

    `now_ms` is the database's own clock, by which leases run out; it stands still unless one is given.
    """

    now_ms: Callable[[], int] = lambda: 0
    nodes: dict[str, NodeRow] = field(default_factory=dict)
    incarnations: int = 0
    meetings: dict[MeetingId, Row] = field(default_factory=dict)
    events: list[tuple[int, JournalEvent]] = field(default_factory=list)
    recordings: dict[RecordingId, Recording] = field(default_factory=dict)
    recorders: dict[tuple[str, str], tuple[MeetingId, RecorderRow]] = field(default_factory=dict)
    commands: dict[tuple[MeetingId, str], CommandMark] = field(default_factory=dict)
    inbox: dict[NoticeId, Noticed] = field(default_factory=dict)
    tx: int = 0

    def recordings_of(self, meeting_id: MeetingId) -> list[Recording]:
        """The meeting's rows, newest first."""
        rows = (item for item in self.recordings.values() if item.meeting_id == meeting_id)
        return sorted(rows, key=_newest, reverse=True)

    def events_of(self, meeting_id: MeetingId) -> list[JournalEvent]:
        """The meeting's journal, in order."""
        return [event for _, event in self.events if event.meeting_id == meeting_id]

    def uids_of(self, meeting_id: MeetingId) -> set[str]:
        """Every recorder that the journal knows in the meeting."""
        return {uid for (_, uid), (owner, _) in self.recorders.items() if owner == meeting_id}

    def is_owned_elsewhere(self, meeting_id: MeetingId, node: str) -> bool:
        """Whether another node, whose lease holds, has something left to do in the meeting. One that is settled is free."""
        row = self.meetings.get(meeting_id)
        if row is None or row.wake_at_ms is None or row.owner == node:
            return False
        return self.holds(row.owner)

    def holds(self, node: str | None) -> bool:
        """Whether the node's lease has not run out."""
        row = self.nodes.get(node or "")
        return row is not None and row.lease_until_ms > self.now_ms()

    def unprocessed_count(self) -> int:
        """Stored notices of known recorders that nobody has applied."""
        return sum(1 for row in self.inbox.values() if not row.processed and self.owner_of(row.notice) is not None)

    def owner_of(self, notice: Notice) -> MeetingId | None:
        """The meeting whose recorder the notice is about."""
        by_uid = self.recorders.get((notice.cname, notice.uid))
        if by_uid is not None:
            return by_uid[0]
        by_sid = (owner for owner, row in self.recorders.values() if notice.sid and row.sid == notice.sid)
        return next(by_sid, None)


class MemoryJournal:
    """ports.Journal."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def commit(self, append: Append) -> None:
        row = self._db.meetings.get(append.meeting_id)
        if row is None or row.epoch != append.epoch or row.state.seq != append.expected_seq:
            raise Fenced(append.meeting_id)
        self._refuse_a_second_live(append)
        if append.command is not None:
            key = (append.meeting_id, append.command.command_id)
            if key in self._db.commands:
                raise JournalRejected("the command is stored already")
            self._db.commands[key] = append.command
        self._db.tx += 1
        row.state, row.wake_at_ms = append.state, append.wake_at_ms
        self._db.events.extend((self._db.tx, event) for event in append.events)
        self._db.recordings.update({item.recording_id: item for item in append.recordings})
        for recorder in append.recorders:
            self._remember(append.meeting_id, recorder)
        for notice_id in append.notices:
            if notice_id in self._db.inbox:
                self._db.inbox[notice_id].processed = True

    async def recorded_by(self, meeting_id: MeetingId, notice: Notice) -> Recording | None:
        by_uid = self._db.recorders.get((notice.cname, notice.uid))
        by_sid = (found for found in self._db.recorders.values() if notice.sid and found[1].sid == notice.sid)
        owner, row = by_uid or next(by_sid, (None, None))
        return self._db.recordings.get(row.recording_id) if row is not None and owner == meeting_id else None

    def _remember(self, meeting_id: MeetingId, recorder: RecorderRow) -> None:
        """A uid stays what it was first written as; only its sid may become known."""
        key = (recorder.cname, recorder.uid)
        owner, known = self._db.recorders.get(key, (meeting_id, recorder))
        self._db.recorders[key] = (owner, replace(known, sid=recorder.sid or known.sid))

    def _refuse_a_second_live(self, append: Append) -> None:
        after = {item.recording_id: item for item in self._db.recordings_of(append.meeting_id)}
        after.update({item.recording_id: item for item in append.recordings})
        if sum(map(is_live, after.values())) > 1:
            raise JournalRejected("one_live")

    async def find_command(self, meeting_id: MeetingId, command_id: str) -> CommandMark | None:
        return self._db.commands.get((meeting_id, command_id))

    async def recall(self, meeting_id: MeetingId, recording_id: RecordingId) -> Recording | None:
        recording = self._db.recordings.get(recording_id)
        return recording if recording is not None and recording.meeting_id == meeting_id else None


class MemoryOwnership:
    """ports.Ownership of one process."""

    def __init__(self, database: MemoryDatabase, node: str = "node", process: str = "process") -> None:
        self._db = database
        self._node = node
        self._process = process
        self._incarnation = 0

    def take_name(self, lease_seconds: float) -> int:
        """From whoever has it."""
        self._db.incarnations += 1
        self._incarnation = self._db.incarnations
        until_ms = self._db.now_ms() + lease_seconds * 1000
        self._db.nodes[self._node] = NodeRow(self._process, self._incarnation, until_ms)
        return self._incarnation

    async def holder(self) -> int:
        row = self._db.nodes.get(self._node)
        return 0 if row is None else row.incarnation

    async def enter(self, lease_seconds: float, over: int) -> int:
        row = self._db.nodes.get(self._node)
        if row is not None and row.incarnation != over and row.process != self._process:
            raise NameTaken(self._node)
        return self.take_name(lease_seconds)

    async def renew(self, lease_seconds: float, *, anew: bool = False) -> int:
        row = self._db.nodes.get(self._node)
        if row is not None and row.process != self._process:
            raise NameTaken(self._node)
        if row is None or anew or not self._db.holds(self._node):
            return self.take_name(lease_seconds)
        row.lease_until_ms = self._db.now_ms() + lease_seconds * 1000
        self._incarnation = row.incarnation
        return row.incarnation

    async def leave(self) -> None:
        row = self._db.nodes.get(self._node)
        if row is not None and row.process == self._process:
            del self._db.nodes[self._node]

    async def claim(self, meeting_id: MeetingId) -> Claim:
        own = self._db.nodes.get(self._node)
        if own is None or own.incarnation != self._incarnation or not self._db.holds(self._node):
            raise LeaseLost
        row = self._db.meetings.setdefault(meeting_id, Row(Meeting(meeting_id=meeting_id)))
        if self._db.is_owned_elsewhere(meeting_id, self._node):
            raise OwnedElsewhere(row.owner or "")
        row.epoch += 1
        row.owner, row.incarnation = self._node, self._incarnation
        return Claim(row.epoch, row.state)

    async def release(self, meeting_id: MeetingId, epoch: int) -> None:
        row = self._db.meetings.get(meeting_id)
        if row is not None and row.epoch == epoch:
            row.owner, row.incarnation = None, 0

    async def due(self, now_ms: int, limit: int, after: MeetingId | None = None) -> list[MeetingId]:
        found = (key for key, row in self._open() if (row.wake_at_ms or 0) <= now_ms)
        return sorted(key for key in found if after is None or key > after)[:limit]

    async def unowned(self, limit: int) -> list[MeetingId]:
        rows = [(row.wake_at_ms or 0, key) for key, row in self._open() if row.incarnation != self._incarnation]
        return [key for _, key in sorted(rows)][:limit]

    def _open(self) -> list[tuple[MeetingId, Row]]:
        """Meetings with something left to do that this node owns, or may claim."""
        return [
            (key, row)
            for key, row in self._db.meetings.items()
            if row.wake_at_ms is not None and not self._db.is_owned_elsewhere(key, self._node)
        ]


class MemoryInbox:
    """ports.Inbox."""

    def __init__(self, database: MemoryDatabase, node: str = "node") -> None:
        self._db = database
        self._node = node

    async def store(self, notice: Notice, body: bytes, received_at_ms: int) -> bool:
        if notice.notice_id in self._db.inbox or any(
            _meaning(row.notice) == _meaning(notice) for row in self._db.inbox.values()
        ):
            return False
        unknown = self._db.owner_of(notice) is None
        self._db.inbox[notice.notice_id] = Noticed(notice, received_at_ms, processed=unknown)
        return True

    async def meeting_of(self, notice: Notice) -> MeetingId | None:
        return self._db.owner_of(notice)

    async def unprocessed(self, older_than_ms: int, limit: int) -> list[tuple[MeetingId, Notice]]:
        found = []
        waiting = [row for row in self._db.inbox.values() if not row.processed and row.received_at_ms <= older_than_ms]
        for row in sorted(waiting, key=lambda row: row.received_at_ms):
            owner = self._db.owner_of(row.notice)
            if owner is not None and not self._db.is_owned_elsewhere(owner, self._node):
                found.append((owner, row.notice))
        return found[:limit]

    async def set_aside(self, notice_id: NoticeId) -> None:
        self._db.inbox[notice_id].processed = True


class MemoryRecords:
    """ports.Records."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def recording(self, recording_id: RecordingId) -> Recording | None:
        return self._db.recordings.get(recording_id)

    async def live(self, meeting_id: MeetingId) -> Recording | None:
        return next(filter(is_live, self._db.recordings_of(meeting_id)), None)

    async def latest(self, meeting_id: MeetingId) -> Recording | None:
        return next(iter(self._db.recordings_of(meeting_id)), None)

    async def live_count(self, limit: int) -> int:
        return min(sum(map(is_live, self._db.recordings.values())), limit)

    async def page(self, query: ListQuery) -> Page:
        found = sorted(
            (item for item in self._db.recordings.values() if _matches(item, query)), key=_newest, reverse=True
        )
        behind = [item for item in found if query.after is None or _newest(item) < query.after]
        items = behind[query.offset : query.offset + query.limit]
        return Page(tuple(items), len(found), len(behind) > query.offset + query.limit)

    async def history(self, recording: Recording, after_seq: int, limit: int) -> list[JournalEvent]:
        events = self._db.events_of(recording.meeting_id)
        return [e for e in events if e.event.recording_id == recording.recording_id and e.seq > after_seq][:limit]


class MemoryFeed:
    """ports.Feed."""

    def __init__(self, database: MemoryDatabase, identity: str = "memory") -> None:
        self._db = database
        self._identity = identity

    @property
    def identity(self) -> str:
        return self._identity

    async def snapshot(self, meeting_id: MeetingId) -> Snapshot:
        row = self._db.meetings.get(meeting_id)
        state = row.state if row is not None else Meeting(meeting_id=meeting_id)
        last = [event for event in self._db.events_of(meeting_id) if event.sequence is not None]
        return Snapshot(meeting_id, state.sequence, state.live, last[-1].at_ms if last else 0)

    async def after(self, meeting_id: MeetingId, sequence: int, limit: int) -> list[JournalEvent]:
        events = self._db.events_of(meeting_id)
        return [event for event in events if event.sequence is not None and event.sequence > sequence][:limit]

    async def sequences(self, meeting_ids: Sequence[MeetingId]) -> Mapping[MeetingId, int]:
        return {key: self._db.meetings[key].state.sequence for key in meeting_ids if key in self._db.meetings}

    async def position(self) -> FeedPosition:
        return FeedPosition(self._db.tx + 1, "", 0)

    async def all_after(self, position: FeedPosition, limit: int) -> list[tuple[FeedPosition, JournalEvent]]:
        feed = (
            (FeedPosition(tx, event.meeting_id, event.sequence), event)
            for tx, event in self._db.events
            if event.sequence is not None
        )
        return sorted((item for item in feed if item[0] > position), key=lambda item: item[0])[:limit]

    async def all_live(self) -> list[Snapshot]:
        live = [key for key, row in self._db.meetings.items() if row.state.live is not None]
        return [await self.snapshot(key) for key in sorted(live)]


def _newest(recording: Recording) -> tuple[int, RecordingId]:
    return recording.created_at_ms, recording.recording_id


def _meaning(notice: Notice) -> tuple[str, str, int, int]:
    return notice.sid, notice.uid, notice.event_type, notice.sequence


def _matches(recording: Recording, query: ListQuery) -> bool:
    return _in_state(recording, query) and _in_time(recording, query) and _as_named(recording, query)


def _as_named(recording: Recording, query: ListQuery) -> bool:
    return (
        query.meeting_id in (None, recording.meeting_id)
        and query.external_id in (None, recording.spec.external_id)
        and query.completeness in (None, recording.completeness)
    )


def _in_time(recording: Recording, query: ListQuery) -> bool:
    if query.created_from_ms is not None and recording.created_at_ms < query.created_from_ms:
        return False
    if query.created_before_ms is not None and recording.created_at_ms >= query.created_before_ms:
        return False
    if query.updated_since_ms is not None and recording.updated_at_ms < query.updated_since_ms:
        return False
    return query.overdue_at_ms is None or _is_overdue(recording, query.overdue_at_ms)


def _is_overdue(recording: Recording, now_ms: int) -> bool:
    waits = status_of(recording) is Status.PROCESSING and recording.deadline_at_ms is not None
    return waits and (recording.deadline_at_ms or 0) <= now_ms


def _in_state(recording: Recording, query: ListQuery) -> bool:
    if query.statuses and status_of(recording) not in query.statuses:
        return False
    if query.states and state_of(recording) not in query.states:
        return False
    return bool(query.statuses or query.states) or status_of(recording).value != "deleted"
