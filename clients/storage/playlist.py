"""Agora's playlists read, and normalised ones written.

Agora leaves the comma out behind a slice's duration, adds tags of its own, and never closes the list of a recorder that
died (reference 8.1, 8.2). What is served is plain RFC 8216.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_DURATION = re.compile(r"#EXTINF:\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(?:,.*)?")
_SLICE_TIME = re.compile(r"_(\d{14})(\d{3})\.[A-Za-z0-9]+$")
_SAFE_NAME = re.compile(r"(?!\.)[^/\\:?#\x00-\x1f\x7f-\x9f]+")


class PlaylistError(ValueError):
    """It is no playlist, or not one of ours; the text says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A slice as a playlist names it. `discontinuity`: it does not follow the one before without a break."""

    uri: str
    duration_seconds: float
    discontinuity: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What a playlist says. `ended`: no slice will be added."""

    entries: tuple[Entry, ...]
    ended: bool


def parse(data: bytes) -> Listing:
    """Read a media playlist. Unknown tags are passed over; so is what follows the end.

    A duration without its slice at the end, as a list has that was cut short, leaves the list open. Raises PlaylistError.
    """
    entries: list[Entry] = []
    seconds: float | None = None
    broken_off = ended = False
    for number, line in enumerate(_lines(data), 1):
        if line.startswith("#EXTINF:"):
            seconds = _seconds(line, number)
        elif line.startswith("#EXT-X-DISCONTINUITY") and not line.startswith("#EXT-X-DISCONTINUITY-"):
            broken_off = True
        elif line.startswith("#EXT-X-ENDLIST"):
            ended = True
            break
        elif not line.startswith("#"):
            entries.append(Entry(*_slice(line, seconds, number), discontinuity=broken_off))
            seconds, broken_off = None, False
    return Listing(tuple(entries), ended and seconds is None)


def write(entries: Iterable[Entry], *, ended: bool) -> str:
    """A playlist that any player takes. URIs are taken as they are."""
    listed = tuple(entries)
    longest = max((math.ceil(entry.duration_seconds) for entry in listed), default=1)
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{max(longest, 1)}", "#EXT-X-MEDIA-SEQUENCE:0"]
    if ended:
        lines.append("#EXT-X-PLAYLIST-TYPE:VOD")
    for entry in listed:
        if entry.discontinuity:
            lines.append("#EXT-X-DISCONTINUITY")
        lines += [f"#EXTINF:{entry.duration_seconds:.6f},", entry.uri]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def slice_time_ms(name: str) -> int | None:
    """When a slice begins, by the 17 digits of UTC in its name (reference 8.1), as Unix milliseconds; None if it has none."""
    found = _SLICE_TIME.search(name)
    if found is None:
        return None
    try:
        moment = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000 + int(found[2])


def _lines(data: bytes) -> list[str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PlaylistError("it is not UTF-8") from None
    lines = [line.strip() for line in re.split(r"\r\n|\n|\r", text)]
    if lines[0] != "#EXTM3U":
        raise PlaylistError("it does not begin with #EXTM3U")
    return [line or "#" for line in lines]


def _seconds(line: str, number: int) -> float:
    found = _DURATION.fullmatch(line)
    if found is None or not math.isfinite(float(found[1])):
        raise PlaylistError(f"line {number}: the duration cannot be read")
    return float(found[1])


def _slice(line: str, seconds: float | None, number: int) -> tuple[str, float]:
    if seconds is None:
        raise PlaylistError(f"line {number}: a slice without a duration")
    if not _SAFE_NAME.fullmatch(line):
        raise PlaylistError(f"line {number}: a slice that does not lie beside the playlist")
    return line, seconds
