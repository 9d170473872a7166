"""The stream of one meeting: public events by their gapless numbers. Hints bring them, the journal fills gaps."""

import asyncio
from collections.abc import Sequence

import structlog

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.ports import JournalUnavailable
from actors.reading import Snapshot
from server.streams.channel import LIVE_PAGE_EVENTS, Channel, Hole, Works
from server.streams.cursors import MeetingCursor, decode_cursor
from server.streams.frames import Frame
from server.streams.press import meeting_source
from server.streams.subscriber import End, Subscriber

RETRY_SECONDS = 1.0
log = structlog.get_logger(__name__)


class MeetingChannel(Channel[int]):
    """Subscribers of one meeting."""

    def __init__(self, meeting_id: MeetingId, works: Works) -> None:
        super().__init__(meeting_source(meeting_id), works)
        self.meeting_id = meeting_id
        self._known = 0
        """The highest number that is known to exist."""
        self._catching_up = False
        self._snapshot: asyncio.Task[Snapshot] | None = None

    # --- publishing ---

    def hint(self, events: Sequence[JournalEvent]) -> None:
        """Public events that have just been committed, in order."""
        for event in events:
            if event.sequence is not None:
                self._take(event, event.sequence)

    def _take(self, event: JournalEvent, sequence: int) -> None:
        if self.place is None or (not self.live and sequence > self.place + 1):
            self._restart(sequence - 1)
        if self.place is not None and sequence == self.place + 1:
            self._publish(self._works.press.meeting_event(event))
        self.learn(sequence)

    def learn(self, sequence: int) -> None:
        """So far the meeting's events go. What is missing is read once, for all subscribers of this node."""
        self._known = max(self._known, sequence)
        if self.live and self.place is not None and self.place < self._known and not self._catching_up:
            self._catching_up = True
            self._works.spawn(self._catch_up(), name=f"catch-up {self.source}")

    async def _catch_up(self) -> None:
        try:
            while self.live and self.place is not None and self.place < self._known:
                await self._fill(self.place)
        finally:
            self._catching_up = False

    async def _fill(self, place: int) -> None:
        try:
            events = await self._works.feed.after(self.meeting_id, place, LIVE_PAGE_EVENTS)
        except JournalUnavailable:
            await asyncio.sleep(RETRY_SECONDS)
            return
        if not events:
            self._known = self.place or place  # somebody knew of more than there is
        for event in events:
            if self.place is not None and event.sequence == self.place + 1:
                self._publish(self._works.press.meeting_event(event))
        if self.place == place and events:
            self._break_off(place, events[0].sequence)
        self.flush()

    def _break_off(self, place: int, found: int | None) -> None:
        """The journal itself has a hole. Never a silent gap: they resume, and get a reset."""
        log.error("stream.hole", source=self.source, after=place, found=found)
        self._known = place
        for subscriber in tuple(self.live):
            subscriber.end(End.RESTART)

    # --- joining ---

    async def open(self, subscriber: Subscriber[int]) -> None:
        """From its cursor if that can be served, else from a snapshot."""
        given = subscriber.terms.cursor
        cursor = decode_cursor(given) if given else None
        if not isinstance(cursor, MeetingCursor) or not self._is_ours(cursor):
            await self._begin(subscriber, reset=bool(given))
        elif cursor.fresh:
            await self._begin(subscriber, reset=False)
        else:
            await self._resume(subscriber, cursor.sequence)

    def _is_ours(self, cursor: MeetingCursor) -> bool:
        return cursor.identity == self._works.feed.identity and cursor.meeting_id == self.meeting_id

    async def _begin(self, subscriber: Subscriber[int], *, reset: bool) -> None:
        snapshot = await self._shared_snapshot()
        press = self._works.press
        opening = [press.meeting_reset(self.meeting_id, snapshot.sequence)] if reset else []
        subscriber.opening = [*opening, press.meeting_snapshot(snapshot)]
        subscriber.place, subscriber.behind = snapshot.sequence, False

    async def _shared_snapshot(self) -> Snapshot:
        """One read for all who join while it is under way; what is newer comes as events."""
        if self._snapshot is None:
            self._snapshot = asyncio.create_task(self._works.feed.snapshot(self.meeting_id))
            self._snapshot.add_done_callback(self._snapshot_read)
        return await asyncio.shield(self._snapshot)

    def _snapshot_read(self, task: asyncio.Task[Snapshot]) -> None:
        self._snapshot = None
        if not task.cancelled():
            task.exception()  # whoever still waits for it is told

    async def _resume(self, subscriber: Subscriber[int], sequence: int) -> None:
        subscriber.place = sequence
        try:
            subscriber.opening = await self.read(subscriber)
        except Hole:
            await self._begin(subscriber, reset=True)
            return
        if not subscriber.opening and await self._is_from_the_future(sequence):
            await self._begin(subscriber, reset=True)

    async def _is_from_the_future(self, sequence: int) -> bool:
        if self.place is not None and sequence <= self.place:
            return False
        last = await self._works.feed.sequences([self.meeting_id])
        return sequence > last.get(self.meeting_id, 0)

    async def read(self, subscriber: Subscriber[int]) -> list[Frame[int]]:
        """The next page behind its place, gapless."""
        page = self._works.settings.replay_page_events
        events = await self._works.feed.after(self.meeting_id, subscriber.place, page)
        for event in events:
            if event.sequence != subscriber.place + 1:
                raise Hole(self.source, subscriber.place, event.sequence)
            subscriber.place = event.sequence
        subscriber.behind = len(events) >= page
        return [self._works.press.meeting_event(event) for event in events]

    def _admit(self, subscriber: Subscriber[int]) -> bool:
        admitted = super()._admit(subscriber)
        if admitted:
            self.learn(subscriber.place)
        return admitted
