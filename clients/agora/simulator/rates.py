"""How many requests a second are let through (reference 1.4, channel management 1.1)."""

from collections import defaultdict, deque
from collections.abc import Callable


class Rates:
    """One second's window for each key. `now` is in Unix seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._recent: defaultdict[tuple[str, ...], deque[float]] = defaultdict(deque)

    def admit(self, key: tuple[str, ...], per_second: float) -> bool:
        """Whether one more is within the rate; then it counts."""
        now, recent = self._now(), self._recent[key]
        while recent and now - recent[0] >= 1.0:
            recent.popleft()
        if len(recent) >= per_second:
            return False
        recent.append(now)
        return True
