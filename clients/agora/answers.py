"""What came back from the service, read without trusting it: a proxy's HTML, nothing at all, or JSON of any shape."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

TEXT_MAX = 200
CODE_MAX = 100_000
DIGITS_MAX = 9
BYTES_MAX = 1024 * 1024
"""So much of an answer is read; it is not believed if there is more."""
OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `code` is the service's own (reference 1.5), None from the gateway; `body` is {} if it is not an object.

    `form`: what the body is: `object`, `list` (any other JSON), `html`, `text`, `empty`, or `huge`.
    """

    status: int
    code: int | None = None
    reason: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    retry_after_ms: int | None = None
    form: str = OBJECT

    @property
    def summary(self) -> str:
        """For logs and the history: status, code and reason."""
        code = "" if self.code is None else f", code {self.code}"
        return f"HTTP {self.status}{code}{': ' + self.reason if self.reason else ''}"


def read_answer(status: int, headers: Any, raw: bytes) -> Answer:
    """An answer from the raw body. Never raises."""
    form, body = _read(raw)
    code = body.get("code")
    return Answer(
        status=status,
        code=code if isinstance(code, int) and not isinstance(code, bool) and 0 < code < CODE_MAX else None,
        reason=_reason(body, raw),
        body=body,
        request_id=headers.get("X-Request-ID"),
        retry_after_ms=_retry_after_ms(headers.get("Retry-After"), headers.get("Date")),
        form=form,
    )


def _read(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Its form, and the body if that is an object."""
    if len(raw) >= BYTES_MAX:
        return "huge", {}
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _form_of(raw.lstrip()), {}
    return (OBJECT, body) if isinstance(body, dict) else ("list", {})


def _form_of(raw: bytes) -> str:
    if not raw:
        return "empty"
    return "html" if raw[:1] == b"<" else "text"


def _reason(body: dict[str, Any], raw: bytes) -> str:
    text = body.get("reason") or body.get("message")
    if isinstance(text, str):
        return text[:TEXT_MAX]
    return "" if body else f"not JSON: {raw[:40].decode('ascii', 'replace')!r}"


def _retry_after_ms(value: str | None, date: str | None) -> int | None:
    """Seconds, or a time: by the clock that answered, if it says what it shows."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return int(value[:DIGITS_MAX]) * 1000
    until, now = _time(value), _time(date) or datetime.now(UTC)
    return None if until is None else max(0, round((until - now).total_seconds() * 1000))


def _time(value: str | None) -> datetime | None:
    """A time as HTTP writes it; None if it is none."""
    try:
        time = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
