"""A node with streams on a real socket, a journal in memory behind it, and clients that take down what they are told."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry

from actors.domain.event import public_type
from actors.domain.events import JournalEvent, LiveRef
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.media_events import RecordingFailed
from actors.domain.model import (
    Actor,
    ActorKind,
    EndReason,
    Failure,
    FailureCode,
    Meeting,
    Phase,
    Recording,
    RecordingSpec,
    State,
    Want,
)
from actors.reading import Snapshot
from server.auth import Authenticator, mint_token
from server.hub import Hub
from server.middleware import install, runner_options
from server.policy import AUTHENTICATOR
from server.routes.streams import StreamRoutes
from server.settings import HttpSettings, StreamSettings
from server.streams.observer import StreamObserver
from server.streams.press import Render
from tests.fakes.memory import MemoryDatabase, MemoryFeed, Row

SECRET = "the-only-secret-of-thirty-two-bytes!"
BEGIN_MS = 1_790_000_000_000
PATIENCE_SECONDS = 10.0


@dataclass
class Hands:
    """Both clocks of the hub, moved by the test."""

    wall_ms: int = BEGIN_MS
    monotonic: float = 1000.0

    def now_ms(self) -> int:
        return self.wall_ms

    def later(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)
        self.monotonic += seconds


@dataclass
class Counts(StreamObserver):
    """What the hub reported."""

    open: dict[str, int] = field(default_factory=lambda: {"websocket": 0, "sse": 0})
    slow: list[str] = field(default_factory=list)
    encodings: int = 0
    framings: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    unsent_bytes: int = 0

    def subscribers(self, transport: str, change: int) -> None:
        self.open[transport] += change

    def slow_close(self, transport: str) -> None:
        self.slow.append(transport)

    def refused(self, reason: str) -> None:
        self.refusals.append(reason)

    def unsent(self, count: int) -> None:
        self.unsent_bytes = count

    def encoded(self) -> None:
        self.encodings += 1

    def framed(self, transport: str) -> None:
        self.framings.append(transport)


def render_event(event: JournalEvent, private: bool) -> dict[str, Any]:
    """The shape of api.md 4, with as much in it as these tests look at."""
    live = event.live and {"id": event.live.recording_id, "state": event.live.state.value}
    return {
        "id": f"{event.meeting_id}/{event.sequence}",
        "source": f"/meetings/{event.meeting_id}",
        "type": public_type(event.event),
        "sequence": event.sequence,
        "data": {"live": live, "metadata": {} if private else None, "padding": event.actor.id},
    }


def render_snapshot(snapshot: Snapshot, private: bool) -> dict[str, Any]:
    live = snapshot.live and {"id": snapshot.live.recording_id}
    return {
        "id": f"{snapshot.meeting_id}/{snapshot.sequence}/snapshot",
        "source": f"/meetings/{snapshot.meeting_id}",
        "type": "recording.snapshot",
        "sequence": snapshot.sequence,
        "data": {"live": live, "metadata": {} if private else None},
    }


def make_recording(meeting_id: str) -> Recording:
    return Recording(
        recording_id=RecordingId(f"r-{meeting_id}"),
        meeting_id=MeetingId(meeting_id),
        spec=RecordingSpec(channel_name="c"),
        prefix=("a",),
        phase=Phase.ACTIVE,
        want=Want.RECORD,
        created_at_ms=BEGIN_MS,
        updated_at_ms=BEGIN_MS,
        started_by="user-1",
    )


class World:
    """The journal, which outlives nodes."""

    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.feed = MemoryFeed(self.database)
        self.hubs: list[Hub] = []

    def commit(self, meeting_id: str, count: int = 1, *, hint: bool = True, padding: int = 0) -> list[JournalEvent]:
        """So many public events in one transaction; every node gets the hint, unless it is lost."""
        key = MeetingId(meeting_id)
        row = self.database.meetings.setdefault(key, Row(Meeting(meeting_id=key)))
        before = row.state.sequence
        events = [_event(key, before + 1 + index, padding) for index in range(count)]
        self.database.tx += 1
        self.database.events.extend((self.database.tx, event) for event in events)
        row.state = Meeting(meeting_id=key, seq=before + count, sequence=before + count, live=row.state.live)
        if hint:
            for hub in self.hubs:
                hub.hint(row.state, events)
        return events

    def record(self, meeting_id: str) -> None:
        """The meeting has a live recording from now on."""
        key = MeetingId(meeting_id)
        before = self.database.meetings.get(key, Row(Meeting(meeting_id=key))).state
        after = Meeting(meeting_id=key, seq=before.seq, sequence=before.sequence, live=make_recording(meeting_id))
        self.database.meetings[key] = Row(after)


def _event(meeting_id: MeetingId, sequence: int, padding: int) -> JournalEvent:
    recording_id = RecordingId(f"r-{meeting_id}")
    failed = RecordingFailed(
        recording_id=recording_id,
        failure=Failure(FailureCode.NO_MEDIA, "nothing", retryable=False),
        end_reason=EndReason.STOP_REQUESTED,
        evidence="test",
    )
    return JournalEvent(
        meeting_id=meeting_id,
        seq=sequence,
        sequence=sequence,
        at_ms=BEGIN_MS + sequence,
        actor=Actor(ActorKind.SYSTEM, "x" * padding),
        event=failed,
        recording=None,
        live=LiveRef(recording_id, State.ACTIVE),
    )


@dataclass
class Node:
    """One server process: its hub, its address."""

    hub: Hub
    hands: Hands
    counts: Counts
    url: str
    port: int

    def token(self, *, sub: str = "user-1", ttl_seconds: int = 3600, operator: bool = False, **meetings: str) -> str:
        roles = meetings or {"*": "PARTICIPANT"}
        now = self.hands.wall_ms / 1000
        return mint_token(SECRET, sub=sub, meetings=roles, operator=operator, ttl_seconds=ttl_seconds, now=lambda: now)


@asynccontextmanager
async def serving(world: World, *, timers: bool = False, **limits: float) -> AsyncIterator[Node]:
    """A node on that journal. Without `timers` nothing is looked after but by the test's own calls of `hub.sweep`."""
    hands, counts = Hands(), Counts()
    hub = Hub(
        world.feed,
        StreamSettings(**limits),  # type: ignore[arg-type]
        Render(render_event, render_snapshot),
        hands,
        observer=counts,
        monotonic=lambda: hands.monotonic,
    )
    app = web.Application()
    # PyJWT reads the real clock, so the tokens of these tests are checked by their signature and our own expiry.
    app[AUTHENTICATOR] = FakeTimeAuthenticator(hands)
    http = HttpSettings()
    install(app, http, CollectorRegistry())
    StreamRoutes(hub, hands, origins=["https://app.example"], leeway_seconds=30).add_to(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1, **runner_options(http))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    port = runner.addresses[0][1]
    world.hubs.append(hub)
    if timers:
        hub.start()
    try:
        yield Node(hub, hands, counts, f"http://127.0.0.1:{port}", port)
    finally:
        world.hubs.remove(hub)
        await hub.close(0.5)
        await runner.cleanup()


