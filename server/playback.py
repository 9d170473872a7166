"""URLs that play a recording for a while, and what there is to play.

Who may play is decided when a URL is made; from then on the URL itself is the permission, so it expires, and no byte of it
can be changed (api.md 1, Playback).
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl, quote, urlencode

from actors.domain.model import MediaFile, Phase, Recording
from actors.domain.projections import OVER_PHASES

CONTENT_TYPES: Mapping[str, str] = {"hls": "application/vnd.apple.mpegurl", "mp4": "video/mp4"}
ALL_PARTS = "all"
"""The signed parameter `parts` of a playlist over all parts of its recording."""
_SIGNED = re.compile(r"(?P<query>[^#]+)&signature=(?P<signature>[0-9a-f]{64})")
Availability = Literal["ready", "recording_not_ready", "no_media", "recording_deleted"]


class UnsignedUrl(Exception):
    """The URL names an object and opens nothing."""


class BadSignature(Exception):
    """The URL was not made here, or was changed since."""


class ExpiredUrl(Exception):
    """The URL has had its time."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed URL allows: until when (Unix seconds), and what else it says."""

    expires_at: int
    parameters: Mapping[str, str]


class Signer(Protocol):
    """Makes URLs that open objects for a while."""

    def sign(self, key: str, expires_at: int, **parameters: str) -> str:
        """An absolute URL that opens the object until `expires_at`, Unix seconds. Raises StorageDenied."""
        ...


class Urls(Protocol):
    """Where the objects of recordings are opened: here, or, where they lie in a bucket, at the bucket's own server."""

    async def signer(self) -> Signer:
        """What signs now. Raises StorageDenied, StorageUnavailable."""
        ...


class UrlSigner:
    """Makes and checks URLs below `/media/`. The signature, HMAC-SHA256 in hex, is the last parameter and covers the path and
    all others. The `retired` secrets still verify: a rotation ends no URL before its time."""

    def __init__(self, secret: bytes, public_url: str, *, retired: Sequence[bytes] = ()) -> None:
        self._secret = secret
        self._retired = tuple(retired)
        self._base = public_url.rstrip("/")

    def storage_url(self, key: str) -> str:
        """The object's own URL, which opens nothing."""
        return f"{self._base}/media/{quote(key)}"

    def sign(self, key: str, expires_at: int, **parameters: str) -> str:
        """An absolute URL that opens the object until `expires_at`, Unix seconds."""
        query = urlencode({**parameters, "expires": str(expires_at)})
        return f"{self.storage_url(key)}?{query}&signature={_signature(self._secret, key, query)}"

    def verify(self, key: str, query: str, now_seconds: float) -> Grant:
        """What the URL with this raw query allows. Raises UnsignedUrl, BadSignature, ExpiredUrl."""
        if "signature=" not in query:
            raise UnsignedUrl
        found = _SIGNED.fullmatch(query)
        if found is None or not self._is_ours(key, found["query"], found["signature"]):
            raise BadSignature
        parameters = dict(parse_qsl(found["query"]))
        grant = Grant(int(parameters.pop("expires")), parameters)
        if grant.expires_at <= now_seconds:
            raise ExpiredUrl
        return grant

    def _is_ours(self, key: str, query: str, signature: str) -> bool:
        right = (_signature(secret, key, query) for secret in (self._secret, *self._retired))
        return any(hmac.compare_digest(each, signature) for each in right)


class OwnUrls:
    """Everything is opened here."""

    def __init__(self, signer: UrlSigner) -> None:
        self._signer = signer

    async def signer(self) -> Signer:
        return self._signer


def _signature(secret: bytes, key: str, query: str) -> str:
    message = f"/media/{key}?{query}".encode(errors="surrogateescape")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def availability(recording: Recording) -> Availability:
    """Whether there is something to play; else the code of the problem that says why not."""
    if recording.phase in (Phase.DELETING, Phase.DELETED):
        return "recording_deleted"
    if recording.phase not in OVER_PHASES:
        return "recording_not_ready"
    return "ready" if main_file(recording) is not None else "no_media"


def main_file(recording: Recording) -> MediaFile | None:
    """What `storageKey` names: the first MP4 if one opens, else the first playlist."""
    best = _best(recording.files)
    return next((file for file in best if file.kind == "mp4"), best[0] if best else None)


def playback_items(
    recording: Recording, files: Sequence[MediaFile], signer: Signer, expires_at: int
) -> list[dict[str, Any]]:
    """The `items` of the playback call: for each part a playlist, and its MP4s; behind them a playlist over several parts.

    `expires_at` in Unix seconds.
    """
    sign = partial(signer.sign, expires_at=expires_at, recording=recording.recording_id)
    items = [_item(_with_moves(file, files), sign(file.key)) for file in _best(files)]
    lists = [item for item in items if item["kind"] == "hls"]
    if len(lists) > 1:
        first = next(file for file in _best(files) if file.kind == "hls")
        seconds = round(sum(item["duration"] for item in lists), 3)
        whole = replace(first, file_size=sum(item["fileSize"] for item in lists), duration_seconds=seconds)
        items.append({**_item(whole, sign(first.key, parts=ALL_PARTS)), "part": None})
    until = datetime.fromtimestamp(expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return [{**item, "expiresAt": until} for item in items]


def _item(file: MediaFile, url: str) -> dict[str, Any]:
    return {
        "kind": file.kind,
        "part": file.part,
        "url": url,
        "contentType": CONTENT_TYPES[file.kind],
        "fileSize": file.file_size,
        "duration": file.duration_seconds,
    }


def _with_moves(file: MediaFile, files: Iterable[MediaFile]) -> MediaFile:
    """A playlist is served with the slices of all machines that its part was recorded on, so it lasts as long as all of them.

    A machine's playlist may lie there twice, if it came by way of the provider's backup (reference 8.1).
    """
    if file.kind != "hls":
        return file
    longest: dict[str, float] = {}
    for other in files:
        if (other.kind, other.part) == ("hls", file.part):
            longest[_machine(other.key)] = max(longest.get(_machine(other.key), 0.0), other.duration_seconds or 0.0)
    return replace(file, duration_seconds=round(sum(longest.values()), 3))


def _best(files: Iterable[MediaFile]) -> list[MediaFile]:
    """What plays: every MP4 that opens, and one playlist of each part, since it is served with the slices of all of them."""
    playable = sorted((f for f in files if f.duration_seconds), key=lambda f: (f.part, f.kind, _machine(f.key), f.key))
    first = {(f.kind, f.part): f for f in reversed(playable)}
    return [f for f in playable if f.kind == "mp4" or first[f.kind, f.part] is f]


def _machine(key: str) -> str:
    """The mark of the machine behind a move (`bak0`, reference 8.1); empty for the first, which sorts in front."""
    mark = key.rpartition("/")[2].partition("_")[0]
    return mark if mark.startswith("bak") else ""
