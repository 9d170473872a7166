"""Logs as events: one line of JSON each, or readable text on a terminal, and never a secret in either.

Everything passes one redaction, also what libraries log through the standard library. Keys that name a secret lose
their value; texts lose what stands behind `access_token=`, `Bearer ` and the like.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
_SECRET_WORDS = frozenset(
    {"token", "tokens", "secret", "secrets", "password", "passwd", "authorization", "signature", "cookie", "credential"}
    | {"credentials", "certificate", "key", "apikey"}
)
# Names that end in `key` and are no secrets: they are what one looks for in a log.
_HARMLESS = frozenset({"storage_key", "object_key", "idempotency_key"})
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_IN_TEXT = re.compile(
    r"""(?ix)
    ( \b(?:access_token|token|secret|password|signature|sig|x-amz-signature|x-amz-security-token|x-amz-credential)=
    | \b(?:bearer|basic)\s+
    | ://[^/\s:@]*: (?=[^/\s@]+@)
    )
    [^&\s"'@,)]+"""
)
_DEPTH_MAX = 6
_INT_MAX = 2**63 - 1


def configure_logging(level: str, form: str, stream: TextIO = sys.stderr) -> None:
    """Sets up structlog and routes the standard library through it. `form`: json, console, or auto (by the stream)."""
    console = form == "console" or (form == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:-1], _plain, redact],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(console, stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    _quieten()


def _renderer(console: bool, colors: bool) -> Processor:
    if console:
        return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer(serializer=_dumps)


def _dumps(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's message becomes text at once, so that redaction sees what its arguments were."""
    event["event"] = str(event["event"])
    return event


def _quieten() -> None:
    parser = logging.getLogger("aiohttp.server")
    parser.filters = [_ParserNoise()]
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)  # it warns of what a client offers, word for word
    for name in ("asyncio", "botocore", "aiobotocore", "urllib3", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _ParserNoise(logging.Filter):
    """One line in place of the traceback that aiohttp logs for each garbled request: anybody can send one.

    The error's text quotes the request, so only its kind is told. What fails inside a handler never reaches this logger:
    the middleware has answered and logged it before.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        from aiohttp.http import HttpProcessingError  # here, since the command line sets up logs without a server

        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        structlog.get_logger(__name__).info("http.garbled", status=400, error=type(error).__name__)
        return False


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Takes secrets out of an event, at any depth."""
    return {name: REDACTED if names_secret(name) else _clean(value, 0) for name, value in event.items()}


def names_secret(name: str) -> bool:
    """Whether a key of this name holds a secret: `accessToken`, `customer_secret`, `key`, but not `storage_key`."""
    words = [word.lower() for word in _WORD.findall(name)]
    return "_".join(words) not in _HARMLESS and not _SECRET_WORDS.isdisjoint(words)


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        # A lone surrogate, from a garbled path for example, can be written in neither form.
        text = value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
        return _IN_TEXT.sub(rf"\1{REDACTED}", text)
    if isinstance(value, bool | float | None):
        return value
    if isinstance(value, int):
        return value if -_INT_MAX <= value <= _INT_MAX else str(value)  # more is no JSON number of orjson's
    if depth >= _DEPTH_MAX:
        return "..."
    if isinstance(value, Mapping):
        return {
            _clean(str(name), depth): REDACTED if names_secret(str(name)) else _clean(part, depth + 1)
            for name, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(part, depth + 1) for part in value]
    return _clean(str(value), depth)
