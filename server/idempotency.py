"""`Idempotency-Key`: names a command, so that its repetition is told from another one (api.md 1)."""

import hashlib
import re

import orjson
from aiohttp import web

from actors.mailbox import CommandKey
from server.errors import Problem
from server.policy import PRINCIPAL

HEADER = "Idempotency-Key"
MADE_KEY: web.RequestKey[str] = web.RequestKey("made_key", str)
"""The key that a node has given a request of its own accord, so that it can be sent to another one twice."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def command_key(request: web.Request, body: bytes) -> CommandKey | None:
    """The key in the scope of caller, method and path; None without the header. Raises Problem 400, for the body too.

    Two bodies are the same if they say the same: order of members and white space do not count.
    """
    given = request.headers.getall(HEADER, [])
    if not given and MADE_KEY in request:
        given = [request[MADE_KEY]]
    if not given:
        return None
    if len(given) > 1 or _KEY.fullmatch(given[0]) is None:
        raise Problem("bad_request", f"{HEADER} is one value of 1 to 255 visible ASCII characters")
    scope = [request[PRINCIPAL].sub, request.method, request.path, given[0]]
    return CommandKey(_hash(orjson.dumps(scope)), _hash(_canonical(body)))


def _canonical(body: bytes) -> bytes:
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:
        # A doubled member of which only the last was looked at: NaN may hide in the first.
        raise Problem("bad_request", "the body is not JSON in UTF-8") from None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
