"""What becomes of the files, and so of the recording: reported, examined, called complete or failed."""

from dataclasses import dataclass

from actors.domain.event import Event
from actors.domain.model import Completeness, EndReason, Failure, Gap, MediaFile, StorageStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadReported(Event):
    """The provider's word on where the files are (events 31, 32, 33, `uploadingStatus`)."""

    kind = "recorder.upload"

    storage_status: StorageStatus
    evidence: str
    deadline_at_ms: int | None
    check_at_ms: int
    attempt: int = 0
    """Whose files: those of this attempt's session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaAwaited(Event):
    """A look at storage that did not conclude."""

    kind = "media.awaited"
    visible = False

    why: str
    check_at_ms: int


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
class ManifestWritten(Event):
    """Beside the files lies a manifest with the SHA-256 of each; its own is here, so that a changed one is told."""

    kind = "media.sealed"
    visible = False

    objects: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealDeferred(Event):
    """There is no manifest yet; it is tried again at `check_at_ms`."""

    kind = "media.seal_deferred"
    visible = False

    why: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAttached(Event):
    """Somebody has put a file beside those of the recording."""

    kind = "media.attached"
    visible = False

    key: str
    file_size: int
    by: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesArrived(Event):
    """Files have come after the recording was called partial."""

    kind = "media.arrived"
    visible = False

    evidence: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingReproven(Event):
    """What there is to play by now, of a recording that was over already. Completeness never falls."""

    kind = "media.reproven"
    public = True
    told_as = "recording.updated"

    completeness: Completeness
    evidence: str
    duration_seconds: float
    file_size: int
    files: tuple[MediaFile, ...]
    gaps: tuple[Gap, ...]
    started_at_ms: int
    stopped_at_ms: int
