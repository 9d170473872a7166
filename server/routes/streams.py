"""The event streams: one URL each, WebSocket and SSE (api.md 4).

A request that is refused raises a Problem: an event stream is refused by its status, a WebSocket as `server.sockets` does it.
"""

import asyncio
from collections.abc import Collection
from typing import Annotated

from aiohttp import WSMsgType, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion11
from aiohttp_sse import EventSourceResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from actors.domain.ids import MeetingId
from actors.ports import Clock
from server.auth import Principal
from server.errors import Problem, invalid
from server.fields import IN_DIGITS
from server.hub import AnySubscriber, Hub
from server.params import meeting_id_of, validation_problem
from server.policy import MEETING_STREAM, OPERATOR_STREAM, PRINCIPAL, route
from server.sockets import is_websocket, open_socket
from server.streams.frames import Wire, body_piece
from server.streams.subscriber import End, Terms

LAST_EVENT_ID = "Last-Event-ID"
_OVER = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class StreamQuery(BaseModel):
    """The query of both streams."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: str | None = None
    heartbeat: Annotated[int, Field(ge=10, le=60), IN_DIGITS] | None = None
    access_token: str | None = None


class EventStream(EventSourceResponse):
    """aiohttp-sse's response without a ping task and a formatting per client: the hub does both for all (recipe 3.6)."""

    def __init__(self, subscriber: AnySubscriber) -> None:
        super().__init__()
        self._subscriber = subscriber
        del self.headers[hdrs.CONNECTION]
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Sends the headers, the first time; aiohttp asks again when the handler has returned."""
        if self.prepared:
            return self._payload_writer
        if request.transport is None:
            raise ConnectionResetError("the client has hung up")
        self._set_tcp_user_timeout(request)
        return await web.StreamResponse.prepare(self, request)

    async def wait(self) -> None:
        """Returns when the stream has ended."""
        await self._subscriber.wait()

    def stop_streaming(self) -> None:
        """Ends the stream."""
        self._subscriber.end(End.GONE)


class StreamRoutes:
    """GET `/api/v1/meetings/{meetingId}/events` and `/api/v1/events`.

    `origins` are those whose pages may open a WebSocket, besides that of the Host header: `http.cors_origins` and the
    origin of the public URL. `leeway_seconds` is the
    authenticator's: a stream ends when its token expires; one that had expired already when it was taken lasts for
    the rest of the leeway.
    """

    def __init__(self, hub: Hub, clock: Clock, *, origins: Collection[str], leeway_seconds: float) -> None:
        self._hub = hub
        self._clock = clock
        self._origins = frozenset(origin.lower() for origin in origins)
        self._leeway_seconds = leeway_seconds

    def add_to(self, app: web.Application) -> None:
        """Adds both routes."""
        route(app, hdrs.METH_GET, "/api/v1/meetings/{meetingId}/events", self.meeting, policy=MEETING_STREAM)
        route(app, hdrs.METH_GET, "/api/v1/events", self.everything, policy=OPERATOR_STREAM)

    async def meeting(self, request: web.Request) -> web.StreamResponse:
        """One meeting's events."""
        return await self._serve(request, MeetingId(meeting_id_of(request)))

    async def everything(self, request: web.Request) -> web.StreamResponse:
        """All meetings' events, for operators."""
        return await self._serve(request, None)

    async def _serve(self, request: web.Request, meeting_id: MeetingId | None) -> web.StreamResponse:
        if not is_websocket(request):
            return await self._subscribe(request, meeting_id, _sse_wire(request))
        self._check_origin(request)
        return await self._subscribe(request, meeting_id, Wire.WEBSOCKET)

    async def _subscribe(self, request: web.Request, meeting_id: MeetingId | None, wire: Wire) -> web.StreamResponse:
        subscriber = self._hub.subscribe(meeting_id, self._terms(request, wire))
        try:
            await self._hub.open(subscriber)
            if subscriber.end_reason is not None:
                raise Problem("draining")
            if wire is Wire.WEBSOCKET:
                return await self._websocket(request, subscriber)
            return await self._event_stream(request, subscriber)
        finally:
            self._hub.leave(subscriber)

    def _terms(self, request: web.Request, wire: Wire) -> Terms:
        query = _parse(request)
        cursor = request.headers.get(LAST_EVENT_ID) or query.cursor
        principal = request[PRINCIPAL]
        return Terms(wire, cursor, self._ends_at(principal), query.heartbeat or 0, principal.sub)

    def _ends_at(self, principal: Principal) -> float:
        expired = principal.expires_at <= self._clock.now_ms() / 1000
        return principal.expires_at + (self._leeway_seconds if expired else 0)

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return
        host = request.host.lower()
        # A proxy may have taken the TLS off, so both schemes of this host are our own.
        if origin.lower() in self._origins or origin.lower() in (f"http://{host}", f"https://{host}"):
            return
        raise Problem("forbidden", "this origin is not in http.cors_origins")

    async def _event_stream(self, request: web.Request, subscriber: AnySubscriber) -> web.StreamResponse:
        response = EventStream(subscriber)
        writer = await response.prepare(request)
        transport = self._attach(request, subscriber, writer)
        transport.write(body_piece(subscriber.wire, b"retry: %d\n\n" % self._hub.retry_ms()))
        try:
            await self._hub.follow(subscriber)
            await response.wait()
            await response.write_eof()  # here, so that the stream counts until its last bytes have left
        except ConnectionError:
            subscriber.end(End.GONE)
        return response

    async def _websocket(self, request: web.Request, subscriber: AnySubscriber) -> web.StreamResponse:
        socket = open_socket()
        writer = await socket.prepare(request)
        self._attach(request, subscriber, writer)
        try:
            await self._hub.follow(subscriber)
            await self._listen(socket, subscriber)
        except ConnectionError:
            subscriber.end(End.GONE)
        return socket

    def _attach(
        self, request: web.Request, subscriber: AnySubscriber, writer: AbstractStreamWriter | None
    ) -> asyncio.Transport:
        transport = request.transport
        if transport is None or writer is None:
            raise ConnectionResetError("the client has hung up")
        self._hub.attach(subscriber, transport, writer)
        return transport

    async def _listen(self, socket: web.WebSocketResponse, subscriber: AnySubscriber) -> None:
        """Answers pings, overlooks what has no meaning here, returns when the connection is over."""
        while (message := await socket.receive()).type not in _OVER:
            subscriber.heard()
            if message.type is WSMsgType.PING and subscriber.end_reason is None:
                await socket.pong(message.data)


def _sse_wire(request: web.Request) -> Wire:
    return Wire.SSE if request.version >= HttpVersion11 else Wire.SSE_PLAIN


def _parse(request: web.Request) -> StreamQuery:
    """The query. Raises Problem 422. Not `parse_query`, which takes no value as long as a token."""
    for name in request.query:
        if len(request.query.getall(name)) > 1:
            raise invalid(f"/{name}", "this parameter stands there more than once")
    try:
        return StreamQuery.model_validate(dict(request.query))
    except ValidationError as error:
        raise validation_problem(error) from None
