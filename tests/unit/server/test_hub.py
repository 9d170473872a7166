"""The hub by itself, with transports that only take notes: what happens when the journal or a hint fails it."""

import asyncio
from typing import Any

import orjson
import pytest

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.domain.model import Meeting
from actors.ports import JournalUnavailable
from actors.reading import FeedPosition, Snapshot
from server.hub import AnySubscriber, Hub
from server.settings import StreamSettings
from server.streams import everything, meeting
from server.streams.frames import Wire
from server.streams.press import Render
from server.streams.subscriber import End, Terms
from tests.fakes.audience import Counts, Hands, World, eventually, render_event, render_snapshot
from tests.fakes.memory import MemoryFeed

M1 = MeetingId("m-1")


class Notes(asyncio.Transport):
    """A transport that keeps what is written to it, and its own writer."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.closing = True

    async def drain(self) -> None:
        await asyncio.sleep(0)

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = self.written.split(b"\n")
        return [orjson.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: ")]

    @property
    def sequences(self) -> list[int | None]:
        return [event.get("sequence") for event in self.events]


class Lazy(Notes):
    """A transport as uvloop's: what is written leaves at the end of the tick, and counts as unsent until then."""

    unsent = 0

    def write(self, data: Any) -> None:
        super().write(data)
        if not self.unsent:
            asyncio.get_running_loop().call_soon(self._leave)
        self.unsent += len(data)

    def _leave(self) -> None:
        self.unsent = 0

    def get_write_buffer_size(self) -> int:
        return self.unsent


class Stage:
    """A hub on a journal in memory."""

    def __init__(self, feed: type[MemoryFeed] = MemoryFeed, render: Render | None = None) -> None:
        self.world = World()
        self.world.feed = feed(self.world.database)
        self.counts = Counts()
        hands = Hands()
        self.hub = Hub(
            self.world.feed,
            StreamSettings(),
            render or Render(render_event, render_snapshot),
            hands,
            observer=self.counts,
            monotonic=lambda: hands.monotonic,
        )
        self.world.hubs.append(self.hub)

    async def join(
        self, meeting_id: str | None = M1, cursor: str | None = None, transport: type[Notes] = Notes
    ) -> tuple[AnySubscriber, Notes]:
        """A subscriber that is live when this returns."""
        key = None if meeting_id is None else MeetingId(meeting_id)
        subscriber = self.hub.subscribe(key, Terms(Wire.SSE_PLAIN, cursor, 1e12))
        await self.hub.open(subscriber)
        notes = transport()
        self.hub.attach(subscriber, notes, notes)
        await self.hub.follow(subscriber)
        return subscriber, notes


async def test_an_event_that_cannot_be_rendered_ends_its_own_stream_only() -> None:
    def fail(event: JournalEvent, private: bool) -> dict[str, Any]:
        if event.meeting_id == "m-1":
            raise ValueError("a defect")
        return render_event(event, private)

    stage = Stage(render=Render(fail, render_snapshot))
    broken, _ = await stage.join()
    whole, notes = await stage.join("m-2")
    stage.world.commit("m-1")
    stage.world.commit("m-2")
    await eventually(lambda: notes.sequences == [0, 1])
    assert broken.end_reason is End.UNAVAILABLE
    assert whole.end_reason is None


async def test_a_burst_is_written_in_portions_that_cut_nobody_off() -> None:
    stage = Stage()
    _, notes = await stage.join(transport=Lazy)
    stage.world.commit("m-1")  # from here on in step with others
    await eventually(lambda: notes.sequences == [0, 1])
    stage.world.commit("m-1", 100, padding=20_000)
    await eventually(lambda: notes.sequences == list(range(102)))
    assert stage.counts.slow == []


async def test_a_hint_never_raises() -> None:
    stage = Stage()
    await stage.join()
    stage.hub._meetings[M1].hint = None  # type: ignore[assignment,method-assign]
    stage.hub.hint(Meeting(meeting_id=M1), [])


async def test_a_gap_waits_for_a_journal_that_cannot_be_read_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "RETRY_SECONDS", 0.001)
    stage = Stage()
    _, notes = await stage.join()
    read, refusals = stage.world.feed.after, [1, 2]

    async def after(meeting_id: MeetingId, sequence: int, limit: int) -> list[JournalEvent]:
        if refusals:
            refusals.pop()
            raise JournalUnavailable
        return await read(meeting_id, sequence, limit)

    stage.world.feed.after = after  # type: ignore[method-assign]
    stage.world.commit("m-1", hint=False)
    stage.world.commit("m-1")
    await eventually(lambda: notes.sequences == [0, 1, 2])
    assert refusals == []


async def test_a_hole_in_the_journal_is_no_silent_gap() -> None:
    stage = Stage()
    subscriber, notes = await stage.join()
    stage.world.commit("m-1", 2, hint=False)
    del stage.world.database.events[0]
    stage.world.commit("m-1")
    await eventually(lambda: subscriber.end_reason is End.RESTART)
    assert notes.sequences == [0]


async def test_a_position_beyond_the_journal_ends_nothing() -> None:
    stage = Stage()
    subscriber, notes = await stage.join()
    stage.hub._meetings[M1].learn(7)
    await eventually(lambda: not stage.hub._tasks)
    stage.world.commit("m-1")
    await eventually(lambda: notes.sequences == [0, 1])
    assert subscriber.end_reason is None


