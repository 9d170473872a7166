"""What happened, in the past tense: the schema of the journal.

Events are flat and versioned; an old one is upcast in `codec.py`, never rewritten. `PUBLIC` maps those that subscribers
see to the type of api.md 4; the others are kept with their evidence and shown in a recording's history.
"""

from dataclasses import dataclass

from actors.domain.event import Event
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import (
    Actor,
    Completeness,
    EndReason,
    Failure,
    Gap,
    MediaFile,
    Recording,
    RecordingSpec,
    State,
    StorageStatus,
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
    """Committed before the start is sent, so that a start can only ever be repeated with the same resource."""

    kind = "recorder.acquired"
    visible = False

    attempt: int
    resource_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDeferred(Event):
    """An answer that decided nothing; the same call goes out again at `check_at_ms`."""

    kind = "recorder.deferred"
    visible = False

    attempt: int
    call: str
    why: str
    ambiguous: bool
    check_at_ms: int
    trouble: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderAccepted(Event):
    """The session's sid is known, by the answer or by a notification with our uid."""

    kind = "recorder.accepted"

    attempt: int
    sid: str
    evidence: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptClosed(Event):
    """The attempt's resource is of no use, and no recorder can come of it."""

    kind = "recorder.closed"
    visible = False

    attempt: int
    reason: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadReported(Event):
    """The provider's word on where the files are (events 31, 32, 33, `uploadingStatus`)."""

    kind = "recorder.upload"

    storage_status: StorageStatus
    evidence: str
    deadline_at_ms: int | None
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaAwaited(Event):
    """A look at storage that did not conclude."""

    kind = "media.awaited"
    visible = False

    why: str
    check_at_ms: int
    trouble: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingCompleted(Event):
    """What there is to play has been examined."""

    kind = "recording.completed"
    public = True

    completeness: Completeness
    evidence: str
    duration_seconds: float
    file_size: int
    files: tuple[MediaFile, ...]
    gaps: tuple[Gap, ...]
    started_at_ms: int
    stopped_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFailed(Event):
    """Nothing worth playing came of it."""

    kind = "recording.failed"
    public = True

    failure: Failure
    end_reason: EndReason
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingAborted(Event):
    """It ended before anything worth keeping was captured."""

    kind = "recording.aborted"
    public = True

    failure: Failure
    end_reason: EndReason
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionRequested(Event):
    """Somebody wants the media gone: objects first, then the tombstone."""

    kind = "media.deletion_requested"
    visible = False

    by: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionDeferred(Event):
    """Storage would not delete; it is tried again at `check_at_ms`."""

    kind = "media.deletion_deferred"
    visible = False

    why: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingDeleted(Event):
    """The media is gone; the row stays as a tombstone."""

    kind = "recording.deleted"
    public = True

    objects: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionBegan(Event):
    """An attempt was given up on without proof of its end. No other is opened before `EvictionEnded`."""

    kind = "recorder.evicting"
    visible = False

    attempt: int
    why: str
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvicteeFound(Event):
    """The abandoned attempt did start: its sid is known now, so it can be told to stop."""

    kind = "recorder.evictee_found"
    visible = False

    attempt: int
    sid: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionDeferred(Event):
    """A stop of the abandoned session that gave no proof."""

    kind = "recorder.eviction_deferred"
    visible = False

    attempt: int
    why: str
    missed: bool
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionEnded(Event):
    """The abandoned attempt can no longer record."""

    kind = "recorder.evicted"
    visible = False

    attempt: int
    evidence: str


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
    | RecordingUpdated
    | RecorderUpdated
    | UpdateDeferred
    | UpdateRefused
    | StopRequested
    | RecorderExited
    | UploadReported
    | MediaAwaited
    | RecordingCompleted
    | RecordingFailed
    | RecordingAborted
    | DeletionRequested
    | DeletionDeferred
    | RecordingDeleted
    | EvictionBegan
    | EvicteeFound
    | EvictionDeferred
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
