"""The subscribers of this node: they join, are told what happens, are looked after, and leave.

The hub never asks an actor. It takes hints (`ports.Publisher`), which may be lost, and reads journal and snapshots
through `ports.Feed`; so a stream is the same on every node and across restarts.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import structlog

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.domain.model import Meeting
from actors.ports import Clock, JournalUnavailable
from actors.reading import Feed
from server.errors import Problem
from server.settings import StreamSettings
from server.streams.channel import Channel, Hole, Works
from server.streams.doors import RETRY_AFTER_SECONDS, Doors
from server.streams.everything import START, EverythingChannel
from server.streams.meeting import MeetingChannel
from server.streams.observer import StreamObserver
from server.streams.press import Press, Render
from server.streams.subscriber import Drainable, End, Subscriber, Terms

SWEEP_SECONDS = 1.0
POSITION_CHECK_SECONDS = (25.0, 40.0)
DEAF_CHECK_SECONDS = 1.0
RETRY_MS = (1000, 3000)
RETRY_RESTART_MS = (1000, 5000)
CLOSING_BATCHES = 20
log = structlog.get_logger(__name__)
AnySubscriber = Subscriber[Any]


class Hub:
    """Implements `actors.ports.Publisher`. `start` before use, `close` to leave."""

    def __init__(
        self,
        feed: Feed,
        settings: StreamSettings,
        render: Render,
        clock: Clock,
        *,
        observer: StreamObserver | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        hears: Callable[[], bool] = lambda: True,
    ) -> None:
        self._feed = feed
        self._settings = settings
        self._clock = clock
        self._observer = observer or StreamObserver()
        self._doors = Doors(settings, self._observer)
        self._press = Press(render, clock, self._observer, lambda: feed.identity)
        self._works = Works(feed, self._press, settings, self._observer, monotonic, self._spawn)
        self._hears = hears
        self._meetings: dict[MeetingId, MeetingChannel] = {}
        self._everything = EverythingChannel(self._works)
        self._subscribers: dict[AnySubscriber, Channel[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._random = random.Random()  # noqa: S311 (jitter)
        self._left = asyncio.Event()
        self._check_due = monotonic() + self._random.uniform(*POSITION_CHECK_SECONDS)

    # --- telling ---

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        """Public events of one commit. Returns at once and never raises."""
        self.heard(state.meeting_id, events)

    def heard(self, meeting_id: MeetingId, events: Sequence[JournalEvent]) -> None:
        """The same, of any node's commit; doubled and out of order, too."""
        try:
            channel = self._meetings.get(meeting_id)
            if channel is not None:
                channel.hint(events)
            self._everything.hint(events)
        except Exception:
            log.exception("hub.hint_failed", meeting=meeting_id)

    # --- joining and leaving ---

    def subscribe(self, meeting_id: MeetingId | None, terms: Terms) -> AnySubscriber:
        """Counts a subscriber in, of one meeting or (None) of all. `leave` must follow. Raises Problem 503."""
        self._doors.enter(terms.sub)
        channel: Channel[Any] = self._everything if meeting_id is None else self._meeting(meeting_id)
        place = START if meeting_id is None else 0
        subscriber: AnySubscriber = Subscriber(channel, terms, place, self._settings, self._observer)
        self._subscribers[subscriber] = channel
        channel.join(subscriber)
        self._observer.subscribers(terms.wire.transport, 1)
        return subscriber

    def _meeting(self, meeting_id: MeetingId) -> MeetingChannel:
        channel = self._meetings.get(meeting_id)
        if channel is None:
            channel = self._meetings[meeting_id] = MeetingChannel(meeting_id, self._works)
        return channel

    async def open(self, subscriber: AnySubscriber) -> None:
        """Reads what it will be told first. Raises Problem 503."""
        try:
            await self._subscribers[subscriber].open(subscriber)
        except JournalUnavailable:
            raise Problem("database_unavailable", retry_after_seconds=RETRY_AFTER_SECONDS) from None

    async def follow(self, subscriber: AnySubscriber) -> None:
        """Sends it what it is owed and makes it live. Raises ConnectionError when the client is gone."""
        try:
            await self._subscribers[subscriber].follow(subscriber)
        except JournalUnavailable:
            subscriber.end(End.UNAVAILABLE)
        except Hole as hole:
            log.error("stream.hole", hole=hole.args)  # noqa: TRY400 (no trace: the words say it all)
            subscriber.end(End.RESTART)

    def attach(self, subscriber: AnySubscriber, transport: asyncio.WriteTransport, writer: Drainable) -> None:
        """Its response has begun."""
        subscriber.attach(transport, writer, self._works.monotonic())

    def leave(self, subscriber: AnySubscriber) -> None:
        """Forgets it."""
        channel = self._subscribers.pop(subscriber, None)
        if channel is None:
            return
        self._left.set()
        self._doors.leave(subscriber.terms.sub)
        subscriber.end(End.GONE)
        self._observer.subscribers(subscriber.wire.transport, -1)
        if isinstance(channel, MeetingChannel) and channel.is_empty:
            self._meetings.pop(channel.meeting_id, None)

    def retry_ms(self) -> int:
        """How long an EventSource waits before it comes back: not all at the same time."""
        return self._random.randint(*RETRY_MS)

    # --- looking after ---

    def start(self) -> None:
        """Begins the two timers that all subscribers share."""
        self._spawn(self._every(SWEEP_SECONDS, self._sweep_now), name="stream sweep")
        self._spawn(self._every(DEAF_CHECK_SECONDS, self._check_if_due), name="stream position check")

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except Exception:
                log.exception("hub.timer_failed")

    async def _sweep_now(self) -> None:
        self.sweep()

    def sweep(self) -> None:
        """One look at every subscriber: hung up, token expired, ping or heartbeat due, too much unsent."""
        now, today = self._works.monotonic(), self._clock.now_ms() / 1000
        for subscriber in tuple(self._subscribers):
            if subscriber.is_gone:
                subscriber.end(End.GONE)
            elif today >= subscriber.terms.expires_at:
                subscriber.end(End.EXPIRED)
            elif now >= subscriber.due:
                subscriber.tend(now, self._press.heartbeat)
        self._doors.weigh(self._subscribers)

    async def _check_if_due(self) -> None:
        """Now and then, in case that a hint was lost; all the time while the other nodes cannot be heard."""
        now = self._works.monotonic()
        if now >= self._check_due or not self._hears():
            self._check_due = now + self._random.uniform(*POSITION_CHECK_SECONDS)
            await self.check_positions()

    async def check_positions(self) -> None:
        """One query for all watched meetings finds events whose hints were lost, the last ones too."""
        watched = [key for key, channel in self._meetings.items() if channel.live]
        if not watched:
            return
        try:
            last = await self._feed.sequences(watched)
        except JournalUnavailable:
            return  # the next check looks again
        for meeting_id, sequence in last.items():
            channel = self._meetings.get(meeting_id)
            if channel is not None:
                channel.learn(sequence)

    # --- leaving ---

    async def close(self, seconds: float) -> None:
        """Sends everybody away within that time, in batches, so that they do not all come back at once."""
        self._doors.shut()
        try:
            async with asyncio.timeout(seconds):
                await self._send_away(seconds / 2)
                await self._deserted()
        except TimeoutError:
            for subscriber in tuple(self._subscribers):
                subscriber.end(End.RESTART)
                subscriber.abort()
        await self._end_tasks()

    async def _send_away(self, seconds: float) -> None:
        present = list(self._subscribers)
        self._random.shuffle(present)
        size = max(1, -(-len(present) // CLOSING_BATCHES))
        for index in range(0, len(present), size):
            for subscriber in present[index : index + size]:
                subscriber.end(End.RESTART, self._comeback())
            await asyncio.sleep(seconds / CLOSING_BATCHES * self._random.uniform(0, 1))

    async def _deserted(self) -> None:
        """Returns when the last handler has let go."""
        while self._subscribers:
            self._left.clear()
            await self._left.wait()

    def _comeback(self) -> bytes:
        return b"retry: %d\n\n" % self._random.randint(*RETRY_RESTART_MS)

    async def _end_tasks(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("hub.task_failed", task=task.get_name(), exc_info=error)
