"""Makes the frames of streams: what is rendered, with which cursor, and remembered for those who resume at once.

After a restart a thousand subscribers come back and miss the same few events: each of these is encoded once, too.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.ports import Clock
from actors.reading import FeedPosition, Snapshot
from server.render import rfc3339
from server.streams.cursors import Cursor, FeedCursor, MeetingCursor, encode_cursor
from server.streams.frames import Frame
from server.streams.observer import StreamObserver
from server.streams.position import P

REMEMBERED_MAX = 1024
FEED_SOURCE = "/meetings"


@dataclass(frozen=True, slots=True)
class Render:
    """How events look (api.md 4), without `cursor`; the flag says whether `metadata` and `externalId` are shown."""

    event: Callable[[JournalEvent, bool], Mapping[str, Any]]
    snapshot: Callable[[Snapshot, bool], Mapping[str, Any]]


@dataclass(slots=True)
class Press:
    """The frames of one node. `identity` names the journal."""

    render: Render
    clock: Clock
    observer: StreamObserver
    identity: Callable[[], str]
    _meeting: "OrderedDict[tuple[str, int], Frame[int]]" = field(default_factory=OrderedDict)
    _feed: "OrderedDict[FeedPosition, Frame[FeedPosition]]" = field(default_factory=OrderedDict)

    def meeting_event(self, event: JournalEvent) -> Frame[int]:
        """A public event as everybody in its meeting sees it."""
        sequence = event.sequence or 0
        key = (event.meeting_id, sequence)
        frame = self._meeting.get(key)
        if frame is None:
            cursor = MeetingCursor(self.identity(), event.meeting_id, sequence)
            frame = self._event_frame(sequence, event, cursor, private=False)
            _remember(self._meeting, key, frame)
        return frame

    def feed_event(self, position: FeedPosition, event: JournalEvent) -> Frame[FeedPosition]:
        """A public event as operators see it."""
        frame = self._feed.get(position)
        if frame is None:
            frame = self._event_frame(position, event, FeedCursor(self.identity(), position), private=True)
            _remember(self._feed, position, frame)
        return frame

    def meeting_snapshot(self, snapshot: Snapshot) -> Frame[int]:
        """A meeting as it is now; resuming there misses nothing."""
        cursor = MeetingCursor(self.identity(), snapshot.meeting_id, snapshot.sequence)
        return self._snapshot_frame(snapshot.sequence, snapshot, cursor, private=False)

    def feed_snapshot(self, position: FeedPosition, snapshot: Snapshot) -> Frame[FeedPosition]:
        """One of several snapshots: whoever has this one only is owed the others still."""
        cursor = FeedCursor(self.identity(), position, fresh=True)
        return self._snapshot_frame(position, snapshot, cursor, private=True)

    def meeting_reset(self, meeting_id: MeetingId, sequence: int) -> Frame[int]:
        """The cursor could not be served; a snapshot follows."""
        cursor = MeetingCursor(self.identity(), meeting_id, sequence, fresh=True)
        return self._notice("stream.reset", meeting_source(meeting_id), sequence, cursor)

    def feed_reset(self, position: FeedPosition) -> Frame[FeedPosition]:
        """The cursor could not be served; snapshots follow."""
        cursor = FeedCursor(self.identity(), position, fresh=True)
        return self._notice("stream.reset", FEED_SOURCE, position, cursor)

    def feed_ready(self, position: FeedPosition) -> Frame[FeedPosition]:
        """All snapshots are sent; from here on events follow."""
        return self._notice("stream.ready", FEED_SOURCE, position, FeedCursor(self.identity(), position))

    def heartbeat(self, source: str) -> Frame[int]:
        """A sign of life that a page can see. There is nothing in it to resume from."""
        return self._notice("stream.heartbeat", source, 0, None)

    def _event_frame(self, position: P, event: JournalEvent, cursor: Cursor, *, private: bool) -> Frame[P]:
        return Frame(
            position,
            partial(_plain, self.render.event, event, private),
            self.observer,
            cursor=encode_cursor(cursor),
            meeting_id=event.meeting_id,
            sequence=event.sequence or 0,
        )

    def _snapshot_frame(self, position: P, snapshot: Snapshot, cursor: Cursor, *, private: bool) -> Frame[P]:
        return Frame(
            position,
            partial(_plain, self.render.snapshot, snapshot, private),
            self.observer,
            cursor=encode_cursor(cursor),
            meeting_id=snapshot.meeting_id,
            sequence=snapshot.sequence,
        )

    def _notice(self, kind: str, source: str, position: P, cursor: Cursor | None) -> Frame[P]:
        document: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"{kind}/{uuid4()}",
            "source": source,
            "type": kind,
            "time": rfc3339(self.clock.now_ms()),
            "data": {},
        }
        text = None if cursor is None else encode_cursor(cursor)
        return Frame(position, lambda: document, self.observer, cursor=text)


def meeting_source(meeting_id: str) -> str:
    """The `source` of a meeting's events."""
    return f"/meetings/{meeting_id}"


def _plain(render: Callable[[Any, bool], Mapping[str, Any]], what: Any, private: bool) -> dict[str, Any]:
    return dict(render(what, private))


def _remember(memory: "OrderedDict[Any, Any]", key: Any, frame: Any) -> None:
    memory[key] = frame
    if len(memory) > REMEMBERED_MAX:
        memory.popitem(last=False)
