"""What the actor is asked to do, or told has happened. Imperative for users, past for facts from outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actors.domain.ids import NoticeId, RecordingId
from actors.domain.media import MediaReport
from actors.domain.model import Actor, EndReason, Layout, RecordingSpec, Subscription
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRecording:
    """Record this meeting. `recording_id` and `prefix` are fresh, and are used only if a recording is made.

    `barred`: why no recording can be made now, beside what the meeting itself says; a code of api.md 2.
    """

    recording_id: RecordingId
    prefix: tuple[str, ...]
    spec: RecordingSpec
    by: Actor
    barred: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRecording:
    """End what is live; with `recording_id`, only if it is that one."""

    by: Actor
    reason: EndReason = EndReason.STOP_REQUESTED
    recording_id: RecordingId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRecording:
    """Change how the live recording is made. `subscribe` and `layout` hold the fields of the model's that are given.

    `layout` None: nothing at all is said about the picture.
    """

    by: Actor
    subscribe: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRecording:
    """Remove a settled recording's media and leave a tombstone. The actor recalls the recording from the journal first.

    `late`: what lies below the prefix of a tombstone is to go, too.
    """

    recording_id: RecordingId
    by: Actor
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachFile:
    """A file was put beside a recording's own: prove anew what there is. Recalled as for a deletion."""

    recording_id: RecordingId
    key: str
    file_size: int
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamineAgain:
    """Files have come since a recording was proven: if it lacked some, prove anew what there is. Recalled as for a deletion."""

    recording_id: RecordingId
    by: Actor


@dataclass(frozen=True, slots=True)
class Wake:
    """Look at the clock: deadlines, calls that are due, attempts that may be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquireAnswered:
    recording_id: RecordingId
    attempt: int
    outcome: Outcome[Acquired]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAnswered:
    recording_id: RecordingId
    attempt: int
    outcome: Outcome[StartAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAnswered:
    recording_id: RecordingId
    attempt: int
    outcome: Outcome[QueryAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAnswered:
    recording_id: RecordingId
    attempt: int
    outcome: Outcome[StopAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAnswered:
    """`sent`: what the recorder was told, which the spec may no longer say."""

    recording_id: RecordingId
    attempt: int
    sent: Subscription | Layout
    outcome: Outcome[Updated]


@dataclass(frozen=True, slots=True, kw_only=True)
class RekeyAnswered:
    recording_id: RecordingId
    attempt: int
    outcome: Outcome[Rekeyed]


@dataclass(frozen=True, slots=True, kw_only=True)
class BanAnswered:
    recording_id: RecordingId
    attempt: int
    uid: str
    outcome: Outcome[Banned]


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersAnswered:
    recording_id: RecordingId
    attempt: int
    outcome: Outcome[Members]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaExamined:
    recording_id: RecordingId
    outcome: Outcome[MediaReport]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSealed:
    recording_id: RecordingId
    outcome: Outcome[Sealed]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSurveyed:
    recording_id: RecordingId
    after: str | None
    outcome: Outcome[Inventory]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaErased:
    recording_id: RecordingId
    outcome: Outcome[Erased]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notification of the provider (reference 9.3), verified and stored. `at_ms` is `payload.sendts`.

    `event_type` is the provider's number, `details` its `payload.details`: their shapes are the provider's facts, of which
    `decide` reads only documented fields, and reads them as untrusted.
    """

    notice_id: NoticeId
    event_type: int
    sid: str
    uid: str
    cname: str
    sequence: int
    at_ms: int
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderReported:
    """A stored notification is to be applied; the commit marks it processed."""

    notice: Notice


UserCommand = StartRecording | StopRecording | UpdateRecording | DeleteRecording | AttachFile | ExamineAgain
Command = (
    UserCommand
    | Wake
    | AcquireAnswered
    | StartAnswered
    | QueryAnswered
    | StopAnswered
    | UpdateAnswered
    | RekeyAnswered
    | BanAnswered
    | MembersAnswered
    | MediaExamined
    | MediaSealed
    | MediaSurveyed
    | MediaErased
    | ProviderReported
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command took effect, or had already: the recording that it is about."""

    recording_id: RecordingId


@dataclass(frozen=True, slots=True)
class Refused:
    """The command changed nothing. `code` is one of api.md 2; `recording` the one that explains it, if any.

    `pointer`: the part of the body that does not fit this recording (RFC 6901), with `validation_failed`.
    """

    code: str
    recording_id: RecordingId | None = None
    retryable: bool = False
    pointer: str | None = None


Reply = Accepted | Refused


@dataclass(frozen=True, slots=True)
class Moment:
    """What a decision may know of the world beside state and command: the time, and what was drawn for it.

    `uid` was never drawn before; `jitter` is from 0 to 1, and stretches pauses so that many meetings do not act at once.
    """

    at_ms: int
    uid: str
    jitter: float = 0.0
