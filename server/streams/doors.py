"""Who may come in, and who has to leave so that the others can stay: the bounds of a node's streams (recipe 3.6)."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from server.errors import Problem
from server.settings import StreamSettings
from server.streams.observer import StreamObserver
from server.streams.subscriber import End, Subscriber

RETRY_AFTER_SECONDS = 5


class Doors:
    """Counts those who are in, by the caller's `sub`, and what is unsent for all of them."""

    def __init__(self, settings: StreamSettings, observer: StreamObserver) -> None:
        self._settings = settings
        self._observer = observer
        self._inside: Counter[str] = Counter()
        self._unsent_bytes = 0
        self._closing = False

    def shut(self) -> None:
        """Nobody comes in any more."""
        self._closing = True

    def enter(self, sub: str) -> None:
        """Counts one in; `leave` must follow. Raises Problem 503."""
        if self._closing:
            raise self._refusal("draining", "draining")
        if self._inside.total() >= self._settings.subscribers_max:
            raise self._refusal("overloaded", "node", "no room for another stream")
        if self._inside[sub] >= self._settings.subscribers_per_principal_max:
            raise self._refusal("overloaded", "principal", "this token's sub has as many streams open as one may have")
        if self._unsent_bytes > self._settings.unsent_bytes_max / 2:
            raise self._refusal("overloaded", "unsent", "too much is waiting to be sent to others")
        self._inside[sub] += 1

    def _refusal(self, code: str, reason: str, detail: str | None = None) -> Problem:
        self._observer.refused(reason)
        return Problem(code, detail, retry_after_seconds=RETRY_AFTER_SECONDS)

    def leave(self, sub: str) -> None:
        """Counts one out."""
        self._inside[sub] -= 1
        if not self._inside[sub]:
            del self._inside[sub]

    def weigh(self, subscribers: Iterable[Subscriber[Any]]) -> None:
        """Looks at what is unsent, and cuts off whoever has most of it until the rest is bearable."""
        unsent = [(subscriber.unsent_bytes, subscriber) for subscriber in subscribers]
        total = sum(size for size, _ in unsent)
        if total > self._settings.unsent_bytes_max:
            for size, subscriber in sorted(unsent, key=lambda each: -each[0]):
                subscriber.end(End.SLOW)
                subscriber.abort()  # a farewell would have to wait behind all of it
                total -= size
                if total <= self._settings.unsent_bytes_max:
                    break
        self._unsent_bytes = total
        self._observer.unsent(total)
