"""Notifications: the signature over the raw body, and what they say (reference 9)."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from actors.domain.commands import Notice
from actors.domain.ids import NoticeId
from clients.agora.oddities import Oddities, shape_of
from clients.agora.sense import AHEAD_MS

SIGNATURE = "Agora-Signature-V2"
TEXT_MAX = 256
INTEGER_MAX = 2**53
DEPTH_MAX = 32
TIMES_FROM_MS = 1_000_000_000_000
"""What is less, in 2001 or in seconds, is no time of an event."""
WEBHOOK = "webhook"


class NotANotice(ValueError):
    """The body is not a JSON object with a `noticeId`: it cannot be kept as a notification."""


def signature(body: bytes, secret: str) -> str:
    """The secret's HMAC-SHA256 of a body, as the header `SIGNATURE` bears it (reference 9.2)."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Whether the body bears the secret's signature; compared in constant time."""
    given = headers.get(SIGNATURE, "")
    return hmac.compare_digest(given.encode("utf-8", "replace"), signature(body, secret).encode())


def parse(body: bytes, now_ms: int) -> Notice:
    """A notification of any kind; what is missing or of another type is empty or 0. Raises NotANotice.

    A health test and an unknown kind are notifications too: they are stored and answered 200 (reference 9.1). Its time is the
    present if it tells none, or one that has not come.
    """
    return _notice(_envelope(body), now_ms)


class NoticeReader:
    """Parses, and reports what makes no sense."""

    def __init__(self, oddities: Oddities, now_ms: Callable[[], int]) -> None:
        self._oddities = oddities
        self._now_ms = now_ms

    def read(self, body: bytes) -> Notice:
        """As `parse`."""
        now_ms = self._now_ms()
        try:
            envelope = _envelope(body)
        except NotANotice as error:
            self._oddities.note(WEBHOOK, "malformed", str(error))
            raise
        kind = _oddity_of(envelope, now_ms)
        if kind is not None:
            self._oddities.note(WEBHOOK, kind, shape_of(envelope))
        return _notice(envelope, now_ms)


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotANotice("the body is not JSON") from None
    if not isinstance(envelope, dict):
        raise NotANotice("the body is not an object")
    if not _notice_id(envelope):
        raise NotANotice("there is no noticeId")
    return envelope


def _notice_id(envelope: dict[str, Any]) -> str:
    return _text(envelope.get("noticeId")) or _text(envelope.get("notificationId"))


def _notice(envelope: dict[str, Any], now_ms: int) -> Notice:
    payload = _object(envelope.get("payload"))
    times = (_integer(payload.get("sendts")), _integer(envelope.get("notifyMs")))
    return Notice(
        notice_id=NoticeId(_notice_id(envelope)),
        event_type=_integer(envelope.get("eventType")),
        sid=_text(payload.get("sid")),
        uid=_text(payload.get("uid")),
        cname=_text(payload.get("cname")),
        sequence=_integer(payload.get("sequence")),
        at_ms=next((min(at_ms, now_ms) for at_ms in times if at_ms >= TIMES_FROM_MS), now_ms),
        details=_object(_storable(payload.get("details"))),
    )


def _oddity_of(envelope: dict[str, Any], now_ms: int) -> str | None:
    """The kind of nonsense in what would be read: `fields`, or a `time` that cannot be."""
    payload = envelope.get("payload")
    if not isinstance(payload, dict) or not isinstance(payload.get("details", {}), dict):
        return "fields"
    texts = [payload.get(name) for name in ("sid", "uid", "cname")]
    numbers = [envelope.get("eventType"), payload.get("sequence"), payload.get("sendts")]
    if any(value and not _text(value) for value in texts) or any(value and not _integer(value) for value in numbers):
        return "fields"
    sent_ms = _integer(payload.get("sendts"))
    return "time" if sent_ms and not TIMES_FROM_MS <= sent_ms <= now_ms + AHEAD_MS else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """Text that can be stored: numbers in its place are taken, and U+0000 is left out."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value.replace("\0", "")[:TEXT_MAX] if isinstance(value, str) else ""


def _storable(value: Any, depth: int = 0) -> Any:
    """JSON that any database takes: without U+0000, and null in place of what is nested too deep."""
    if depth > DEPTH_MAX:
        return None
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {name.replace("\0", ""): _storable(item, depth + 1) for name, item in value.items()}
    return value


def _integer(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    known = isinstance(value, int) and not isinstance(value, bool)
    return value if known and abs(value) < INTEGER_MAX else 0
