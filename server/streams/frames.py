"""Events as bytes: rendered and encoded once, framed once per wire form, the same bytes for every subscriber.

Frames are written to transports directly (performance.md 1), so this module makes what aiohttp would have made: a
server's WebSocket frames, which are not masked (RFC 6455 5.2), and the chunks of a chunked body (RFC 9112 7.1).
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Generic

import orjson

from server.streams.observer import StreamObserver
from server.streams.position import P

PING = b"\x89\x00"
_TEXT, _CLOSE = 0x81, 0x88
_REASON_BYTES_MAX = 123


class Wire(IntEnum):
    """How a subscriber takes its events."""

    WEBSOCKET = 0
    SSE = 1
    SSE_PLAIN = 2
    """A body that ends with the connection: HTTP/1.0, which many proxies speak to their backends."""

    @property
    def transport(self) -> str:
        """The word for metrics and logs."""
        return "websocket" if self is Wire.WEBSOCKET else "sse"


def websocket_frame(first: int, payload: bytes) -> bytes:
    """One unmasked frame; `first` is its first byte: the final flag and the opcode."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def close_frame(code: int, reason: str) -> bytes:
    """The frame that ends a WebSocket, with the code that the page sees."""
    return websocket_frame(_CLOSE, code.to_bytes(2, "big") + reason.encode()[:_REASON_BYTES_MAX])


def body_piece(wire: Wire, text: bytes) -> bytes:
    """A piece of an SSE body as it goes over the wire."""
    return b"%x\r\n%b\r\n" % (len(text), text) if wire is Wire.SSE else text


class Frame(Generic[P]):
    """One event at one place of a stream. Nothing is rendered before somebody takes it, and nothing twice.

    `cursor` is None for events that cannot be resumed from. `meeting_id` and `sequence` are the event's own.
    """

    __slots__ = ("_json", "_observer", "_render", "_wires", "cursor", "meeting_id", "position", "sequence")

    def __init__(
        self,
        position: P,
        render: Callable[[], dict[str, Any]],
        observer: StreamObserver,
        *,
        cursor: str | None = None,
        meeting_id: str = "",
        sequence: int = 0,
    ) -> None:
        self.position: P = position
        self.cursor = cursor
        self.meeting_id = meeting_id
        self.sequence = sequence
        self._render: Callable[[], dict[str, Any]] | None = render
        self._observer = observer
        self._json = b""
        self._wires: dict[Wire, bytes] = {}

    @property
    def size(self) -> int:
        """Bytes of its JSON."""
        return len(self._text())

    def to(self, wire: Wire) -> bytes:
        """The bytes of this event in that wire form."""
        made = self._wires.get(wire)
        if made is None:
            made = self._wires[wire] = self._frame(wire)
        return made

    def _frame(self, wire: Wire) -> bytes:
        self._observer.framed(wire.transport)
        if wire is Wire.WEBSOCKET:
            return websocket_frame(_TEXT, self._text())
        field = b"" if self.cursor is None else b"id: %b\n" % self.cursor.encode()
        return body_piece(wire, b"%bdata: %b\n\n" % (field, self._text()))

    def _text(self) -> bytes:
        if self._render is not None:
            document = self._render()
            if self.cursor is not None:
                document = {**document, "cursor": self.cursor}
            self._json, self._render = orjson.dumps(document), None
            self._observer.encoded()
        return self._json


class Batch(Generic[P]):
    """Frames that leave together: one write per subscriber, joined once per wire form."""

    def __init__(self, frames: Sequence[Frame[P]]) -> None:
        self.frames: Sequence[Frame[P]] = frames
        self._wires: dict[Wire, bytes] = {}

    def to(self, wire: Wire) -> bytes:
        """The bytes of all frames in that wire form."""
        made = self._wires.get(wire)
        if made is None:
            made = self._wires[wire] = b"".join([frame.to(wire) for frame in self.frames])
        return made
