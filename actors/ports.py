"""What the core needs of the outside, as Protocols named for their roles. Adapters live in `clients`, fakes in `tests/fakes`.

Every adapter and its fake pass the same contract tests (`tests/contract`).
"""

from collections.abc import Sequence
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
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.media import MediaReport
from actors.domain.model import Meeting, Recording
from actors.domain.outcomes import (
    Acquired,
    Banned,
    Erased,
    Inventory,
    Members,
    Outcome,
    QueryAnswer,
    Rekeyed,
    Sealed,
    StartAnswer,
    StopAnswer,
    Updated,
)


class Fenced(Exception):
    """Another owner has claimed the meeting since: nothing was written, and this owner must end."""


class OutcomeUnknown(Exception):
    """The connection broke while the statement ran: it may be committed or not. Claim a new epoch, then read."""


class JournalUnavailable(Exception):
    """The database did not take the call at all: nothing was written."""


class JournalRejected(Exception):
    """The database refuses this very append, and would again: a broken constraint, a value that it cannot hold."""


class OwnedElsewhere(Exception):
    """Another node, whose lease holds, has something left to do in the meeting. `node` is its name."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node


class LeaseLost(Exception):
    """This node's lease has run out: it may claim nothing until it has renewed it."""


class NameTaken(Exception):
    """Another process has come to this node's name: this one must end."""


class StorageNotFound(Exception):
    """There is no object of that key."""


class StorageDenied(Exception):
    """The store refused: wrong rights, or a key that may not be used."""


class StorageUnavailable(Exception):
    """The store did not answer, or cannot take more."""


# --- journal and ownership ---


