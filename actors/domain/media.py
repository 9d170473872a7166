"""What storage holds of a recording, as an adapter reports it; `evidence.judge` draws the conclusion."""

from dataclasses import dataclass
from enum import StrEnum

MANIFEST = "manifest.json"
"""The name of what is written beside the files of a recording, and is none of them."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object in storage. Bytes; `modified_at_ms` by the store's clock. `etag`: its mark of these bytes, if it has any."""

    key: str
    size: int
    modified_at_ms: int
    etag: str | None = None


class Kept(StrEnum):
    """What a store may keep below a prefix."""

    OBJECT = "object"
    MARKER = "marker"
    """Left where an object was deleted before."""
    UPLOAD = "upload"
    """Begun, and never ended."""


@dataclass(frozen=True, slots=True)
class ListedObject:
    """What an erasure's receipt says of an object: its name below the prefix, bytes, and its version where the store keeps
    several; of an upload its id."""

    name: str
    size: int
    version: str | None = None
    kind: Kept = Kept.OBJECT


@dataclass(frozen=True, slots=True)
class Slice:
    """One entry of a playlist. `started_at_ms` is the UTC time in its name (reference 8.1), None if unreadable;
    `size` is None when the object is not there; `discontinuity`: it does not follow the one before without a break."""

    key: str
    duration_seconds: float
    started_at_ms: int | None
    size: int | None
    discontinuity: bool = False


@dataclass(frozen=True, slots=True)
class Playlist:
    """A parsed M3U8. `ended`: it has `#EXT-X-ENDLIST`. `error`: why it could not be read, else None."""

    key: str
    size: int
    slices: tuple[Slice, ...]
    ended: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Movie:
    """An MP4. `duration_seconds` is None when it does not open; then `error` says why."""

    key: str
    size: int
    duration_seconds: float | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class MediaReport:
    """All that lies below a recording's prefix."""

    objects: tuple[StoredObject, ...]
    playlists: tuple[Playlist, ...]
    movies: tuple[Movie, ...]


class Finding(StrEnum):
    """What has become of an object since the manifest was written."""

    SAME = "same"
    ALTERED = "altered"
    MISSING = "missing"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Checked:
    """One object, held against the manifest. `size` in bytes, None if it is not there."""

    key: str
    size: int | None
    finding: Finding
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """A part of a verification, in order; of `total` objects in all. `following`: how many are done, None at the end."""

    looks: tuple[Checked, ...]
    total: int
    following: int | None
