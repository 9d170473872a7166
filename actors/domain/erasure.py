"""How far the deletion of a recording's media is, and what may forbid it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lock:
    """What keeps an object from being deleted: a date, or, with None, somebody's hold, which has no end of its own."""

    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A deletion under way, in rounds: everything is listed for the receipt, page by page, then removed, then looked for
    again. `after`: where the next page begins, None at the beginning of a round."""

    after: str | None = None
    listed: bool = False
    """All of this round stands in the history, and may be removed."""
    rounds: int = 0
    objects: int = 0
    bytes: int = 0
    """What was listed, in all rounds."""
