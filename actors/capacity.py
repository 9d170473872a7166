"""Whether the provider is known to be full, by its answers to acquire: then no recording is begun that would only wait.

It is known to this process alone, and forgotten after a pause, so that a later start finds out whether it is still true.
"""

from collections.abc import Callable
from dataclasses import dataclass

from actors.domain.outcomes import Acquired, Done, Limit, Outcome, RetryLater


@dataclass(frozen=True, slots=True)
class Full:
    """What there is no more of, and for how many seconds nobody should ask again."""

    limit: Limit
    seconds: float


class Capacity:
    """Hears every answer to acquire. `now` in seconds; the provider's own wait counts up to `pause_seconds_max`."""

    def __init__(self, pause_seconds: float, pause_seconds_max: float, now: Callable[[], float]) -> None:
        self._pause_seconds = pause_seconds
        self._pause_seconds_max = pause_seconds_max
        self._now = now
        self._limit: Limit | None = None
        self._until = 0.0

    def heard(self, outcome: Outcome[Acquired]) -> None:
        """A resource proves that there is room; what is unclear proves nothing."""
        match outcome:
            case Done():
                self._limit = None
            case RetryLater(after_ms=after_ms, limit=Limit() as limit):
                told = min((after_ms or 0) / 1000, self._pause_seconds_max)
                self._limit, self._until = limit, self._now() + max(self._pause_seconds, told)

    @property
    def full(self) -> Full | None:
        """None: not known to be."""
        seconds = self._until - self._now()
        return None if self._limit is None or seconds <= 0 else Full(self._limit, seconds)
