"""Cursors: places in a stream as opaque text that a client hands back to resume (recipe 3.5).

A cursor names the journal's identity, so that one of another history is seen, and carries a checksum, so that a
garbled one never passes for a different place. It opens nothing by itself: access is decided by the token.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson

from actors.reading import FeedPosition

CURSOR_CHARACTERS_MAX = 1024
NUMBER_MAX = 2**31 - 1
TX_MAX = 2**63 - 1
_MEETING, _FEED = "m", "f"


@dataclass(frozen=True, slots=True)
class MeetingCursor:
    """A place in a meeting's stream. `fresh`: a snapshot was owed and may not have arrived."""

    identity: str
    meeting_id: str
    sequence: int
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """A place in the stream over all meetings. `fresh`: snapshots were owed and may not all have arrived."""

    identity: str
    position: FeedPosition
    fresh: bool = False


Cursor = MeetingCursor | FeedCursor


def encode_cursor(cursor: Cursor) -> str:
    """The cursor as text of `A-Z a-z 0-9 _ -`."""
    if isinstance(cursor, MeetingCursor):
        fields: list[Any] = [_MEETING, cursor.identity, cursor.meeting_id, cursor.sequence, cursor.fresh]
    else:
        place = cursor.position
        fields = [_FEED, cursor.identity, place.tx, place.meeting_id, place.sequence, cursor.fresh]
    payload = orjson.dumps(fields)
    return _to_text(crc32(payload).to_bytes(4, "big") + payload)


def decode_cursor(text: str) -> Cursor | None:
    """The cursor that the text is; None for any other text."""
    if len(text) > CURSOR_CHARACTERS_MAX:
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if _to_text(raw) != text or crc32(raw[4:]) != int.from_bytes(raw[:4], "big"):
            return None
        return _from_fields(orjson.loads(raw[4:]))
    except (ValueError, binascii.Error):
        return None


def _to_text(raw: bytes) -> str:
    """Base64 without padding; the one spelling of these bytes that is taken."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _from_fields(fields: Any) -> Cursor | None:
    match fields:
        case [kind, str(identity), str(meeting_id), int(sequence), bool(fresh)] if kind == _MEETING:
            if _is_number(sequence, NUMBER_MAX):
                return MeetingCursor(identity, meeting_id, sequence, fresh)
        case [kind, str(identity), int(tx), str(meeting_id), int(sequence), bool(fresh)] if kind == _FEED:
            if _is_number(tx, TX_MAX) and _is_number(sequence, NUMBER_MAX) and _is_clean(meeting_id):
                return FeedCursor(identity, FeedPosition(tx, meeting_id, sequence), fresh)
    return None


def _is_number(value: int, largest: int) -> bool:
    return not isinstance(value, bool) and 0 <= value <= largest


def _is_clean(meeting_id: str) -> bool:
    # It becomes a parameter of a query: Postgres takes no U+0000. Before a meeting's first event it is empty.
    return meeting_id.isascii() and (meeting_id == "" or meeting_id.isprintable())
