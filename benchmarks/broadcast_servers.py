"""The peers of `broadcast` and `memory`: `python -m benchmarks.broadcast_servers PEER` prints its port.

Each line of input publishes the next event of one meeting to all who are connected. All peers render and encode an event
once; what differs is how it gets to the subscribers.
"""

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable

import uvloop
from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response
from prometheus_client import CollectorRegistry

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.domain.model import Meeting
from benchmarks.story import FIRST, MEETING, RENDERER, document, journal_event, wire_bytes
from server.auth import Authenticator
from server.hub import Hub
from server.ids import SystemClock
from server.logging import configure_logging
from server.metrics import StreamMetrics
from server.middleware import install, runner_options
from server.policy import AUTHENTICATOR
from server.routes.streams import StreamRoutes
from server.settings import HttpSettings, StreamSettings
from server.streams.frames import Wire
from server.streams.press import Render
from tests.fakes.audience import SECRET, World
from tests.fakes.memory import Row

BACKLOG = 4096


class Peer(ABC):
    """Listens on a free port, and publishes."""

    @abstractmethod
    async def listen(self) -> int: ...

    @abstractmethod
    async def publish(self, event: JournalEvent) -> None: ...


class Raw(Peer):
    """The floor: asyncio's transports, written to in a loop. No HTTP, no limit, no order, no resuming."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._transports: list[asyncio.Transport] = []

    async def listen(self) -> int:
        transports = self._transports

        class Accept(asyncio.Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                transports.append(transport)
                transport.write(b"here")

        server = await asyncio.get_running_loop().create_server(Accept, "127.0.0.1", 0, backlog=BACKLOG)
        self._server = server
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def publish(self, event: JournalEvent) -> None:
        data = wire_bytes(event, self._wire)
        for transport in self._transports:
            transport.write(data)


class Aiohttp(Peer):
    """A handler of aiohttp's for each subscriber."""

    async def listen(self) -> int:
        app = web.Application()
        app.router.add_get("/{rest:.*}", self.handle)
        return await _serve(web.AppRunner(app, access_log=None))

    @abstractmethod
    async def handle(self, request: web.Request) -> web.StreamResponse: ...


class SendStr(Aiohttp):
    """The loop of aiohttp's documentation: a broadcast is `await ws.send_str` in turn."""

    def __init__(self) -> None:
        self._sockets: list[web.WebSocketResponse] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self._sockets.append(socket)
        async for _ in socket:
            pass
        return socket

    async def publish(self, event: JournalEvent) -> None:
        _, text = document(event)
        for socket in self._sockets:
            await socket.send_str(text)


class SseSend(Aiohttp):
    """aiohttp-sse as its documentation has it: `await response.send` in turn."""

    def __init__(self) -> None:
        self._responses: list[EventSourceResponse] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        async with sse_response(request) as response:
            self._responses.append(response)
            await response.wait()
        return response

    async def publish(self, event: JournalEvent) -> None:
        cursor, text = document(event)
        for response in self._responses:
            await response.send(text, id=cursor)


class SseIdle(Aiohttp):
    """A bare streaming response that says nothing more."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b":\n\n")
        await asyncio.Event().wait()
        return response

    async def publish(self, event: JournalEvent) -> None:
        """Nothing: it is measured idle."""


class Tapedeck(Peer):
    """The product's middlewares, routes, hub and metrics on a journal in memory."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def listen(self) -> int:
        registry, clock = CollectorRegistry(), SystemClock()
        render = Render(RENDERER.event, RENDERER.snapshot)
        observer = StreamMetrics(registry)
        self._hub = Hub(self._world.feed, StreamSettings(), render, clock, observer=observer)
        app = web.Application()
        app[AUTHENTICATOR] = Authenticator([SECRET], leeway_seconds=30, cache_max=10_000)
        http = HttpSettings()
        install(app, http, registry)
        StreamRoutes(self._hub, clock, origins=[], leeway_seconds=30).add_to(app)
        self._hub.start()
        return await _serve(web.AppRunner(app, **runner_options(http)))

    async def publish(self, event: JournalEvent) -> None:
        self._hub.hint(self._world.database.meetings[MeetingId(MEETING)].state, [event])


async def _serve(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=BACKLOG).start()
    port: int = runner.addresses[0][1]
    return port


def _peers(world: World) -> dict[str, Callable[[], Peer]]:
    return {
        "raw websocket": lambda: Raw(Wire.WEBSOCKET),
        "raw sse": lambda: Raw(Wire.SSE),
        "tapedeck": lambda: Tapedeck(world),
        "aiohttp send_str": SendStr,
        "aiohttp-sse send": SseSend,
        "aiohttp sse": SseIdle,
    }


async def main(name: str) -> None:
    world, key = World(), MeetingId(MEETING)
    begun = Meeting(meeting_id=key, seq=FIRST, sequence=FIRST)
    world.database.meetings[key] = Row(begun)
    peer = _peers(world)[name]()
    print(await peer.listen(), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        await peer.publish(journal_event(world))


if __name__ == "__main__":
    configure_logging("info", "json")
    uvloop.run(main(sys.argv[1]))
