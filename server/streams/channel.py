"""A stream as this node has it: who listens, what was published since the last pass, and how somebody joins.

The rule that it keeps: every subscriber gets every event of its stream, in order, none twice. So each has a place,
each batch a beginning and an end, and nobody is live before its place is the channel's (recipe 3.5).
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

import structlog

from actors.reading import Feed
from server.settings import StreamSettings
from server.streams.frames import Batch, Frame
from server.streams.observer import StreamObserver
from server.streams.position import P
from server.streams.press import Press
from server.streams.ranks import Ranks
from server.streams.subscriber import PORTION_BYTES, End, Subscriber

RING_EVENTS_MAX = 64
LIVE_PAGE_EVENTS = 100
"""Events that are read at once for those who are live."""
PAUSE_SECONDS = 0.05
log = structlog.get_logger(__name__)


class Hole(Exception):
    """The journal does not hold the event that must come next."""


@dataclass(frozen=True, slots=True)
class Works:
    """What all channels of a node share."""

    feed: Feed
    press: Press
    settings: StreamSettings
    observer: StreamObserver
    monotonic: Callable[[], float]
    spawn: Callable[..., asyncio.Task[None]]


class Channel(ABC, Generic[P]):
    """The subscribers of one stream. `source` is the `source` of its own events."""

    def __init__(self, source: str, works: Works) -> None:
        self.source = source
        self.live: dict[Subscriber[P], None] = {}
        """Each of them is either in step, or apart and looked at one by one."""
        self.wrote_at = 0.0
        """When those in step were written to, on the monotonic clock."""
        self.joining: set[Subscriber[P]] = set()
        self.place: P | None = None
        """Everything up to here has been published to those who are live."""
        self._works = works
        self._in_step: Ranks[P] = Ranks(works.settings.write_buffer_peak_bytes)
        self._apart: dict[Subscriber[P], None] = {}
        self._pending: list[Frame[P]] = []
        self._pending_from: P | None = None
        self._ring: deque[Frame[P]] = deque()
        self._ring_from: P | None = None
        self._flushing = False

    @property
    def is_empty(self) -> bool:
        return not self.live and not self.joining

    # --- joining ---

    @abstractmethod
    async def open(self, subscriber: Subscriber[P]) -> None:
        """Find out where it starts and what it is told first. Raises JournalUnavailable."""

    @abstractmethod
    async def read(self, subscriber: Subscriber[P]) -> list[Frame[P]]:
        """The next events for it; moves its place behind them. Sets `behind` if there may be more.

        Raises JournalUnavailable, Hole.
        """

    async def follow(self, subscriber: Subscriber[P]) -> None:
        """What it is owed, then live. Raises JournalUnavailable, Hole, ConnectionError."""
        frames = subscriber.opening
        subscriber.opening = []
        while subscriber.end_reason is None:
            await subscriber.send(frames, self._works.monotonic())
            if not subscriber.behind:
                if self._admit(subscriber):
                    return
                if not frames:
                    await asyncio.sleep(PAUSE_SECONDS)  # a hint ran ahead of what can be read
            frames = await self.read(subscriber)

    def _admit(self, subscriber: Subscriber[P]) -> bool:
        """Make it live, if nothing lies between its place and the channel's but what is still at hand."""
        if subscriber.end_reason is not None:
            return True
        if self.place is None or (not self.live and self.place < subscriber.place):
            self._restart(subscriber.place)
        elif subscriber.place < self.place and not self._hand_over(subscriber):
            return False
        self.joining.discard(subscriber)
        if subscriber.end_reason is None:
            self.live[subscriber] = self._apart[subscriber] = None
        return True

    def _hand_over(self, subscriber: Subscriber[P]) -> bool:
        if self._ring_from is None or subscriber.place < self._ring_from:
            return False
        subscriber.deliver(Batch(tuple(self._ring)), self._works.monotonic())
        return True

    def join(self, subscriber: Subscriber[P]) -> None:
        """From here on, what is published is kept at hand for it."""
        if not self.joining:
            self._ring.clear()
            self._ring_from = self.place
        self.joining.add(subscriber)

    def drop(self, subscriber: Subscriber[P]) -> None:
        """It gets nothing any more."""
        self.live.pop(subscriber, None)
        self._apart.pop(subscriber, None)
        self._in_step.remove(subscriber)
        self.joining.discard(subscriber)

    # --- publishing ---

    def _restart(self, place: P) -> None:
        """Nobody is live: go on from another place."""
        self.place = self._ring_from = place
        self._ring.clear()

    def _publish(self, frame: Frame[P]) -> None:
        """The event that follows the channel's place."""
        if self.joining:
            self._keep(frame)
        if self.live:
            if not self._pending:
                self._pending_from = self.place
            self._pending.append(frame)
            self._schedule()
        self.place = frame.position

    def _keep(self, frame: Frame[P]) -> None:
        self._ring.append(frame)
        if len(self._ring) > RING_EVENTS_MAX:
            self._ring_from = self._ring.popleft().position

    def _schedule(self) -> None:
        # Once a tick: everything published since the last pass leaves in one write per subscriber.
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what is pending to everybody who is live, or as much as a write buffer may get in one tick."""
        self._flushing = False
        if not self._pending:
            return
        try:
            self._write(self._next_batch())
        except Exception:
            self._pending.clear()
            log.exception("stream.failed", source=self.source)
            for subscriber in tuple(self.live):
                subscriber.end(End.UNAVAILABLE)
        if self._pending:
            self._schedule()

    def _next_batch(self) -> Batch[P]:
        size, count = 0, 0
        while count < len(self._pending) and size < PORTION_BYTES:
            size += self._pending[count].size
            count += 1
        frames, self._pending = self._pending[:count], self._pending[count:]
        return Batch(frames)

    def _write(self, batch: Batch[P]) -> None:
        now, beginning, end = self._works.monotonic(), self._pending_from, batch.frames[-1].position
        apart, self._pending_from, self.wrote_at = tuple(self._apart), end, now
        for subscriber in self._in_step.write(batch):
            self._step_out(subscriber, end)
            subscriber.judge(now)
        for subscriber in apart:
            if beginning is not None and subscriber.place < beginning:
                log.error("stream.gap", source=self.source)
                subscriber.end(End.RESTART)
            else:
                subscriber.deliver(batch, now)
                self._step_in(subscriber, end)

    def _step_in(self, subscriber: Subscriber[P], place: P) -> None:
        if subscriber.place == place and subscriber.is_ordinary and subscriber in self._apart:
            del self._apart[subscriber]
            subscriber.in_step = True
            self._in_step.add(subscriber)

    def _step_out(self, subscriber: Subscriber[P], place: P) -> None:
        self._in_step.remove(subscriber)
        subscriber.in_step, subscriber.place = False, place
        self._apart[subscriber] = None