@dataclass(frozen=True, slots=True)
class CommandMark:
    """A command to be remembered with its outcome. `command_id` is unique in its meeting; `body_hash` tells a reused key."""

    command_id: str
    body_hash: str
    recording_id: RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderRow:
    """Who is ours: written when an attempt opens and when its sid is learnt; read by webhooks."""

    cname: str
    uid: str
    sid: str | None
    recording_id: RecordingId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """One commit of one meeting: all of it, or nothing.

    `expected_seq` and `epoch` fence it. `events` may be empty (then only marks are written). `recordings` are the rows that
    changed, each as it is afterwards. `wake_at_ms` None: nothing is due, ever.
    """

    meeting_id: MeetingId
    epoch: int
    expected_seq: int
    state: Meeting
    wake_at_ms: int | None
    events: tuple[JournalEvent, ...] = ()
    recordings: tuple[Recording, ...] = ()
    recorders: tuple[RecorderRow, ...] = ()
    command: CommandMark | None = None
    notices: tuple[NoticeId, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A meeting that is now ours: the epoch to write with, and the state as of that epoch."""

    epoch: int
    state: Meeting


class Journal(Protocol):
    """Intent log, checkpoint and outbox in one: a commit is one fenced transaction."""

    async def commit(self, append: Append) -> None:
        """Make it durable. Raises Fenced, OutcomeUnknown, JournalUnavailable, JournalRejected."""
        ...

    async def find_command(self, meeting_id: MeetingId, command_id: str) -> CommandMark | None:
        """The command remembered under that id. Raises JournalUnavailable."""
        ...

    async def recall(self, meeting_id: MeetingId, recording_id: RecordingId) -> Recording | None:
        """A recording of this meeting as its row has it, settled ones too. Raises JournalUnavailable."""
        ...

    async def recorded_by(self, meeting_id: MeetingId, notice: Notice) -> Recording | None:
        """The recording of this meeting whose recorder a notification is about, settled or not. Raises JournalUnavailable."""
        ...


class Ownership(Protocol):
    """Who may write a meeting: one node at a time. Every claim makes a new epoch, which alone makes it safe.

    A node is a name, held by one process at a time, with a lease for all of its meetings by the database's clock. Each process
    begins a new incarnation of its node, and so does one whose lease has run out. What an earlier incarnation claimed belongs
    to the node, but has to be claimed again. A meeting with nothing left to do is anybody's: a release may get lost.
    All raise JournalUnavailable.
    """

    async def holder(self) -> int:
        """The incarnation that has the name; 0 if none has."""
        ...

    async def enter(self, lease_seconds: float, over: int) -> int:
        """Take the name from the incarnation `over`, which may stand yet, and begin one. Returns its number.

        Raises NameTaken if another process has come since: a request of one that is dead takes no name from its successor.
        """
        ...

    async def renew(self, lease_seconds: float, *, anew: bool = False) -> int:
        """Hold the name from now on for so long. Returns the incarnation: another one if the lease had run out, or for `anew`.

        Raises NameTaken.
        """
        ...

    async def leave(self) -> None:
        """Give the name back, if it is still this process's: its meetings are free at once."""
        ...

    async def claim(self, meeting_id: MeetingId) -> Claim:
        """Take the meeting (made empty if new). Waits for a running statement of an older owner.

        Raises OwnedElsewhere, and LeaseLost if this incarnation is over.
        """
        ...

    async def release(self, meeting_id: MeetingId, epoch: int) -> None:
        """Give it back, unless somebody has claimed it since."""
        ...

    async def due(self, now_ms: int, limit: int, after: MeetingId | None = None) -> list[MeetingId]:
        """Meetings whose wake-up time has come, by id, those behind `after`; none that is owned elsewhere."""
        ...

    async def unowned(self, limit: int) -> list[MeetingId]:
        """Meetings with something left to do that this incarnation has not claimed, and may."""
        ...


class Inbox(Protocol):
    """Notifications of the provider: stored before they are answered, applied once."""

    async def store(self, notice: Notice, body: bytes, received_at_ms: int) -> bool:
        """Keep it. False if this notice, or its meaning (sid, uid, event type, sequence), is there already.

        One that is about no recorder of ours will never be `unprocessed`.
        """
        ...

    async def meeting_of(self, notice: Notice) -> MeetingId | None:
        """The meeting whose recorder it is about, by uid and channel, or by sid."""
        ...

    async def unprocessed(self, older_than_ms: int, limit: int) -> list[tuple[MeetingId, Notice]]:
        """Stored notices of known recorders that no commit has marked yet, oldest first; none of a meeting owned elsewhere."""
        ...

    async def set_aside(self, notice_id: NoticeId) -> None:
        """Keep a notice that cannot be applied, and never offer it again. Raises JournalUnavailable."""
        ...


# --- the provider and storage ---


class Recorder(Protocol):
    """Agora: cloud recording and channel management. Calls never raise for what it or the network does: outcomes are values."""

    async def acquire(self, call: AgoraAcquire) -> Outcome[Acquired]: ...

    async def start(self, call: AgoraStart) -> Outcome[StartAnswer]: ...

    async def query(self, call: AgoraQuery) -> Outcome[QueryAnswer]: ...

    async def stop(self, call: AgoraStop) -> Outcome[StopAnswer]: ...

    async def update(self, call: AgoraUpdate) -> Outcome[Updated]: ...

    async def update_layout(self, call: AgoraUpdateLayout) -> Outcome[Updated]: ...

    async def rekey(self, call: AgoraRekey) -> Outcome[Rekeyed]: ...

    async def ban(self, call: AgoraBan) -> Outcome[Banned]: ...

    async def members(self, call: AgoraMembers) -> Outcome[Members]: ...


class MediaStore(Protocol):
    """Where the files of recordings are. Trouble is an outcome: RetryLater, never an exception."""

    async def examine(self, prefix: tuple[str, ...]) -> Outcome[MediaReport]:
        """List everything below the prefix, read its playlists, open its MP4s."""
        ...

    async def seal(self, recording_id: RecordingId, prefix: tuple[str, ...]) -> Outcome[Sealed]:
        """Write beside what lies below the prefix a manifest of it, with the SHA-256 of each object. May take minutes."""
        ...

    async def survey(self, prefix: tuple[str, ...], after: str | None) -> Outcome[Inventory]:
        """A page of everything below the prefix, all versions of it, behind `after`, and what forbids its deletion."""
        ...

    async def erase(self, prefix: tuple[str, ...]) -> Outcome[Erased]:
        """Delete everything that is below the prefix now, all versions of it."""
        ...


# --- telling others ---


class Publisher(Protocol):
    """Hints after a commit. May be lost; never waited for; never raises."""

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        """`events`: the public ones of this commit, in order; `state`: the meeting after it."""
        ...


class Clock(Protocol):
    def now_ms(self) -> int:
        """Unix milliseconds."""
        ...


class Ids(Protocol):
    def recording_id(self) -> RecordingId:
        """A new UUIDv7."""
        ...

    def recorder_uid(self) -> str:
        """A uid for a recorder, 1 to 2**32-1 as text (reference 2), never drawn before in practice."""
        ...

    def jitter(self) -> float:
        """From 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All that an actor system is wired to."""

    journal: Journal
    ownership: Ownership
    inbox: Inbox
    recorder: Recorder
    media: MediaStore
    publisher: Publisher
    clock: Clock
    ids: Ids
    observe: "Observer" = field(default_factory=lambda: Observer())


class Observer:
    """Counters of the shell; the server replaces them by Prometheus metrics. The default counts nothing."""

    def command(self, kind: str, outcome: str) -> None:
        """A user's command was answered: `accepted`, `replayed`, a code of api.md 2 or an error's name; or nobody waited."""

    def fact(self, kind: str, outcome: str) -> None:
        """A meeting was told something: `done`, or `nothing` came of it."""

    def commit(self, seconds: float) -> None: ...

    def quarantined(self, change: int) -> None: ...

    def mailbox(self, depth: int) -> None: ...

    def call(self, effect: str, outcome: str) -> None: ...

    def renewal(self, outcome: str) -> None:
        """The node's lease: `kept`, `lapsed` (a new incarnation), `failed` (no answer), or the name was `taken`."""

    def claim_refused(self, reason: str) -> None:
        """A meeting could not be claimed: it is owned `elsewhere`, or this node has no `lease`."""
