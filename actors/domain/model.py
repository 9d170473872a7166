"""The state of a meeting: frozen values, changed only by `evolve`.

What is wanted (`Recording.want`) stands apart from what was observed (`Recording.phase`): start and stop change only the
former, so both are idempotent, and everything else follows from the difference between the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from actors.domain.erasure import Erasure, Lock
from actors.domain.ids import MeetingId, RecordingId


class Want(StrEnum):
    """What the users want of a recording."""

    RECORD = "record"
    STOP = "stop"


class Phase(StrEnum):
    """How far a recording has been observed to be. `transitions.TABLE` says what follows what."""

    ACCEPTED = "accepted"
    """The intent is stored; no attempt is open."""
    ACQUIRING = "acquiring"
    """An attempt is open; its resource is not known yet. Nothing can be recording."""
    STARTING = "starting"
    """The resource is known, so a start may have been sent; the session's sid is not known."""
    CONFIRMING = "confirming"
    """The sid is known; no proof of capture yet."""
    ACTIVE = "active"
    PROCESSING = "processing"
    """The recorder is gone; files are being uploaded and examined."""
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"
    REPROVING = "reproving"
    """It is over; a file was added since, and what there is to play is examined anew."""
    DELETING = "deleting"
    DELETED = "deleted"


class State(StrEnum):
    """The precise public word (product.md); a projection of phase and want."""

    STARTING = "starting"
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPING = "stopping"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"
    DELETED = "deleted"


class Status(StrEnum):
    """The coarse public word."""

    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    DELETED = "deleted"


class EndReason(StrEnum):
    """Why a recording ended."""

    STOP_REQUESTED = "stop_requested"
    MEETING_ENDED = "meeting_ended"
    EMPTY_ROOM = "empty_room"
    MAX_DURATION = "max_duration"
    PROVIDER_IDLE = "provider_idle"
    PROVIDER_ERROR = "provider_error"
    NEVER_STARTED = "never_started"
    OPERATOR = "operator"


class StorageStatus(StrEnum):
    """Where the files are, by the provider's word and our own listing."""

    PENDING = "pending"
    UPLOADING = "uploading"
    BACKUP = "backup"
    STORED = "stored"
    MISSING = "missing"
    DELETED = "deleted"


class Completeness(StrEnum):
    """Whether what there is to play is all that was captured."""

    UNKNOWN = "unknown"
    COMPLETE = "complete"
    PARTIAL = "partial"


class FailureCode(StrEnum):
    """The closed list of a recording's `error.code`."""

    PROVIDER_UNAUTHORIZED = "provider_unauthorized"
    PROVIDER_REJECTED = "provider_rejected"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    CAPACITY = "recording_capacity_exhausted"
    NEVER_STARTED = "never_started"
    NO_MEDIA = "no_media"
    STORAGE_DENIED = "storage_denied"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    SLICES_MISSING = "slices_missing"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    ABORTED = "aborted"
    INTERNAL = "internal"