class FakeTimeAuthenticator(Authenticator):
    """Decides on expiry by the test's clock alone."""

    def __init__(self, hands: Hands) -> None:
        super().__init__([SECRET], leeway_seconds=10**9, cache_max=100, now=lambda: hands.wall_ms / 1000)


async def eventually(condition: Callable[[], bool], step: Callable[[], object] = lambda: None) -> None:
    """Takes the step until it is so; fails after a deadline."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        met = condition()
        while not met:
            step()
            await asyncio.sleep(0.001)
            met = condition()


class Listener(ABC):
    """A client of one stream. `events` are the documents so far; `ids` the SSE ids beside them."""

    def __init__(self, node: Node, path: str, token: str, *, cursor: str | None = None, header: bool = False) -> None:
        self.events: list[dict[str, Any]] = []
        self.ids: list[str | None] = []
        self.status: int | None = None
        self.close_code: int | None = None
        self.raw = bytearray()
        self._node = node
        self._path = path
        self._headers = {"Authorization": f"Bearer {token}"}
        self._query: dict[str, str] = {}
        if cursor is not None and header:
            self._headers["Last-Event-ID"] = cursor
        elif cursor is not None:
            self._query["cursor"] = cursor
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.over = False

    def asking(self, **query: str) -> "Listener":
        self._query.update(query)
        return self

    @property
    def sequences(self) -> list[int]:
        """The numbers of the events, snapshots left out."""
        return [e["sequence"] for e in self.events if "sequence" in e and e["type"] != "recording.snapshot"]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def cursor(self) -> str:
        """The last place that can be resumed from."""
        return next(event["cursor"] for event in reversed(self.events) if "cursor" in event)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when it is so; fails after a deadline."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                self._changed.clear()
                if condition():
                    return
                await self._changed.wait()

    async def __aenter__(self) -> "Listener":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()

    async def hang_up(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            async with aiohttp.ClientSession(self._node.url) as session:
                await self._listen(session)
        finally:
            self.over = True
            self._changed.set()

    @abstractmethod
    async def _listen(self, session: aiohttp.ClientSession) -> None:
        """Take what comes until it ends."""

    def _take(self, text: str | bytes, event_id: str | None) -> None:
        self.events.append(orjson.loads(text))
        self.ids.append(event_id)
        self._changed.set()


class SocketListener(Listener):
    """Over a WebSocket."""

    pings = 0

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(
            self._path,
            headers=self._headers,
            params=self._query,
            autoping=False,
            timeout=aiohttp.ClientWSTimeout(ws_close=1),
        ) as self.socket:
            while (message := await self.socket.receive()).type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.PING):
                if message.type is aiohttp.WSMsgType.PING:
                    self.pings += 1
                    await self.socket.pong(message.data)
                    self._changed.set()
                else:
                    self._take(message.data, None)
            self.close_code = self.socket.close_code


class EventSource(Listener):
    """Over SSE."""

    retries: list[int]
    comments = 0

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        self.retries = []
        async with session.get(self._path, headers=self._headers, params=self._query) as self.response:
            self.status = self.response.status
            event_id: str | None = None
            async for line in self.response.content:
                self.raw += line
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    event_id = value
                elif name == "retry":
                    self.retries.append(int(value))
                elif name == "data":
                    self._take(value, event_id)
                    event_id = None
                elif name == ":":
                    self.comments += 1
                self._changed.set()


async def refused(node: Node, status: int, code: str, close_code: int) -> None:
    """A new subscriber of either kind is refused like this."""
    path, headers = "/api/v1/meetings/m-1/events", {"Authorization": f"Bearer {node.token()}"}
    async with aiohttp.ClientSession(node.url, headers=headers) as session:
        async with session.get(path) as response:
            problem = await response.json()
            assert (response.status, problem["code"]) == (status, code)
            assert int(response.headers["Retry-After"]) > 0
        async with session.ws_connect(path) as socket:
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == close_code
