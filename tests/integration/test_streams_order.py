"""Every subscriber gets every event of its stream, in order, none twice: WebSocket, SSE and operators at once."""

import asyncio
import random
from functools import partial

import pytest

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.reading import FeedPosition, Snapshot
from tests.fakes.audience import EventSource, Listener, Node, SocketListener, World, eventually, serving
from tests.fakes.memory import MemoryDatabase, MemoryFeed

MEETING = "/api/v1/meetings/m-1/events"
ALL = "/api/v1/events"


def gapless(listener: Listener, first: int, last: int) -> bool:
    return listener.sequences == list(range(first, last + 1))


async def test_a_meeting_by_websocket_and_sse_and_the_operators_stream() -> None:
    world = World()
    world.commit("m-1", 3)
    async with serving(world) as node:
        token, operator = node.token(), node.token(operator=True)
        async with (
            SocketListener(node, MEETING, token) as socket,
            EventSource(node, MEETING, token) as source,
            EventSource(node, ALL, operator) as everything,
        ):
            await socket.until(lambda: len(socket.events) == 1)
            await source.until(lambda: len(source.events) == 1)
            await everything.until(lambda: "stream.ready" in everything.types)
            for count in (1, 2, 4):
                world.commit("m-1", count)
                world.commit("m-2")
                await asyncio.sleep(0)
            await socket.until(lambda: gapless(socket, 4, 10))
            await source.until(lambda: gapless(source, 4, 10))
            await everything.until(lambda: len(everything.sequences) == 10)
    assert socket.types[0] == source.types[0] == "recording.snapshot"
    assert socket.events[0]["sequence"] == 3
    assert socket.events == source.events
    assert source.ids == [event["cursor"] for event in source.events]
    seen = [(event["source"], event["sequence"]) for event in everything.events if "sequence" in event]
    assert [number for name, number in seen if name == "/meetings/m-1"] == [4, 5, 6, 7, 8, 9, 10]
    assert [number for name, number in seen if name == "/meetings/m-2"] == [1, 2, 3]


async def test_private_fields_are_for_operators_only() -> None:
    world = World()
    async with (
        serving(world) as node,
        SocketListener(node, MEETING, node.token(operator=True)) as member,
        SocketListener(node, ALL, node.token(operator=True)) as operator,
    ):
        await member.until(lambda: len(member.events) == 1)
        await operator.until(lambda: len(operator.events) == 1)
        world.commit("m-1")
        await member.until(lambda: len(member.events) == 2)
        await operator.until(lambda: len(operator.events) == 2)
    assert member.events[1]["data"]["metadata"] is None
    assert operator.events[1]["data"]["metadata"] == {}


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("kind", [SocketListener, EventSource])
async def test_resume_by_header_or_query(kind: type[Listener], header: bool) -> None:
    world = World()
    async with serving(world) as node:
        async with kind(node, MEETING, node.token()) as first:
            await first.until(lambda: len(first.events) == 1)
            world.commit("m-1", 2)
            await first.until(lambda: gapless(first, 1, 2))
        world.commit("m-1", 1200)
        async with kind(node, MEETING, node.token(), cursor=first.cursor, header=header) as second:
            await second.until(lambda: len(second.events) == 1200)
            world.commit("m-1")
            await second.until(lambda: gapless(second, 3, 1203))
    assert "recording.snapshot" not in second.types


async def test_the_header_beats_the_query() -> None:
    world = World()
    async with serving(world) as node:
        async with EventSource(node, MEETING, node.token()) as first:
            await first.until(lambda: len(first.events) == 1)
            world.commit("m-1", 4)
            await first.until(lambda: gapless(first, 1, 4))
        old, new = first.events[1]["cursor"], first.events[3]["cursor"]
        async with EventSource(node, MEETING, node.token(), cursor=new, header=True).asking(cursor=old) as second:
            await second.until(lambda: gapless(second, 4, 4))


