"""One open stream: a transport, a place, and the rules by which it is kept or ended (recipe 3.6).

No task and no queue belongs to it. What it is sent is written to its transport at once, and then the transport's
buffer is looked at: whoever lets it grow past the bound is cut off and resumes by cursor.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Protocol

from server.settings import StreamSettings
from server.streams.frames import PING, Batch, Frame, Wire, body_piece, close_frame
from server.streams.observer import StreamObserver
from server.streams.position import P

FAREWELL_SECONDS = 5.0
"""How long the last bytes may take to leave before the connection is cut."""
JOIN_SECONDS_MAX = 30.0
"""How long a subscriber may take to read one portion of what it missed."""
PORTION_BYTES = 65536
UNANSWERED_PINGS_MAX = 2
_COMMENT = b":\n\n"
NEVER = float("inf")


class End(Enum):
    """Why a stream ended: the WebSocket's close code and its reason."""

    EXPIRED = (4401, "token expired")
    SLOW = (4008, "too slow")
    RESTART = (1012, "restart")
    UNAVAILABLE = (1013, "try again later")
    GONE = (1000, "")


class Drainable(Protocol):
    """aiohttp's writer of a response."""

    async def drain(self) -> None: ...


class Home(Protocol):
    """Whoever keeps the subscriber."""

    source: str
    wrote_at: float

    def drop(self, subscriber: "Subscriber[Any]") -> None: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What the request asked for. `expires_at` is Unix seconds; `heartbeat_seconds` 0: none; `sub` is the caller's."""

    wire: Wire
    cursor: str | None
    expires_at: float
    heartbeat_seconds: int = 0
    sub: str = ""


