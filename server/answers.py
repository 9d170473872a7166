"""What handlers have in common: answers with a recording, and the errors of the actor system as problems."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from aiohttp import hdrs, web

from actors import errors
from actors.domain.model import Recording
from actors.ports import JournalUnavailable
from server.errors import Problem

REPLAYED = "Idempotent-Replayed"


@contextmanager
def as_problems() -> Iterator[None]:
    """Raises what the core could not do as the problem that a client gets."""
    try:
        yield
    except errors.CommandOutcomeUnknown:
        raise unknown_outcome() from None
    except errors.OwnedByAnotherNode:
        raise  # `server.forwarding` has the other node asked
    except (errors.ActorError, JournalUnavailable) as error:
        raise Problem(error.code if isinstance(error, errors.ActorError) else "database_unavailable") from None


def unknown_outcome() -> Problem:
    """It may be stored or not."""
    return Problem(
        "database_unavailable",
        "the command may be stored or not; repeat it with the same Idempotency-Key",
        extra={"outcome": "unknown"},
    )


def json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json", charset="utf-8", headers=headers
    )


def etag_of(recording: Recording) -> str:
    """`"<id>.<version>"`."""
    return f'"{recording.recording_id}.{recording.version}"'


def not_modified(request: web.Request, etag: str) -> bool:
    """Whether the caller has this version already (`If-None-Match`)."""
    given = ",".join(request.headers.getall(hdrs.IF_NONE_MATCH, []))
    return any(tag.strip().removeprefix("W/") in ("*", etag) for tag in given.split(",") if tag.strip())
