"""What happened, in the past tense: the schema of the journal.

Events are flat and versioned; an old one is upcast in `codec.py`, never rewritten. Subscribers see the public ones, as the
types of api.md 4; the others are kept with their evidence and shown in a recording's history.
"""

from dataclasses import dataclass

from actors.domain.erasure_events import (
    DeletionDeferred,
    DeletionRefused,
    DeletionRequested,
    ErasureBegan,
    LateMediaErased,
    LateMediaFound,
    MediaListed,
    MediaRemoved,
    RecordingDeleted,
)
from actors.domain.event import Event
from actors.domain.eviction_events import (
    BanDeferred,
    EvicteeFound,
    EvicteeLooked,
    EvictionBegan,
    EvictionDeferred,
    EvictionEnded,
    EvictionFenced,
    EvictionHeld,
    RecorderBanned,
    StrayFound,
)
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.key_events import RecorderRekeyed, RekeyDeferred
from actors.domain.media_events import (
    FileAttached,
    FilesArrived,
    ManifestWritten,
    MediaAwaited,
    RecordingAborted,
    RecordingCompleted,
    RecordingFailed,
    RecordingReproven,
    SealDeferred,
    UploadReported,
)
from actors.domain.model import (
    Actor,
    EndReason,
    Failure,
    Recording,
    RecordingSpec,
    State,
)
from actors.domain.update_events import RecorderUpdated, RecordingUpdated, UpdateDeferred, UpdateRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRequested(Event):
    """The intent to record is stored."""

    kind = "recording.starting"
    public = True

    spec: RecordingSpec
    prefix: tuple[str, ...]
    started_by: str
    deadline_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOpened(Event):
    """An attempt with a uid of its own; from here on the starting deadline runs."""

    kind = "recorder.opened"

    attempt: int
    uid: str
    deadline_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceAcquired(Event):
    """Committed before the start is sent, so that a start can only ever be repeated with the same resource.

    `until_ms`: when the resource can no longer be used, and the attempt is given up.
    """

    kind = "recorder.acquired"
    visible = False

    attempt: int
    resource_id: str
    until_ms: int | None = None
    rekey_at_ms: int | None = None
    """When the recorder has to be given other keys to the storage. None: those that it gets do not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDeferred(Event):
    """An answer that decided nothing; the same call goes out again at `check_at_ms`.

    `until_ms`: it said that a recorder runs, though not which (codes 7 and 53); so long its sid is waited for.
    """

    kind = "recorder.deferred"
    visible = False

    attempt: int
    call: str
    why: str
    ambiguous: bool
    check_at_ms: int
    trouble: Failure | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderAccepted(Event):
    """The session's sid is known, by the answer or by a notification with our uid."""

    kind = "recorder.accepted"

    attempt: int
    sid: str
    evidence: str
    check_at_ms: int
    until_ms: int | None = None
    """When another recorder is tried, if this one has not been seen to capture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptClosed(Event):
    """The attempt came to nothing: no recorder can come of it, or it left before any capture was proven."""

    kind = "recorder.closed"
    visible = False

    attempt: int
    reason: str
    check_at_ms: int = 0
    """Another is not opened before then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureProven(Event):
    """Query status 4 or 5, or event 40 or 42: media is being captured."""

    kind = "recording.active"
    public = True

    attempt: int
    evidence: str
    started_at_ms: int
    check_at_ms: int
    deadline_at_ms: int
    room_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSeen(Event):
    """A query found the session alive."""

    kind = "recorder.seen"
    visible = False

    attempt: int
    evidence: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderMissed(Event):
    """A call did not find the session: it is over, or it is moving to another machine (reference 4.3)."""

    kind = "recorder.missed"
    visible = False

    attempt: int
    evidence: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderMoved(Event):
    """The session goes on on another machine, under another uid (event 12, reference 7.5). It is looked at soon."""

    kind = "recorder.moved"

    attempt: int
    uid: str
    evidence: str
    check_at_ms: int
    moved_at_ms: int = 0
    """By the provider's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderLost(Event):
    """A recorder that captured is gone although the recording is wanted: a gap opens, and another is started.

    `check_at_ms`: not before then, so that recorders that keep dying are not replaced without end.
    """

    kind = "recorder.lost"
    public = True
    told_as = "recording.updated"

    attempt: int
    evidence: str
    lost_at_ms: int
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderReplaced(Event):
    """Capture by the next recorder is proven: the gap is closed."""

    kind = "recorder.replaced"
    public = True
    told_as = "recording.updated"

    attempt: int
    evidence: str
    resumed_at_ms: int
    check_at_ms: int
    room_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLooked(Event):
    """A look at who is in the channel. `people`: how many beside our recorders; None if the list could not be had."""

    kind = "recorder.room"
    visible = False

    attempt: int
    people: int | None
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderTroubled(Event):
    """The provider reported an error of the session (event 1)."""

    kind = "recorder.troubled"
    visible = False

    attempt: int
    evidence: str
    trouble: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested(Event):
    """Somebody, or a limit, wants the recording to end."""

    kind = "recording.stopping"
    public = True

    by: str
    reason: EndReason
    deadline_at_ms: int
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderExited(Event):
    """The recorder is gone, by proof or by its deadline."""

    kind = "recording.processing"
    public = True

    attempt: int
    evidence: str
    stopped_at_ms: int
    end_reason: EndReason
    nothing_recorded: bool
    deadline_at_ms: int
    trouble: Failure | None = None


AnyEvent = (
    RecordingRequested
    | AttemptOpened
    | ResourceAcquired
    | CallDeferred
    | RecorderAccepted
    | AttemptClosed
    | CaptureProven
    | RecorderSeen
    | RecorderMissed
    | RecorderTroubled
    | RecorderMoved
    | RecorderLost
    | RecorderReplaced
    | RoomLooked
    | RecordingUpdated
    | RecorderUpdated
    | UpdateDeferred
    | UpdateRefused
    | RecorderRekeyed
    | RekeyDeferred
    | StopRequested
    | RecorderExited
    | UploadReported
    | MediaAwaited
    | RecordingCompleted
    | RecordingFailed
    | RecordingAborted
    | ManifestWritten
    | SealDeferred
    | FileAttached
    | FilesArrived
    | RecordingReproven
    | DeletionRequested
    | MediaListed
    | DeletionRefused
    | ErasureBegan
    | MediaRemoved
    | DeletionDeferred
    | RecordingDeleted
    | LateMediaFound
    | LateMediaErased
    | EvictionBegan
    | StrayFound
    | EvicteeFound
    | EvictionDeferred
    | RecorderBanned
    | BanDeferred
    | EvictionHeld
    | EvictionFenced
    | EvicteeLooked
    | EvictionEnded
)


@dataclass(frozen=True, slots=True)
class LiveRef:
    """The meeting's live recording after an event; the indicator is a function of it alone."""

    recording_id: RecordingId
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEvent:
    """An event as it is stored: numbered, timed, attributed.

    Public events have a `sequence` and carry the recording as it was after them; internal ones have neither.
    """

    meeting_id: MeetingId
    seq: int
    sequence: int | None
    at_ms: int
    actor: Actor
    event: AnyEvent
    recording: Recording | None
    live: LiveRef | None