class ActorKind(StrEnum):
    """Who caused an event."""

    USER = "user"
    SYSTEM = "system"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused an event; `id` is the token's subject (or its `onBehalfOf`) for users."""

    kind: ActorKind
    id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a recording failed: a code, a sentence, and whether a new start may fare better."""

    code: FailureCode
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Video:
    """The picture of an `audio_video` recording: pixels, frames a second, kbit/s."""

    width: int
    height: int
    fps: int
    bitrate: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How the panes of an `audio_video` recording are arranged."""

    template: str = "best_fit"
    max_resolution_uid: str | None = None
    background_color: str = "#000000"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Whose streams are recorded; None means everybody's."""

    audio: tuple[str, ...] | None = None
    video: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSpec:
    """What was asked for (api.md 1). `layout` and `subscribe` may change while it is recorded."""

    channel_name: str
    channel_type: str = "communication"
    streams: str = "audio"
    outputs: tuple[str, ...] = ("hls", "mp4")
    video: Video | None = None
    layout: Layout | None = None
    subscribe: Subscription = Subscription()
    max_duration_seconds: int = 14400
    max_idle_seconds: int = 300
    external_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a recorder is to be told of a changed spec.

    `subscribe` and `layout`: what it had before, as far as it is known; None where it has what the spec says.
    """

    subscribe: Subscription | None = None
    layout: Layout | None = None
    subscribe_again: bool = False
    layout_again: bool = False
    """It has confirmed this, but a call of before, whose answer was lost, may still overwrite it: it is told once more."""
    sure_at_ms: int = 0
    """By then no such call can arrive any more."""
    answered_at_ms: int = 0
    """When it last confirmed anything."""
    tries: int = 0
    """Answers to the present call that decided nothing."""
    check_at_ms: int = 0
    """When the present call may be sent (again)."""
    refusal: Failure | None = None
    """Why the provider would not have the last change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to have Agora record. The first uid is chosen before the acquire and never used again."""

    number: int
    uids: tuple[str, ...]
    """In the order in which it had them: the last one is that of the recorder that is there now."""
    opened_at_ms: int
    moved_at_ms: int = 0
    """When it came to the last one, by the provider's clock."""
    resource_id: str | None = None
    acquired_at_ms: int | None = None
    sid: str | None = None
    tries: int = 0
    """Answers to the present call that decided nothing."""
    ambiguous: bool = False
    """A start was sent, or may have been by an earlier owner, whose outcome is not known: it may have worked."""
    running: bool = False
    """It is known to run although its sid is not (codes 7 and 53)."""
    until_ms: int | None = None
    """When it is given up on, should it come no further."""
    check_at_ms: int = 0
    """When the present call may be sent (again)."""
    proven_at_ms: int | None = None
    """The last proof that the recorder lives."""
    missing_since_ms: int | None = None
    misses: int = 0
    """The unbroken series of answers that the recorder was not found: when it began, how many."""
    update: Update = Update()
    rekey_at_ms: int | None = None
    """When its recorder is to be given fresh keys to the storage (again). None: those that it has do not end."""
    rekey_tries: int = 0
    """Answers to that which decided nothing."""
    room_at_ms: int = 0
    """When to look who is in the channel."""
    empty_since_ms: int | None = None
    empty_looks: int = 0
    """The unbroken series of looks that showed no people: when it began, how many."""
    upload: StorageStatus = StorageStatus.PENDING
    """The provider's word on this session's files."""
    closed_at_ms: int | None = None
    """When it ended, or was given up."""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A playlist or an MP4 of a recording, never a slice. Bytes and seconds."""

    kind: str
    key: str
    file_size: int
    duration_seconds: float | None
    part: int
    checked: bool


LOST = "recorder_lost"
"""Reason of a gap in which no recorder ran."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of wanted time of which nothing is to be played. It is open (`to_ms` None) while a lost recorder is replaced."""

    from_ms: int
    to_ms: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording, from the stored intent to its tombstone. Times are Unix milliseconds."""

    recording_id: RecordingId
    meeting_id: MeetingId
    spec: RecordingSpec
    prefix: tuple[str, ...]
    """Path segments of its files in storage, `[A-Za-z0-9]+` each (reference 3.5)."""
    phase: Phase
    want: Want
    created_at_ms: int
    updated_at_ms: int
    started_by: str
    stopped_by: str | None = None
    started_at_ms: int | None = None
    stop_requested_at_ms: int | None = None
    stopped_at_ms: int | None = None
    completed_at_ms: int | None = None
    deleted_at_ms: int | None = None
    deadline_at_ms: int | None = None
    attempt: Attempt | None = None
    """The present one; while it is processed, the last one."""
    past: tuple[Attempt, ...] = ()
    """Those before it, in order: what became of them may still be reported."""
    attempts: int = 0
    """How many attempts were opened."""
    fruitless: int = 0
    """How many since the last proof of capture."""
    recorder_uids: tuple[str, ...] = ()
    """Every uid of every attempt."""
    sid: str | None = None
    """Agora's sid, of the last part."""
    nothing_recorded: bool = False
    """The provider said 435: there will be no files."""
    trouble: Failure | None = None
    """The last thing that went wrong; becomes `error` if the recording fails for want of progress."""
    checks: int = 0
    """Looks at storage that did not conclude."""
    check_at_ms: int = 0
    stored_at_ms: int | None = None
    """Since when no more files are to be expected: the provider said that all are stored, or there is no session that it
    could say so of."""
    storage_status: StorageStatus = StorageStatus.PENDING
    end_reason: EndReason | None = None
    completeness: Completeness = Completeness.UNKNOWN
    duration_seconds: float | None = None
    file_size: int | None = None
    files: tuple[MediaFile, ...] = ()
    gaps: tuple[Gap, ...] = ()
    seal_at_ms: int | None = None
    """When its manifest is to be written (again). None: it stands, or there is nothing yet that it would vouch for."""
    seal_tries: int = 0
    manifest_sha256: str | None = None
    """Of the manifest that was written last, in hex."""
    error: Failure | None = None
    outcome: State | None = None
    """The terminal state that was reached, kept while the recording is deleted."""
    erasure: Erasure | None = None
    """Set while its media is being deleted; of a tombstone too, when something came late."""
    lock: Lock | None = None
    """What the last deletion was refused for."""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Ban:
    """A kicking rule that keeps one recorder uid out of the channel; it is never lifted, it runs out."""

    uid: str
    rule_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Eviction:
    """An attempt that was given up on without proof of its end; a one-way door.

    No attempt is opened beside it until it is fenced: its sid is not known, and a kicking rule for each of its uids has had
    time to take effect, or a late start can no longer be acted on. Then it is only watched, until there is proof that its
    recorder is gone.
    """

    recording_id: RecordingId
    channel_name: str
    attempt: Attempt
    began_at_ms: int
    until_ms: int
    """From then on a late start can no longer be acted on; if its sid is known: so long it is told to stop."""
    ban_seconds: int
    bans: tuple[Ban, ...] = ()
    ban_tries: int = 0
    ban_at_ms: int = 0
    """When the next kicking rule may be sent (again)."""
    fence_at_ms: int | None = None
    """When the rules, which are all there, have taken effect. Never for a session whose sid is known: it may move."""
    fenced_at_ms: int | None = None
    watched_until_ms: int = 0
    """When it counts as gone, should nothing be seen of it."""
    look_at_ms: int = 0
    """When to look for it among the channel's members: once it is fenced, or as no rule can be had. 0: not yet."""
    absent_since_ms: int | None = None
    absences: int = 0
    """The unbroken series of looks at the channel's members that did not show it: when it began, how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Everything that the actor of one meeting decides on."""

    meeting_id: MeetingId
    seq: int = 0
    """Number of the last journal event."""
    sequence: int = 0
    """Number of the last public event; gapless for subscribers."""
    live: Recording | None = None
    finishing: Mapping[RecordingId, Recording] = field(default_factory=dict)
    """Recordings that are over but not settled: processing, or being deleted."""
    evictions: tuple[Eviction, ...] = ()
    latest: RecordingId | None = None
    """The recording that was asked for last."""

    def recording(self, recording_id: RecordingId) -> Recording | None:
        """The recording of that id, if it is live or finishing."""
        if self.live is not None and self.live.recording_id == recording_id:
            return self.live
        return self.finishing.get(recording_id)

    @property
    def fenced(self) -> bool:
        """Whether an attempt may be opened: none that was given up can still come up."""
        return all(eviction.fenced_at_ms is not None for eviction in self.evictions)

    def eviction(self, recording_id: RecordingId, attempt: int) -> Eviction | None:
        """The eviction of that attempt, if it is not over."""
        found = (e for e in self.evictions if (e.recording_id, e.attempt.number) == (recording_id, attempt))
        return next(found, None)
