"""Notifications: the signature over the raw body, and what they say (reference 9)."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from actors.domain.commands import Notice
from actors.domain.ids import NoticeId

SIGNATURE = "Agora-Signature-V2"
TEXT_MAX = 256
INTEGER_MAX = 2**53
DEPTH_MAX = 32


class NotANotice(ValueError):
    """The body is not a JSON object with a `noticeId`: it cannot be kept as a notification."""


def verify(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Whether the body bears the secret's HMAC-SHA256 (reference 9.2); compared in constant time."""
    given = headers.get(SIGNATURE, "")
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def parse(body: bytes) -> Notice:
    """A notification of any kind; what is missing or of another type is empty or 0. Raises NotANotice.

    A health test and an unknown kind are notifications too: they are stored and answered 200 (reference 9.1).
    """
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotANotice("the body is not JSON") from None
    if not isinstance(envelope, dict):
        raise NotANotice("the body is not an object")
    notice_id = _text(envelope.get("noticeId")) or _text(envelope.get("notificationId"))
    if not notice_id:
        raise NotANotice("there is no noticeId")
    payload = _object(envelope.get("payload"))
    return Notice(
        notice_id=NoticeId(notice_id),
        event_type=_integer(envelope.get("eventType")),
        sid=_text(payload.get("sid")),
        uid=_text(payload.get("uid")),
        cname=_text(payload.get("cname")),
        sequence=_integer(payload.get("sequence")),
        at_ms=_integer(payload.get("sendts")) or _integer(envelope.get("notifyMs")),
        details=_object(_storable(payload.get("details"))),
    )


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