async def test_many_who_join_at_once_share_one_read() -> None:
    stage = Stage()
    reads = 0
    read, gate = stage.world.feed.snapshot, asyncio.Event()

    async def snapshot(meeting_id: MeetingId) -> Snapshot:
        nonlocal reads
        reads += 1
        await gate.wait()
        return await read(meeting_id)

    stage.world.feed.snapshot = snapshot  # type: ignore[method-assign]
    joining = [asyncio.create_task(stage.join()) for _ in range(10)]
    await eventually(lambda: reads == 1)
    gate.set()
    joined = await asyncio.gather(*joining)
    stage.world.commit("m-1")
    await eventually(lambda: all(notes.sequences == [0, 1] for _, notes in joined))
    assert reads == 1


@pytest.mark.parametrize("count", [3, 200])
async def test_what_happens_while_a_snapshot_is_read_follows_it(count: int) -> None:
    stage = Stage()
    await stage.join()
    read, gate, asked = stage.world.feed.snapshot, asyncio.Event(), asyncio.Event()

    async def snapshot(meeting_id: MeetingId) -> Snapshot:
        found = await read(meeting_id)
        asked.set()
        await gate.wait()
        return found

    stage.world.feed.snapshot = snapshot  # type: ignore[method-assign]
    joining = asyncio.create_task(stage.join())
    await asked.wait()
    for _ in range(count):
        stage.world.commit("m-1")
    gate.set()
    _, notes = await joining
    await eventually(lambda: notes.sequences == list(range(count + 1)))


class Unsettled(MemoryFeed):
    """Transactions from `held` on are committed, but something that began before them still runs."""

    held = 2**62

    async def position(self) -> FeedPosition:
        end = await super().position()
        return min(end, FeedPosition(self.held, "", 0))

    async def all_after(self, position: FeedPosition, limit: int) -> list[tuple[FeedPosition, JournalEvent]]:
        found = await super().all_after(position, limit)
        return [(place, event) for place, event in found if place.tx < self.held]


async def test_operators_get_what_settles_late_once_and_not_what_their_snapshot_contains() -> None:
    stage = Stage(Unsettled)
    world = stage.world
    world.commit("m-1")
    world.record("m-1")
    world.feed.held = world.database.tx + 1  # type: ignore[attr-defined]
    world.commit("m-1", 2)
    world.commit("m-2")
    _, notes = await stage.join(None)
    assert notes.sequences == [3, None]
    world.commit("m-1")
    assert notes.sequences == [3, None]
    world.feed.held = 2**62  # type: ignore[attr-defined]
    await eventually(lambda: len(notes.events) == 4)
    assert [event["id"] for event in notes.events[2:]] == ["m-2/1", "m-1/4"]
    _, again = await stage.join(None, cursor=notes.events[2]["cursor"])
    assert [event["id"] for event in again.events] == ["m-1/4"]
    await stage.hub.close(0.1)


async def test_an_operator_that_missed_nothing_goes_live_beside_one_whose_place_is_between_events() -> None:
    stage = Stage()
    _, first = await stage.join(None)
    stage.world.commit("m-1")
    await eventually(lambda: first.sequences == [None, 1])
    beside = Stage()
    beside.world.database.events, beside.world.database.tx = stage.world.database.events, stage.world.database.tx
    await beside.join(None)
    async with asyncio.timeout(5):
        _, again = await beside.join(None, cursor=first.events[1]["cursor"])
    beside.world.commit("m-2")
    await eventually(lambda: again.sequences == [1])
    await stage.hub.close(0.05)
    await beside.hub.close(0.05)


async def test_operators_outlast_a_journal_that_cannot_be_read_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everything, "POLL_SECONDS", 0.001)
    stage = Stage()
    subscriber, notes = await stage.join(None)
    read, refusals = stage.world.feed.all_after, [1, 2]

    async def all_after(position: FeedPosition, limit: int) -> list[tuple[FeedPosition, JournalEvent]]:
        if refusals:
            refusals.pop()
            raise JournalUnavailable
        return await read(position, limit)

    stage.world.feed.all_after = all_after  # type: ignore[method-assign]
    stage.world.commit("m-1", 250)
    await eventually(lambda: notes.sequences == [None, *range(1, 251)])
    assert subscriber.end_reason is None
    await stage.hub.close(0.1)


async def test_a_reader_that_fails_for_good_ends_its_streams_and_the_next_one_starts_it_again() -> None:
    stage = Stage()
    subscriber, _ = await stage.join(None)
    read = stage.world.feed.all_after

    async def fail(position: FeedPosition, limit: int) -> list[tuple[FeedPosition, JournalEvent]]:
        raise ValueError("a defect")

    stage.world.feed.all_after = fail  # type: ignore[method-assign]
    stage.world.commit("m-1")
    await eventually(lambda: subscriber.end_reason is End.UNAVAILABLE)
    stage.world.feed.all_after = read  # type: ignore[method-assign]
    _, notes = await stage.join(None)
    stage.world.commit("m-1")
    await eventually(lambda: notes.sequences == [None, 2])
    await stage.hub.close(0.1)


async def test_who_does_not_leave_in_time_is_cut() -> None:
    stage = Stage()
    _, notes = await stage.join()
    await stage.hub.close(0.05)
    assert notes.closing
    assert notes.written.endswith(b"\n\n")
    assert b"retry: " in notes.written
