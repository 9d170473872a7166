"""One HTTP request, sent once: a whole answer, the knowledge that nothing was sent, or the doubt that it was."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from clients.agora.answers import BYTES_MAX, Answer, read_answer


class NotConnected(Exception):
    """There was no connection: the request was not sent, so nothing was done. `resolved`: the name was."""

    def __init__(self, why: str, *, resolved: bool = True) -> None:
        super().__init__(f"no connection: {why}")
        self.resolved = resolved


class NoAnswer(Exception):
    """The request was sent, and no whole answer came: it may have been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request. `name`: what it is called in budget, metrics and logs; `about`: what a log line names it by."""

    name: str
    method: str
    path: str
    body: bytes | None = None
    seconds: float
    connect_seconds: float
    about: Mapping[str, Any] = field(default_factory=dict)


async def send(session: aiohttp.ClientSession, call: Call, url: str, headers: Mapping[str, str]) -> Answer:
    """Raises NotConnected and NoAnswer."""
    try:
        async with session.request(
            call.method,
            url,
            data=call.body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=call.seconds, connect=call.connect_seconds),
            allow_redirects=False,
            middlewares=(_once,),
        ) as response:
            return read_answer(response.status, response.headers, await _body_of(response))
    except aiohttp.ConnectionTimeoutError as error:
        raise NotConnected("it took too long") from error
    except aiohttp.ClientConnectorError as error:
        resolved = not isinstance(error, aiohttp.ClientConnectorDNSError)
        raise NotConnected(error.strerror or type(error).__name__, resolved=resolved) from error
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        raise NoAnswer(f"no answer: {type(error).__name__}") from error


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Not twice: aiohttp sends a GET again by itself when the connection is cut, and the budget would know nothing of it."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise NoAnswer(f"no answer: {type(error).__name__}") from error


async def _body_of(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, up to a limit. One read alone gives what has arrived, and the sid may be in the next packet."""
    raw = bytearray()
    async for chunk in response.content.iter_chunked(BYTES_MAX):
        raw += chunk
        if len(raw) >= BYTES_MAX:
            break
    return bytes(raw)
