"""The files of a recording as they lie in storage: which stretches of time they hold, by their names and their sound."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.fakes.sound import RATE, samples_of, wrong_seconds

TIME = re.compile(r"_(\d{14})(\d{3})\.ts$")
MOVIE = "_0.mp4"


@dataclass(frozen=True)
class Piece:
    """What one file holds. Unix milliseconds; `wrong`: the seconds in it that sound like others."""

    name: str
    from_ms: int
    to_ms: int
    wrong: list[int]

    @property
    def seconds(self) -> float:
        return (self.to_ms - self.from_ms) / 1000


def slices_in(folder: Path) -> list[Piece]:
    """Every slice that is there, in order, decoded."""
    found = [piece_of(path, began_ms(path.name)) for path in folder.glob("*.ts")]
    return sorted(found, key=lambda piece: piece.from_ms)


def movies_in(folder: Path, slices: list[str]) -> list[Piece]:
    """Every MP4 that is there, decoded. It begins with the first slice of its recorder, of which the names are given."""
    found = []
    for path in folder.glob(f"*{MOVIE}"):
        own = [began_ms(name) for name in slices if name.startswith(path.name.removesuffix(MOVIE))]
        if own:
            found.append(piece_of(path, min(own)))
    return sorted(found, key=lambda piece: piece.from_ms)


def piece_of(path: Path, from_ms: int) -> Piece:
    samples = samples_of(path.read_bytes())
    return Piece(path.name, from_ms, from_ms + round(len(samples) / RATE * 1000), wrong_seconds(samples, from_ms))


def listed_in(playlist: Path) -> list[str]:
    """The names of the slices that a playlist lists."""
    lines = playlist.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def began_ms(name: str) -> int:
    """When a slice begins, by the 17 digits of UTC in its name (reference 8.1)."""
    found = TIME.search(name)
    assert found is not None, name
    moment = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000 + int(found[2])


def holes(from_ms: int, to_ms: int, pieces: list[Piece]) -> list[tuple[int, int]]:
    """What of a span no piece holds."""
    found, at = [], from_ms
    for piece in sorted(pieces, key=lambda each: each.from_ms):
        if piece.from_ms > at:
            found.append((at, min(piece.from_ms, to_ms)))
        at = max(at, piece.to_ms)
    if at < to_ms:
        found.append((at, to_ms))
    return [(begin, end) for begin, end in found if begin < end]
