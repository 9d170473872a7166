"""What one recorder of a session captures; after a move to another machine the next one goes on under its own names."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Leg:
    """Times are Unix milliseconds. `slices`: (file name, seconds) of what was captured and uploaded, in order."""

    uid: str
    since: int
    """When it joins; in the time before that, after a move, there is no recorder."""
    lost_at: int | None = None
    """When its machine was lost, and what it had not uploaded with it."""
    mark: str = ""
    """Of its file names: `bak<n>_` after the n-th move, from 0 (reference 8.1)."""
    slices: list[tuple[str, float]] = field(default_factory=list)
