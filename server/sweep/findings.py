"""What a sweep finds, and what it does about it."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """`key` is a folder or an object in storage, but for recordings, sessions, and files of a node."""

    MEDIA = "media"
    """Objects in the folder of a recording that does not exist."""
    LATE = "late_media"
    """Objects that came after their recording's deletion."""
    ARRIVED = "late_files"
    """More objects than a partial recording was proven with."""
    FOREIGN = "foreign"
    """Objects below our prefix that cannot be a recording's; they are never touched."""
    MISSING = "missing_media"
    """A completed recording that has no object at all. `key` is its id."""
    UPLOAD = "open_upload"
    """An upload in parts that nobody ended."""
    PROBE = "probe"
    """What a preflight has left."""
    TEMPORARY = "temporary_file"
    """What was being written when a server died. `key` names the node and the file."""
    EVICTING = "evicting_session"
    """A session at the provider that was given up on, and is told to stop until it is proven gone."""
    STRANGER = "unknown_session"
    """One that the provider tells of and no recorder of ours has: another system's, which is never touched."""


class Action(StrEnum):
    """What was done about it."""

    REPORTED = "reported"
    WAITS = "waits"
    """It would be deleted, but was not seen before, or is not old enough."""
    DELETED = "deleted"
    ERASING = "erasing"
    """Its recording's erasure goes on with it."""
    PROVING = "proving"
    """Its recording is proven anew."""
    FAILED = "failed"


DONE = {Kind.LATE: Action.ERASING, Kind.ARRIVED: Action.PROVING}
"""What is done where that is not deleting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Unix milliseconds. `age_at_ms`: when it was last written; None: nothing is known of its age."""

    kind: Kind
    key: str
    age_at_ms: int | None = None
    objects: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A finding as it is told."""

    finding: Finding
    first_seen_at_ms: int
    action: Action


_OURS = re.compile(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")


def is_a_recordings(folder: str) -> bool:
    """Whether a folder below our prefix can be that of a recording: its id (a UUIDv7) without hyphens."""
    return _OURS.fullmatch(folder) is not None
