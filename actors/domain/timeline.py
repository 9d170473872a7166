"""Slices laid out in time, so that what they do not cover can be named.

The time in a slice's name is the recorder's own word on when it was captured (reference 8.1); a slice whose name tells none
follows the one before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from actors.domain.media import MediaReport, Playlist, Slice


@dataclass(frozen=True, slots=True)
class Stretch:
    """A slice in time, Unix milliseconds."""

    from_ms: int
    to_ms: int
    slice: Slice

    @property
    def present(self) -> bool:
        """Whether there is something to play."""
        return bool(self.slice.size)


@dataclass(frozen=True, slots=True)
class Part:
    """What one session of the recorder left: its playlists, and their slices in order, each once. `number` counts from 1."""

    number: int
    session: str
    playlists: tuple[Playlist, ...]
    stretches: tuple[Stretch, ...]

    @property
    def ended(self) -> bool:
        """Whether the playlist with the latest slice is closed; those of machines that were left behind never are."""
        last = self.stretches[-1].slice.key if self.stretches else None
        return any(p.ended for p in self.playlists if last is None or any(s.key == last for s in p.slices))


def session_of(key: str) -> str:
    """The sid that begins an object's name, behind the mark of a move to another machine (`bak0_`, reference 8.1)."""
    words = key.rpartition("/")[2].split("_")
    moved = words[0].startswith("bak") and words[0][3:].isdigit() and len(words) > 1
    return words[1] if moved else words[0]


def parts_of(report: MediaReport, anchor_ms: int) -> tuple[Part, ...]:
    """The parts in the order of their first slice. `anchor_ms`: where slices without any time begin."""
    readable = sorted((p for p in report.playlists if p.error is None), key=lambda p: session_of(p.key))
    parts = [
        _part(session, tuple(group), anchor_ms) for session, group in groupby(readable, lambda p: session_of(p.key))
    ]
    parts.sort(key=lambda part: (part.stretches[0].from_ms if part.stretches else anchor_ms, part.session))
    return tuple(replace(part, number=number) for number, part in enumerate(parts, 1))


def uncovered(from_ms: int, to_ms: int, stretches: Iterable[Stretch]) -> list[tuple[int, int]]:
    """What of the span no present slice covers, in order."""
    holes, at = [], from_ms
    for stretch in sorted(stretches, key=lambda s: s.from_ms):
        if not stretch.present or stretch.to_ms <= at:
            continue
        if stretch.from_ms > at:
            holes.append((at, min(stretch.from_ms, to_ms)))
        at = stretch.to_ms
        if at >= to_ms:
            break
    if at < to_ms:
        holes.append((at, to_ms))
    return [(begin, end) for begin, end in holes if begin < end]


def _part(session: str, playlists: tuple[Playlist, ...], anchor_ms: int) -> Part:
    found: dict[str, Stretch] = {}
    for playlist in playlists:
        for stretch in _placed(playlist.slices, anchor_ms):
            found.setdefault(stretch.slice.key, stretch)
    return Part(0, session, playlists, tuple(sorted(found.values(), key=lambda s: (s.from_ms, s.slice.key))))


def _placed(slices: Sequence[Slice], anchor_ms: int) -> list[Stretch]:
    at, placed = _beginning(slices, anchor_ms), []
    for piece in slices:
        begin = at if piece.started_at_ms is None else piece.started_at_ms
        at = begin + milliseconds(piece.duration_seconds)
        placed.append(Stretch(begin, at, piece))
    return placed


def _beginning(slices: Sequence[Slice], anchor_ms: int) -> int:
    """When the first slice begins: counted back from the first one that tells its time."""
    before = 0
    for piece in slices:
        if piece.started_at_ms is not None:
            return piece.started_at_ms - before
        before += milliseconds(piece.duration_seconds)
    return anchor_ms


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
