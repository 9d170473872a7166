"""A meeting's events as Tapedeck renders them: what all peers are to deliver."""

from dataclasses import replace
from typing import Any

import orjson

from actors.domain.events import JournalEvent
from server.playback import UrlSigner
from server.render import Renderer
from server.streams.cursors import MeetingCursor, encode_cursor
from server.streams.frames import Wire, body_piece, websocket_frame
from tests.fakes.audience import World, make_recording

MEETING = "m-1"
FIRST = 100_000
"""All numbers have as many digits, so that all events have as many bytes."""
RENDERER = Renderer(UrlSigner(b"key", "http://127.0.0.1:3002"))


def journal_event(world: World) -> JournalEvent:
    """The next public event, with its recording."""
    event = world.commit(MEETING, hint=False)[0]
    return replace(event, recording=make_recording(MEETING))


def document(event: JournalEvent) -> tuple[str, str]:
    """Its cursor and its JSON."""
    cursor = encode_cursor(MeetingCursor("memory", MEETING, event.sequence or 0))
    told: dict[str, Any] = {**RENDERER.event(event, False), "cursor": cursor}
    return cursor, orjson.dumps(told).decode()


def wire_bytes(event: JournalEvent, wire: Wire) -> bytes:
    """The same, as it goes over the wire."""
    cursor, text = document(event)
    if wire is Wire.WEBSOCKET:
        return websocket_frame(0x81, text.encode())
    return body_piece(wire, f"id: {cursor}\ndata: {text}\n\n".encode())
