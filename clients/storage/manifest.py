"""What `manifest.json` says: each object of a recording, by its bytes. The same files make the same text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import orjson

from actors.domain.ids import RecordingId
from actors.domain.media import MANIFEST, StoredObject

VERSION = 1
BYTES_MAX = 64 * 1024 * 1024
"""A day has six thousand objects, of three hundred bytes each."""


class ManifestError(ValueError):
    """It is none that was made here."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object. `etag`: the store's own mark of these bytes, where it has any."""

    key: str
    size: int
    etag: str | None
    sha256: str


def write(recording_id: RecordingId, entries: Iterable[Entry]) -> bytes:
    objects = [{"key": e.key, "size": e.size, "etag": e.etag, "sha256": e.sha256} for e in entries]
    whole = {"version": VERSION, "recordingId": recording_id, "objects": objects}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2)


def read(data: bytes) -> tuple[Entry, ...]:
    """Raises ManifestError."""
    try:
        whole = orjson.loads(data)
        if whole["version"] != VERSION:
            raise ManifestError("it is of another version")
        return tuple(Entry(o["key"], o["size"], o["etag"], o["sha256"]) for o in whole["objects"])
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError("it is no manifest") from error


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def without_manifest(objects: Iterable[StoredObject], folder: str) -> Sequence[StoredObject]:
    """What a manifest vouches for: itself it does not, and it is no file of the recording."""
    return [found for found in objects if found.key != folder + MANIFEST]