class Subscriber(Generic[P]):
    """A subscriber from the moment it is counted to the moment it is forgotten."""

    __slots__ = (
        "_above_since",
        "_drainable",
        "_ended",
        "_observer",
        "_ping_at",
        "_settings",
        "_unanswered",
        "_wrote_at",
        "behind",
        "due",
        "end_reason",
        "home",
        "in_step",
        "opening",
        "place",
        "seen",
        "terms",
        "transport",
        "wire",
    )

    def __init__(self, home: Home, terms: Terms, place: P, settings: StreamSettings, observer: StreamObserver) -> None:
        self.home = home
        self.terms = terms
        self.wire = terms.wire
        self.place: P = place
        """It has everything up to here."""
        self.seen: dict[str, int] = {}
        """Events that its snapshots contain: the sequence by meeting (operators only)."""
        self.opening: list[Frame[P]] = []
        """What is sent before anything else."""
        self.in_step = False
        """Whether its home writes to it together with others, and its place is its home's."""
        self.behind = False
        """Whether the journal may hold more behind `place`."""
        self.end_reason: End | None = None
        self.due = NEVER
        """When it has to be looked after again, on the monotonic clock."""
        self._settings = settings
        self._observer = observer
        self.transport: asyncio.WriteTransport | None = None
        self._drainable: Drainable | None = None
        self._ended: asyncio.Future[None] | None = None
        self._above_since = NEVER
        self._ping_at = self._wrote_at = 0.0
        self._unanswered = 0

    # --- life ---

    def attach(self, transport: asyncio.WriteTransport, drainable: Drainable, now: float) -> None:
        """The response has begun: from here on it can be written to."""
        self.transport, self._drainable = transport, drainable
        self._wrote_at = now
        self._ping_at = now + self._ping_seconds
        self._plan()

    @property
    def _ping_seconds(self) -> float:
        settings = self._settings
        return settings.ping_seconds if self.wire is Wire.WEBSOCKET else settings.sse_comment_seconds

    @property
    def is_gone(self) -> bool:
        """Whether its connection has been closed under it."""
        return self.transport is not None and self.transport.is_closing()

    @property
    def unsent_bytes(self) -> int:
        """What waits in its transport."""
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    @property
    def is_ordinary(self) -> bool:
        """Whether nothing but its transport has to be looked at when it is written to."""
        return self.end_reason is None and not self.seen and self._above_since == NEVER

    def heard(self) -> None:
        """It sent something, so it is alive."""
        self._unanswered = 0

    async def wait(self) -> None:
        """Returns when the stream has ended."""
        if self.end_reason is None:
            self._ended = asyncio.get_running_loop().create_future()
            await self._ended

    def end(self, reason: End, farewell: bytes = b"") -> None:
        """Say why, send what is buffered, then close; what does not leave soon is dropped. Only the first call counts."""
        if self.end_reason is not None:
            return
        self.end_reason = reason
        self.home.drop(self)
        if reason is End.SLOW:
            self._observer.slow_close(self.wire.transport)
        if self.transport is not None and reason is not End.GONE:
            self._say_goodbye(self.transport, reason, farewell)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def abort(self) -> None:
        """Cut the connection; what is unsent is lost."""
        if self.transport is not None:
            self.transport.abort()

    def _say_goodbye(self, transport: asyncio.WriteTransport, reason: End, farewell: bytes) -> None:
        asyncio.get_running_loop().call_later(FAREWELL_SECONDS, transport.abort)
        if transport.is_closing():
            return
        if self.wire is not Wire.WEBSOCKET:
            if farewell:
                transport.write(body_piece(self.wire, farewell))
            return  # the handler wakes up, and aiohttp ends the body
        transport.write(close_frame(*reason.value))
        # Half-closed, so that what the client still sends is read and does not become a reset.
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    # --- writing ---

    def write(self, data: bytes, now: float) -> None:
        """Events, at once. Cuts itself off when too much is unsent."""
        transport = self.transport
        if transport is None or self.end_reason is not None:
            return
        if transport.is_closing():
            self.end(End.GONE)
            return
        transport.write(data)
        self._wrote_at = now
        if self.unsent_bytes > self._settings.write_buffer_peak_bytes or self._above_since != NEVER:
            self.judge(now)

    def judge(self, now: float) -> None:
        """Whether it may go on, by its transport."""
        if self.is_gone:
            self.end(End.GONE)
            return
        unsent = self.unsent_bytes
        if unsent <= self._settings.write_buffer_peak_bytes:
            self._above_since = NEVER
            return
        self._above_since = min(self._above_since, now)
        patience_over = now - self._above_since >= self._settings.write_buffer_peak_seconds
        if unsent > self._settings.write_buffer_bytes_max or patience_over:
            self.end(End.SLOW)
        self._plan()

    def deliver(self, batch: Batch[P], now: float) -> None:
        """What of the batch it has not got yet."""
        last = batch.frames[-1].position
        wanted = self.select(batch.frames)
        if wanted:
            self.write((batch if len(wanted) == len(batch.frames) else Batch(wanted)).to(self.wire), now)
        self.place = max(self.place, last)

    def select(self, frames: Sequence[Frame[P]]) -> list[Frame[P]]:
        """Those behind its place that no snapshot of its contains."""
        return [frame for frame in frames if frame.position > self.place and not self._has_seen(frame)]

    def _has_seen(self, frame: Frame[P]) -> bool:
        contained = self.seen.get(frame.meeting_id, -1)
        if contained <= frame.sequence:
            self.seen.pop(frame.meeting_id, None)  # later ones are news
        return frame.sequence <= contained

    async def send(self, frames: Sequence[Frame[P]], now: float) -> None:
        """Frames of the past, in portions, each when the one before has left.

        Raises ConnectionError if the client is gone. One that does not read is ended.
        """
        for portion in _portions(frames, self.wire):
            if self.end_reason is not None or self.transport is None or self._drainable is None:
                return
            if self.transport.is_closing():
                raise ConnectionResetError("the subscriber has gone")
            self.transport.write(portion)
            self._wrote_at = now
            try:
                async with asyncio.timeout(JOIN_SECONDS_MAX):
                    await self._drainable.drain()
            except TimeoutError:
                self.end(End.SLOW)

    # --- what the shared timer does ---

    def tend(self, now: float, heartbeat: Callable[[str], Frame[int]]) -> None:
        """Pings, heartbeats and second thoughts, when they are due."""
        transport = self.transport
        if transport is None or self.end_reason is not None:
            return
        if self._above_since != NEVER:
            self.judge(now)
        if now >= self._ping_at:
            self._ping(transport, now)
        if self._heartbeat_at <= now:
            self.write(heartbeat(self.home.source).to(self.wire), now)
        self._plan()

    def _ping(self, transport: asyncio.WriteTransport, now: float) -> None:
        self._ping_at = now + self._ping_seconds
        if self.end_reason is not None:
            return
        if self.wire is not Wire.WEBSOCKET:
            transport.write(body_piece(self.wire, _COMMENT))
        elif self._unanswered >= UNANSWERED_PINGS_MAX:
            self.end(End.GONE)
            transport.abort()
        else:
            self._unanswered += 1
            transport.write(PING)

    @property
    def _heartbeat_at(self) -> float:
        seconds = self.terms.heartbeat_seconds
        wrote_at = max(self._wrote_at, self.home.wrote_at) if self.in_step else self._wrote_at
        return wrote_at + seconds if seconds else NEVER

    def _plan(self) -> None:
        second_look = self._above_since + self._settings.write_buffer_peak_seconds
        self.due = min(self._ping_at, self._heartbeat_at, second_look)


def _portions(frames: Sequence[Frame[P]], wire: Wire) -> Iterator[bytes]:
    """The frames' bytes, joined up to a size that a transport may hold."""
    portion = bytearray()
    for frame in frames:
        portion += frame.to(wire)
        if len(portion) >= PORTION_BYTES:
            yield bytes(portion)
            portion.clear()
    if portion:
        yield bytes(portion)
