"""The stream over all meetings, for operators: one reader a node follows the feed, and hints only wake it.

The feed is ordered by (transaction, meeting, number) and holds only what has settled, so nothing becomes visible
behind a place that was passed (recipe 3.5).
"""

import asyncio
from collections.abc import Sequence

import structlog

from actors.domain.events import JournalEvent
from actors.ports import JournalUnavailable
from actors.reading import FeedPosition, Snapshot
from server.streams.channel import LIVE_PAGE_EVENTS, Channel, Works
from server.streams.cursors import FeedCursor, decode_cursor
from server.streams.frames import Frame
from server.streams.press import FEED_SOURCE
from server.streams.subscriber import End, Subscriber

POLL_SECONDS = 1.0
SETTLE_SECONDS = 0.02
"""The first wait for a hinted event that other transactions still hold back; doubles up to the poll."""
HINTS_MAX = 1000
START = FeedPosition(0, "", 0)
log = structlog.get_logger(__name__)


class EverythingChannel(Channel[FeedPosition]):
    """Subscribers of all meetings."""

    def __init__(self, works: Works) -> None:
        super().__init__(FEED_SOURCE, works)
        self._awaited: dict[str, int] = {}
        """Events that were hinted and not read yet: the highest number by meeting."""
        self._wake = asyncio.Event()
        self._reading = False

    # --- publishing ---

    def hint(self, events: Sequence[JournalEvent]) -> None:
        """Public events that have just been committed: the feed is worth a look."""
        if self.is_empty:
            return
        if len(self._awaited) >= HINTS_MAX:
            self._awaited.clear()
        self._awaited.update({event.meeting_id: event.sequence for event in events if event.sequence is not None})
        self._wake.set()

    async def _follow_feed(self) -> None:
        try:
            await self._read_while_live()
        except Exception:
            log.exception("stream.failed", source=self.source)
            for subscriber in tuple(self.live):
                subscriber.end(End.UNAVAILABLE)
        finally:
            self._reading = False
            self._awaited.clear()

    async def _read_while_live(self) -> None:
        patience = SETTLE_SECONDS
        while self.live:
            self._wake.clear()
            found = await self._read_on()
            if found == LIVE_PAGE_EVENTS:
                await asyncio.sleep(0)  # let it leave before the next page
                continue
            woken = await self._rest(patience if self._awaited else POLL_SECONDS)
            patience = SETTLE_SECONDS if found or woken else min(patience * 2, POLL_SECONDS)

    async def _rest(self, seconds: float) -> bool:
        """Whether a hint ended it."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    async def _read_on(self) -> int:
        """Publishes the next page; returns how many events there were."""
        if self.place is None:
            return 0
        try:
            found = await self._works.feed.all_after(self.place, LIVE_PAGE_EVENTS)
        except JournalUnavailable:
            return 0  # the poll tries again
        for position, event in found:
            if position > self.place:  # the last one may have left and another come while this was read
                self._publish(self._works.press.feed_event(position, event))
            if self._awaited.get(event.meeting_id, 0) <= (event.sequence or 0):
                self._awaited.pop(event.meeting_id, None)
        self.flush()
        return len(found)

    def _admit(self, subscriber: Subscriber[FeedPosition]) -> bool:
        admitted = super()._admit(subscriber)
        if self.live and not self._reading:
            self._reading = True
            self._works.spawn(self._follow_feed(), name="feed reader")
        return admitted

    # --- joining ---

    async def open(self, subscriber: Subscriber[FeedPosition]) -> None:
        """From its cursor if that can be served, else from snapshots of all live recordings."""
        end = await self._works.feed.position()
        given = subscriber.terms.cursor
        cursor = decode_cursor(given) if given else None
        subscriber.behind = True
        if not isinstance(cursor, FeedCursor) or not self._can_serve(cursor, end):
            await self._begin(subscriber, end, reset=bool(given))
        elif cursor.fresh:
            await self._begin_again(subscriber, cursor.position)
        else:
            subscriber.place = cursor.position

    def _can_serve(self, cursor: FeedCursor, end: FeedPosition) -> bool:
        return cursor.identity == self._works.feed.identity and cursor.position <= end

    async def _begin(self, subscriber: Subscriber[FeedPosition], place: FeedPosition, *, reset: bool) -> None:
        snapshots = await self._works.feed.all_live()
        press = self._works.press
        opening = [press.feed_reset(place)] if reset else []
        subscriber.opening = [*opening, *self._snapshots(place, snapshots)]
        # The snapshots are newer than the place: what they contain does not follow again.
        subscriber.seen = {snapshot.meeting_id: snapshot.sequence for snapshot in snapshots}
        subscriber.place = place

    async def _begin_again(self, subscriber: Subscriber[FeedPosition], place: FeedPosition) -> None:
        """It was cut off before it had all snapshots. What happened since then is owed as events, whole."""
        subscriber.opening = self._snapshots(place, await self._works.feed.all_live())
        subscriber.place = place

    def _snapshots(self, place: FeedPosition, snapshots: Sequence[Snapshot]) -> list[Frame[FeedPosition]]:
        press = self._works.press
        return [*(press.feed_snapshot(place, snapshot) for snapshot in snapshots), press.feed_ready(place)]

    async def read(self, subscriber: Subscriber[FeedPosition]) -> list[Frame[FeedPosition]]:
        """The next page behind its place, without what its snapshots contain."""
        page = self._works.settings.replay_page_events
        published = self.place
        found = await self._works.feed.all_after(subscriber.place, page)
        frames = subscriber.select([self._works.press.feed_event(position, event) for position, event in found])
        subscriber.place = found[-1][0] if found else subscriber.place
        subscriber.behind = len(found) >= page
        if not subscriber.behind and published is not None:
            # It has all that is settled, and what was published had settled: places between events do not matter.
            subscriber.place = max(subscriber.place, published)
        return frames