async def test_resume_across_a_restart_of_the_server() -> None:
    world = World()
    async with (
        serving(world) as before,
        EventSource(before, MEETING, before.token()) as member,
        EventSource(before, ALL, before.token(operator=True)) as operator,
    ):
        await member.until(lambda: len(member.events) == 1)
        await operator.until(lambda: len(operator.events) == 1)
        world.commit("m-1", 2)
        await member.until(lambda: gapless(member, 1, 2))
        await operator.until(lambda: gapless(operator, 1, 2))
    world.commit("m-1", 3)
    async with (
        serving(world) as after,
        EventSource(after, MEETING, after.token(), cursor=member.cursor, header=True) as member,
        EventSource(after, ALL, after.token(operator=True), cursor=operator.cursor, header=True) as operator,
    ):
        world.commit("m-1")
        await member.until(lambda: gapless(member, 3, 6))
        await operator.until(lambda: gapless(operator, 3, 6))
        assert set(member.types) == set(operator.types) == {"recording.failed"}


async def test_operators_get_a_snapshot_for_each_live_recording_then_a_place_to_resume_from() -> None:
    world = World()
    for meeting in ("m-1", "m-2", "m-3"):
        world.commit(meeting, 2)
    world.record("m-1")
    world.record("m-3")
    async with serving(world) as node, EventSource(node, ALL, node.token(operator=True)) as operator:
        await operator.until(lambda: "stream.ready" in operator.types)
        assert operator.types == ["recording.snapshot", "recording.snapshot", "stream.ready"]
        assert [event["id"] for event in operator.events[:2]] == ["m-1/2/snapshot", "m-3/2/snapshot"]
        assert "sequence" not in operator.events[2]
        assert operator.ids == [event["cursor"] for event in operator.events]


async def test_who_was_cut_off_between_the_snapshots_gets_them_again_and_every_event_since() -> None:
    world = World()
    world.commit("m-1", 2)
    world.record("m-1")
    async with serving(world) as node:
        async with EventSource(node, ALL, node.token(operator=True)) as cut:
            await cut.until(lambda: "stream.ready" in cut.types)
        world.commit("m-1", 2)
        unfinished = cut.events[0]["cursor"]
        async with EventSource(node, ALL, node.token(operator=True), cursor=unfinished, header=True) as again:
            await again.until(lambda: gapless(again, 3, 4))
            assert again.types[:2] == ["recording.snapshot", "stream.ready"]


async def test_a_lost_hint_is_found_by_the_next_one_with_one_read_for_all() -> None:
    world = World()
    async with serving(world) as node:
        reads = count_reads(world)
        async with (
            SocketListener(node, MEETING, node.token()) as one,
            SocketListener(node, MEETING, node.token()) as other,
        ):
            await one.until(lambda: len(one.events) == 1)
            await other.until(lambda: len(other.events) == 1)
            reads.clear()
            world.commit("m-1", 2, hint=False)
            world.commit("m-1")
            await one.until(lambda: gapless(one, 1, 3))
            await other.until(lambda: gapless(other, 1, 3))
    assert reads == [("m-1", 0)]


async def test_a_lost_last_hint_is_found_by_the_position_check() -> None:
    world = World()
    async with serving(world) as node, SocketListener(node, MEETING, node.token()) as listener:
        await listener.until(lambda: len(listener.events) == 1)
        world.commit("m-1", 2, hint=False)
        await node.hub.check_positions()
        await listener.until(lambda: gapless(listener, 1, 2))


async def test_operators_learn_of_events_whose_hints_were_lost() -> None:
    world = World()
    async with serving(world) as node, SocketListener(node, ALL, node.token(operator=True)) as operator:
        await operator.until(lambda: "stream.ready" in operator.types)
        world.commit("m-1", 2, hint=False)
        await operator.until(lambda: gapless(operator, 1, 2))


async def test_everything_published_in_a_tick_is_encoded_and_framed_once() -> None:
    world = World()
    async with serving(world) as node:
        token = node.token()
        sockets = [SocketListener(node, MEETING, token) for _ in range(5)]
        sources = [EventSource(node, MEETING, token) for _ in range(5)]
        for listener in (*sockets, *sources):
            await listener.__aenter__()
            await listener.until(lambda listener=listener: len(listener.events) == 1)  # type: ignore[misc]
        node.counts.encodings, node.counts.framings = 0, []
        world.commit("m-1", 6)
        for listener in (*sockets, *sources):
            await listener.until(lambda listener=listener: gapless(listener, 1, 6))  # type: ignore[misc]
            await listener.hang_up()
        assert node.counts.encodings == 6
        assert sorted(node.counts.framings) == ["sse"] * 6 + ["websocket"] * 6
        async with SocketListener(node, MEETING, token, cursor=sockets[0].events[1]["cursor"]) as late:
            await late.until(lambda: gapless(late, 2, 6))
        assert node.counts.encodings == 6


