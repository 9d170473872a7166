"""What is asked of the database beside the actors: lists and histories of recordings, and the feed for subscribers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Completeness, Recording, State, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A list of recordings, newest first by (created_at, id). Tombstones only when `statuses` or `states` name them.

    Times are Unix milliseconds: `created_from_ms` ≤ created < `created_before_ms`, updated at `updated_since_ms` or later.
    `overdue_at_ms`: not terminal, though its deadline has passed by then. `after` is the (created_at_ms, recording_id) of
    the last row of the page before; then `offset` is 0.
    """

    meeting_id: MeetingId | None = None
    statuses: tuple[Status, ...] = ()
    states: tuple[State, ...] = ()
    external_id: str | None = None
    completeness: Completeness | None = None
    created_from_ms: int | None = None
    created_before_ms: int | None = None
    updated_since_ms: int | None = None
    overdue_at_ms: int | None = None
    limit: int = 50
    offset: int = 0
    after: tuple[int, RecordingId] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`total` counts all that match; `more` says whether there are rows behind these."""

    items: tuple[Recording, ...]
    total: int
    more: bool


class Records(Protocol):
    """The query side: rows as of the last commit. All raise JournalUnavailable."""

    async def recording(self, recording_id: RecordingId) -> Recording | None: ...

    async def live(self, meeting_id: MeetingId) -> Recording | None: ...

    async def latest(self, meeting_id: MeetingId) -> Recording | None: ...

    async def live_count(self, limit: int) -> int:
        """How many recordings are live over all meetings; what is beyond the limit is not counted."""
        ...

    async def page(self, query: ListQuery) -> Page: ...

    async def history(self, recording: Recording, after_seq: int, limit: int) -> list[JournalEvent]: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A meeting as a subscriber joins it: the last public number, and the live recording."""

    meeting_id: MeetingId
    sequence: int
    live: Recording | None
    at_ms: int


@dataclass(frozen=True, slots=True, order=True)
class FeedPosition:
    """A place in the feed over all meetings: transaction, meeting, public number (recipe 3.5)."""

    tx: int
    meeting_id: str
    sequence: int


class Feed(Protocol):
    """Public events, for subscribers that join, resume or fell behind. All raise JournalUnavailable."""

    @property
    def identity(self) -> str:
        """Names this history; cursors carry it. Another one after a rebuild or a restored dump."""
        ...

    async def snapshot(self, meeting_id: MeetingId) -> Snapshot: ...

    async def after(self, meeting_id: MeetingId, sequence: int, limit: int) -> list[JournalEvent]:
        """Public events of one meeting behind `sequence`, in order."""
        ...

    async def sequences(self, meeting_ids: Sequence[MeetingId]) -> Mapping[MeetingId, int]:
        """The last public number of each."""
        ...

    async def position(self) -> FeedPosition:
        """The end of the settled part of the feed over all meetings."""
        ...

    async def all_after(self, position: FeedPosition, limit: int) -> list[tuple[FeedPosition, JournalEvent]]:
        """Settled public events of all meetings behind `position`, in feed order."""
        ...

    async def all_live(self) -> list[Snapshot]:
        """A snapshot for each meeting with a live recording."""
        ...
