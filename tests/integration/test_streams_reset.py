"""A cursor that cannot be served is answered with `stream.reset` and a snapshot: never with a silent gap."""

import pytest

from actors.reading import FeedPosition
from server.streams.cursors import FeedCursor, MeetingCursor, encode_cursor
from tests.fakes.audience import EventSource, Listener, SocketListener, World, serving
from tests.fakes.memory import MemoryFeed

MEETING = "/api/v1/meetings/m-1/events"
ALL = "/api/v1/events"
BAD_FOR_A_MEETING = {
    "garbled": "not-a-cursor",
    "of another meeting": encode_cursor(MeetingCursor("memory", "m-2", 1)),
    "of another journal": encode_cursor(MeetingCursor("restored", "m-1", 1)),
    "from the future": encode_cursor(MeetingCursor("memory", "m-1", 6)),
    "of the operators": encode_cursor(FeedCursor("memory", FeedPosition(1, "m-1", 1))),
    "endless": "A" * 3000,
    "not ASCII": "é\N{PILE OF POO}",
}
BAD_FOR_OPERATORS = {
    "garbled": "AAAA",
    "of a meeting": encode_cursor(MeetingCursor("memory", "m-1", 1)),
    "of another journal": encode_cursor(FeedCursor("restored", FeedPosition(1, "m-1", 1))),
    "from the future": encode_cursor(FeedCursor("memory", FeedPosition(99, "m-1", 1))),
}


@pytest.mark.parametrize("kind", [SocketListener, EventSource])
@pytest.mark.parametrize("why", BAD_FOR_A_MEETING)
async def test_a_meeting(kind: type[Listener], why: str) -> None:
    world = World()
    world.commit("m-1", 5)
    async with serving(world) as node, kind(node, MEETING, node.token(), cursor=BAD_FOR_A_MEETING[why]) as listener:
        await listener.until(lambda: len(listener.events) == 2)
        world.commit("m-1")
        await listener.until(lambda: len(listener.events) == 3)
    assert listener.types == ["stream.reset", "recording.snapshot", "recording.failed"]
    assert "sequence" not in listener.events[0]
    assert [event["sequence"] for event in listener.events[1:]] == [5, 6]
    if kind is EventSource:
        assert listener.ids == [event["cursor"] for event in listener.events]


@pytest.mark.parametrize("why", BAD_FOR_OPERATORS)
async def test_operators(why: str) -> None:
    world = World()
    world.commit("m-1", 5)
    world.record("m-1")
    async with serving(world) as node:
        token = node.token(operator=True)
        async with EventSource(node, ALL, token, cursor=BAD_FOR_OPERATORS[why], header=True) as listener:
            await listener.until(lambda: len(listener.events) == 3)
            world.commit("m-1")
            await listener.until(lambda: len(listener.events) == 4)
    assert listener.types == ["stream.reset", "recording.snapshot", "stream.ready", "recording.failed"]
    assert listener.ids == [event["cursor"] for event in listener.events]


async def test_a_history_that_begins_later_than_the_cursor() -> None:
    world = World()
    world.commit("m-1", 5)
    world.database.events = world.database.events[3:]
    async with serving(world) as node:
        cursor = encode_cursor(MeetingCursor("memory", "m-1", 2))
        async with SocketListener(node, MEETING, node.token(), cursor=cursor) as listener:
            await listener.until(lambda: len(listener.events) == 2)
    assert listener.types == ["stream.reset", "recording.snapshot"]


async def test_a_reset_can_itself_be_resumed_from() -> None:
    world = World()
    world.commit("m-1", 2)
    async with serving(world) as node:
        async with EventSource(node, MEETING, node.token(), cursor="bad") as first:
            await first.until(lambda: len(first.events) == 2)
        async with EventSource(node, MEETING, node.token(), cursor=str(first.ids[0]), header=True) as second:
            await second.until(lambda: len(second.events) == 1)
    assert second.types == ["recording.snapshot"]


async def test_another_history_resets_both_streams() -> None:
    world = World()
    world.commit("m-1", 2)
    async with serving(world) as node:
        async with SocketListener(node, MEETING, node.token()) as member:
            await member.until(lambda: len(member.events) == 1)
        async with SocketListener(node, ALL, node.token(operator=True)) as operator:
            await operator.until(lambda: len(operator.events) == 1)
    world.feed = MemoryFeed(world.database, "restored")
    async with (
        serving(world) as node,
        SocketListener(node, MEETING, node.token(), cursor=member.cursor) as member,
        SocketListener(node, ALL, node.token(operator=True), cursor=operator.cursor) as operator,
    ):
        await member.until(lambda: len(member.events) == 2)
        await operator.until(lambda: len(operator.events) == 2)
    assert member.types[0] == operator.types[0] == "stream.reset"
