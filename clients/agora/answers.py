"""What came back from the service, read without trusting it: a proxy's HTML, nothing at all, or JSON of any shape."""

from dataclasses import dataclass, field
from typing import Any

import orjson

TEXT_MAX = 200
CODE_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `code` is the service's own (reference 1.5), None from the gateway; `body` is {} if it is not an object."""

    status: int
    code: int | None = None
    reason: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    retry_after_ms: int | None = None

    @property
    def summary(self) -> str:
        """For logs and the history: status, code and reason."""
        code = "" if self.code is None else f", code {self.code}"
        return f"HTTP {self.status}{code}{': ' + self.reason if self.reason else ''}"


def read_answer(status: int, headers: Any, raw: bytes) -> Answer:
    """An answer from the raw body. Never raises."""
    body = _object(raw)
    code = body.get("code")
    return Answer(
        status=status,
        code=code if isinstance(code, int) and not isinstance(code, bool) and 0 < code < CODE_MAX else None,
        reason=_reason(body, raw),
        body=body,
        request_id=headers.get("X-Request-ID"),
        retry_after_ms=_retry_after_ms(headers.get("Retry-After")),
    )


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _reason(body: dict[str, Any], raw: bytes) -> str:
    text = body.get("reason") or body.get("message")
    if isinstance(text, str):
        return text[:TEXT_MAX]
    return "" if body else f"not JSON: {raw[:40].decode('ascii', 'replace')!r}"


def _retry_after_ms(value: str | None) -> int | None:
    return int(value) * 1000 if value is not None and value.isascii() and value.isdigit() and len(value) < 6 else None
