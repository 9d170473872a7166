"""The deletion of a recording's media: listed for the receipt, removed, looked for again; and refused, where a lock forbids it."""

from dataclasses import dataclass

from actors.domain.event import Event
from actors.domain.media import ListedObject


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionRequested(Event):
    """Somebody wants the media gone. Until `media.erasing` it is only looked at, and the recording is as it was."""

    kind = "media.deletion_requested"
    visible = False

    by: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaListed(Event):
    """A page of the receipt: what is about to be removed. A day's recording has a dozen pages, so that none is large."""

    kind = "media.listed"
    visible = False

    objects: tuple[ListedObject, ...]
    after: str | None
    """Where the next page begins; None: this was the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionRefused(Event):
    """The store keeps something of it under a lock: nothing was removed. Without a date it is somebody's hold."""

    kind = "media.deletion_refused"
    visible = False

    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureBegan(Event):
    """The receipt is written, nothing is locked: from here on there is no way back."""

    kind = "media.erasing"
    visible = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRemoved(Event):
    """Storage has removed what it found. It is looked at again at `check_at_ms`: somebody may still have been writing."""

    kind = "media.removed"
    visible = False

    objects: int
    bytes: int
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMediaFound(Event):
    """Something came after the deletion, an upload from the provider's backup for example: it goes the same way."""

    kind = "media.late"
    visible = False

    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMediaErased(Event):
    """The tombstone's prefix is empty again. What was listed since `media.late`."""

    kind = "media.late_erased"
    visible = False

    objects: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionDeferred(Event):
    """Storage would not delete; it is tried again at `check_at_ms`."""

    kind = "media.deletion_deferred"
    visible = False

    why: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingDeleted(Event):
    """The media is gone; the row stays as a tombstone. `objects`, `bytes`: those of the receipt."""

    kind = "recording.deleted"
    public = True

    objects: int
    bytes: int
