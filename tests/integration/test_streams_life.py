"""What ends a stream, and what keeps it: expiry, pings, heartbeats, drain, hang-ups. Time is the test's own."""

import asyncio

import aiohttp
import pytest

from actors.ports import JournalUnavailable
from tests.fakes.audience import EventSource, Listener, SocketListener, World, eventually, refused, serving

MEETING = "/api/v1/meetings/m-1/events"
ALL = "/api/v1/events"


async def joined(*listeners: Listener) -> None:
    for listener in listeners:
        await listener.until(lambda listener=listener: len(listener.events) > 0)  # type: ignore[misc]


async def test_a_stream_ends_when_its_token_expires() -> None:
    world = World()
    async with serving(world) as node:
        short, long = node.token(ttl_seconds=60), node.token(ttl_seconds=120)
        async with (
            SocketListener(node, MEETING, short) as socket,
            EventSource(node, MEETING, short) as source,
            SocketListener(node, MEETING, long) as other,
        ):
            await joined(socket, source, other)
            node.hands.later(59)
            node.hub.sweep()
            world.commit("m-1")
            await other.until(lambda: other.sequences == [1])
            assert (socket.over, source.over) == (False, False)
            node.hands.later(1)
            node.hub.sweep()
            await socket.until(lambda: socket.over)
            await source.until(lambda: source.over)
            assert socket.close_code == 4401
            assert not other.over
            await eventually(lambda: node.counts.open == {"websocket": 1, "sse": 0})


async def test_a_token_within_the_leeway_lasts_for_the_rest_of_it() -> None:
    async with serving(World()) as node:
        token = node.token(ttl_seconds=60)
        node.hands.later(70)
        async with SocketListener(node, MEETING, token) as socket:
            await joined(socket)
            node.hub.sweep()
            node.hands.later(19)
            node.hub.sweep()
            assert not socket.over
            node.hands.later(1)
            node.hub.sweep()
            await socket.until(lambda: socket.close_code == 4401)


async def test_websockets_are_pinged_and_event_streams_get_comments() -> None:
    async with serving(World()) as node:
        token = node.token()
        async with SocketListener(node, MEETING, token) as socket, EventSource(node, MEETING, token) as source:
            await joined(socket, source)
            node.hands.later(14.9)
            node.hub.sweep()
            node.hands.later(0.1)
            node.hub.sweep()
            await source.until(lambda: source.comments == 1)
            assert socket.pings == 0
            node.hands.later(5)
            node.hub.sweep()
            await socket.until(lambda: socket.pings == 1)
            assert source.comments == 1
            assert "stream.heartbeat" not in socket.types + source.types


async def test_a_websocket_that_answers_no_ping_is_cut() -> None:
    async with serving(World()) as node, aiohttp.ClientSession(node.url) as session:
        url, headers = MEETING, {"Authorization": f"Bearer {node.token()}"}
        async with session.ws_connect(url, headers=headers, autoping=False) as socket:
            await socket.receive()
            for _ in range(3):
                node.hands.later(20)
                node.hub.sweep()
            while (message := await socket.receive()).type is aiohttp.WSMsgType.PING:
                pass
            assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


@pytest.mark.parametrize("kind", [SocketListener, EventSource])
@pytest.mark.parametrize("path", [MEETING, ALL])
async def test_heartbeats_come_after_so_much_silence(kind: type[Listener], path: str) -> None:
    world = World()
    async with serving(world) as node, kind(node, path, node.token(operator=True)).asking(heartbeat="10") as listener:
        await joined(listener)
        node.hands.later(9)
        world.commit("m-1")
        await listener.until(lambda: listener.sequences == [1])
        node.hands.later(9)
        node.hub.sweep()
        node.hands.later(1)
        node.hub.sweep()
        await listener.until(lambda: "stream.heartbeat" in listener.types)
        node.hands.later(10)
        node.hub.sweep()
        await listener.until(lambda: listener.types.count("stream.heartbeat") == 2)
        beat = listener.events[-1]
        assert "cursor" not in beat
        assert "sequence" not in beat
        assert beat["source"] == ("/meetings/m-1" if path == MEETING else "/meetings")
        assert listener.ids[-1] is None


async def test_a_client_that_hangs_up_is_forgotten() -> None:
    async with serving(World()) as node:
        token = node.token(operator=True)
        listeners = [kind(node, path, token) for kind in (SocketListener, EventSource) for path in (MEETING, ALL)]
        for listener in listeners:
            await listener.__aenter__()
        await joined(*listeners)
        assert node.counts.open == {"websocket": 2, "sse": 2}
        for listener in listeners:
            await listener.hang_up()
        await eventually(lambda: node.counts.open == {"websocket": 0, "sse": 0}, node.hub.sweep)
        assert node.hub._meetings == {}


async def test_the_timers_run_by_themselves() -> None:
    async with serving(World(), timers=True) as node, SocketListener(node, MEETING, node.token()) as socket:
        await joined(socket)
        node.hands.later(3600)
        await socket.until(lambda: socket.close_code == 4401)


async def test_a_restart_sends_everybody_away_with_a_word() -> None:
    async with serving(World()) as node:
        token = node.token(operator=True)
        sockets = [SocketListener(node, MEETING, token) for _ in range(30)]
        sources = [EventSource(node, path, token) for path in (MEETING, ALL) for _ in range(15)]
        everybody = [*sockets, *sources]
        await asyncio.gather(*(listener.__aenter__() for listener in everybody))
        await joined(*everybody)
        began = asyncio.get_running_loop().time()
        await node.hub.close(4.0)
        assert asyncio.get_running_loop().time() - began < 4.0
        for listener in everybody:
            await listener.until(lambda listener=listener: listener.over)  # type: ignore[misc]
        assert {socket.close_code for socket in sockets} == {1012}
        assert all(len(source.retries) == 2 for source in sources)
        assert len({source.retries[1] for source in sources}) > 1
        assert len({source.retries[0] for source in sources}) > 1
        assert node.counts.open == {"websocket": 0, "sse": 0}
        await refused(node, 503, "draining", 1012)


async def test_there_is_a_limit_of_subscribers() -> None:
    async with serving(World(), subscribers_max=1) as node, SocketListener(node, MEETING, node.token()) as socket:
        await joined(socket)
        await refused(node, 503, "overloaded", 1013)
        assert node.counts.refusals == ["node", "node"]
    assert not socket.events[1:]


async def test_there_is_a_limit_for_each_caller() -> None:
    async with serving(World(), subscribers_per_principal_max=1) as node:
        async with SocketListener(node, MEETING, node.token()) as first:
            await joined(first)
            await refused(node, 503, "overloaded", 1013)
            assert node.counts.refusals == ["principal", "principal"]
            async with SocketListener(node, MEETING, node.token(sub="user-2")) as second:
                await joined(second)
        await eventually(lambda: not sum(node.counts.open.values()))
        async with SocketListener(node, MEETING, node.token()) as again:
            await joined(again)


async def test_a_database_in_trouble_refuses_and_leaves_nobody_behind() -> None:
    world = World()

    async def fail(*_: object) -> None:
        raise JournalUnavailable

    world.feed.snapshot = fail  # type: ignore[assignment,method-assign]
    async with serving(world) as node:
        await refused(node, 503, "database_unavailable", 1013)
        assert node.counts.open == {"websocket": 0, "sse": 0}
