"""The bytes on the wire, as the RFCs and api.md 4 have them."""

from typing import Any

import pytest

from server.streams.frames import Batch, Frame, Wire, body_piece, close_frame, websocket_frame
from server.streams.observer import StreamObserver


def frame(document: dict[str, Any], cursor: str | None = "c1") -> Frame[int]:
    return Frame(1, lambda: document, StreamObserver(), cursor=cursor)


@pytest.mark.parametrize(
    ("size", "header"),
    [(0, "8100"), (125, "817d"), (126, "817e007e"), (65535, "817effff"), (65536, "817f0000000000010000")],
)
def test_websocket_frames_are_unmasked_with_the_shortest_length(size: int, header: str) -> None:
    made = websocket_frame(0x81, b"x" * size)
    assert made == bytes.fromhex(header) + b"x" * size


def test_a_close_frame_holds_code_and_reason() -> None:
    assert close_frame(4008, "slow") == b"\x88\x06\x0f\xa8slow"
    assert len(close_frame(1012, "é" * 200)) == 2 + 125


def test_an_event_on_the_three_wires() -> None:
    event = frame({"a": "x\ny"})
    text = b'{"a":"x\\ny","cursor":"c1"}'
    assert event.to(Wire.WEBSOCKET) == bytes((0x81, len(text))) + text
    assert event.to(Wire.SSE_PLAIN) == b"id: c1\ndata: " + text + b"\n\n"
    plain = event.to(Wire.SSE_PLAIN)
    assert event.to(Wire.SSE) == b"%x\r\n" % len(plain) + plain + b"\r\n"
    assert body_piece(Wire.SSE, b":\n\n") == b"3\r\n:\n\n\r\n"


def test_an_event_without_a_cursor_has_no_id() -> None:
    assert frame({"a": 1}, cursor=None).to(Wire.SSE_PLAIN) == b'data: {"a":1}\n\n'


def test_a_batch_is_its_frames_joined() -> None:
    one, two = frame({"a": 1}), frame({"a": 2})
    assert Batch([one, two]).to(Wire.SSE) == one.to(Wire.SSE) + two.to(Wire.SSE)


def test_nothing_is_rendered_twice() -> None:
    calls: list[int] = []
    event = Frame(1, lambda: calls.append(1) or {}, StreamObserver())  # type: ignore[func-returns-value]
    for wire in (*Wire, *Wire):
        event.to(wire)
    assert calls == [1]
