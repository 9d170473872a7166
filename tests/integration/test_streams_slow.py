"""A reader that stops reading is cut off with bounded memory, and nobody else notices."""

import asyncio

import pytest

from server.streams import subscriber as subscriber_module
from tests.fakes.audience import EventSource, Listener, SocketListener, World, eventually, refused, serving
from tests.fakes.stalled import live_count, read_all, stalled, unsent

MEETING = "/api/v1/meetings/m-1/events"


@pytest.mark.parametrize("websocket", [True, False])
async def test_too_much_unsent_cuts_off_and_the_others_go_on(websocket: bool) -> None:
    world = World()
    async with serving(world) as node:
        token = node.token()
        healthy: list[Listener] = [SocketListener(node, MEETING, token), EventSource(node, MEETING, token)]
        for listener in healthy:
            await listener.__aenter__()
        async with stalled(node, MEETING, websocket=websocket) as connection:
            await eventually(lambda: live_count(node) == 3)
            buffered = unsent(node)
            sent = 0
            while not node.counts.slow:
                sent += 1
                assert sent < 2000
                world.commit("m-1", padding=20_000)
                for listener in healthy:
                    await listener.until(lambda listener=listener, sent=sent: listener.sequences[-1:] == [sent])  # type: ignore[misc]
                buffered += unsent(node)
            assert node.counts.slow == ["websocket" if websocket else "sse"]
            assert max(buffered) < 1048576 + 30_000
            rest = await read_all(connection)
            assert (b"\x0f\xa8too slow" in rest[-20:]) is websocket
        await eventually(lambda: sum(node.counts.open.values()) == 2)
        for listener in healthy:
            assert listener.sequences == list(range(1, sent + 1))
            await listener.hang_up()


async def test_a_little_less_is_borne_for_a_short_time_only() -> None:
    world = World()
    async with serving(world) as node, stalled(node, MEETING, websocket=True) as connection:
        await eventually(lambda: live_count(node) == 1)
        while max(unsent(node)) <= 262144:
            world.commit("m-1", padding=20_000)
            await asyncio.sleep(0)
        node.hands.later(4.9)
        node.hub.sweep()
        assert not node.counts.slow
        node.hands.later(0.1)
        node.hub.sweep()
        assert node.counts.slow == ["websocket"]
        assert b"too slow" in await read_all(connection)


async def test_who_recovers_in_time_is_kept() -> None:
    world = World()
    async with serving(world) as node, stalled(node, MEETING, websocket=True) as connection:
        await eventually(lambda: live_count(node) == 1)
        while max(unsent(node)) <= 262144:
            world.commit("m-1", padding=20_000)
            await asyncio.sleep(0)
        node.hands.later(4.9)
        reading = asyncio.create_task(read_all(connection))
        await eventually(lambda: max(unsent(node)) == 0)
        node.hands.later(1)
        node.hub.sweep()
        assert not node.counts.slow
        await node.hub.close(0.2)
        await reading


async def test_when_all_of_them_together_have_too_much_the_worst_is_cut_and_nobody_is_let_in() -> None:
    world = World()
    async with serving(world, unsent_bytes_max=300_000) as node:
        async with stalled(node, MEETING, websocket=True), stalled(node, MEETING, websocket=True):
            await eventually(lambda: live_count(node) == 2)
            while min(unsent(node)) < 100_000:
                world.commit("m-1", padding=20_000)
                await asyncio.sleep(0)
            node.hub.sweep()
            assert not node.counts.slow
            assert 200_000 <= node.counts.unsent_bytes <= 300_000
            await refused(node, 503, "overloaded", 1013)
            assert node.counts.refusals == ["unsent", "unsent"]
            while sum(unsent(node)) <= 300_000:
                world.commit("m-1", padding=20_000)
                await asyncio.sleep(0)
            node.hub.sweep()
            assert node.counts.slow == ["websocket"]
            await eventually(lambda: live_count(node) == 1 and node.counts.open["websocket"] == 1)
        await eventually(lambda: node.counts.unsent_bytes == 0, node.hub.sweep)
        async with SocketListener(node, MEETING, node.token()) as again:
            await again.until(lambda: len(again.events) == 1)


async def test_a_reader_that_stops_during_its_replay_is_cut_off_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber_module, "JOIN_SECONDS_MAX", 0.2)
    monkeypatch.setattr(subscriber_module, "FAREWELL_SECONDS", 0.1)
    world = World()
    world.commit("m-1")
    async with serving(world) as node:
        async with SocketListener(node, MEETING, node.token()) as first:
            await first.until(lambda: len(first.events) == 1)
        world.commit("m-1", 900, padding=20_000)
        async with stalled(node, f"{MEETING}?cursor={first.cursor}", websocket=False):
            await eventually(lambda: node.counts.slow == ["sse"])
            await eventually(lambda: node.counts.open == {"websocket": 0, "sse": 0})