@pytest.mark.parametrize("seed", range(6))
async def test_joins_leaves_and_lost_hints_at_random_moments(seed: int) -> None:
    chance = random.Random(seed)
    world = World()
    world.feed = SlowFeed(world.database, chance)
    async with serving(world) as node:
        done, here = asyncio.Event(), set[int]()
        clients = [asyncio.create_task(wander(node, world, random.Random(f"{seed} {n}"), done, here)) for n in range(8)]
        await eventually(lambda: len(here) == len(clients))
        for _ in range(150):
            world.commit("m-1", chance.randint(1, 3), hint=chance.random() < 0.7)
            if chance.random() < 0.5:
                world.commit("m-2", hint=chance.random() < 0.7)
            for _ in range(chance.randint(0, 6)):
                await asyncio.sleep(0)
        done.set()
        world.commit("m-1")
        assert await asyncio.gather(*clients) == [last_of(world)] * len(clients)


async def wander(node: Node, world: World, chance: random.Random, done: asyncio.Event, here: set[int]) -> int:
    """Comes and goes with its last cursor, and says when it is here; returns the number at which it ends."""
    kind = chance.choice([SocketListener, EventSource])
    everything = chance.random() < 0.4
    path, token = (ALL, node.token(operator=True)) if everything else (MEETING, node.token())
    cursor: str | None = None
    last: int | None = None
    while True:
        final, goal = done.is_set(), chance.randint(1, 12)
        if final and last == last_of(world):
            return last
        async with kind(node, path, token, cursor=cursor) as listener:
            await listener.until(lambda listener=listener: len(listener.events) > 0)  # type: ignore[misc]
            here.add(id(chance))
            await listener.until(partial(enough, listener, world, None if final else goal, done))
        got = mine(listener)
        assert got == list(range(got[0] if last is None and got else (last or 0) + 1, got[-1] + 1 if got else 0))
        last, cursor = (got[-1] if got else last), listener.cursor


def enough(listener: Listener, world: World, goal: int | None, done: asyncio.Event) -> bool:
    """Whether it has seen so many events, or (None) all."""
    if goal is None:
        return mine(listener)[-1:] == [last_of(world)]
    return len(listener.events) >= goal or (done.is_set() and bool(listener.events))


def mine(listener: Listener) -> list[int]:
    """What it learnt of m-1; a snapshot stands for all that it contains."""
    return [event["sequence"] for event in listener.events if event["source"] == "/meetings/m-1"]


def last_of(world: World) -> int:
    return world.database.meetings[MeetingId("m-1")].state.sequence


class SlowFeed(MemoryFeed):
    """Reads that take a while, before and after they see the journal."""

    def __init__(self, database: MemoryDatabase, chance: random.Random) -> None:
        super().__init__(database)
        self._chance = chance

    async def _pause(self) -> None:
        for _ in range(self._chance.randint(0, 5)):
            await asyncio.sleep(0)

    async def snapshot(self, meeting_id: MeetingId) -> Snapshot:
        await self._pause()
        found = await super().snapshot(meeting_id)
        await self._pause()
        return found

    async def after(self, meeting_id: MeetingId, sequence: int, limit: int) -> list[JournalEvent]:
        await self._pause()
        found = await super().after(meeting_id, sequence, limit)
        await self._pause()
        return found

    async def all_after(self, position: FeedPosition, limit: int) -> list[tuple[FeedPosition, JournalEvent]]:
        await self._pause()
        found = await super().all_after(position, limit)
        await self._pause()
        return found


def count_reads(world: World) -> list[tuple[str, int]]:
    """Every later read of missed events of one meeting: the meeting, and behind which number."""
    reads: list[tuple[str, int]] = []
    read = world.feed.after

    async def after(meeting_id: MeetingId, sequence: int, limit: int) -> list[JournalEvent]:
        reads.append((meeting_id, sequence))
        return await read(meeting_id, sequence, limit)

    world.feed.after = after  # type: ignore[method-assign]
    return reads
