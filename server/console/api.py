"""A client of the interface for the command line."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import orjson

from server.console.words import clean

TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
"""Seconds; a server makes a caller wait for 25 at most."""
PATIENT = aiohttp.ClientTimeout(total=None, sock_connect=10)
"""Of what takes as long as it takes: a file that is sent or fetched, one object of many gigabytes that is read."""
LISTENING = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=300)
LINES = "application/x-ndjson"
Query = Iterable[tuple[str, str]]


class CallFailed(OSError):
    """The server could not be asked, or refused. One line for the user."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class Api:
    """Calls of a server at `url` with one token. All raise CallFailed."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(headers=self._headers, timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def page(self, meeting_id: str | None, query: Query) -> Any:
        """One page of a meeting's recordings, or of all."""
        where = "" if meeting_id is None else f"/meetings/{quote(meeting_id, safe='')}"
        return await self._call("GET", f"{where}/recordings", query)

    async def recording(self, recording_id: str) -> Any:
        return await self._call("GET", _of(recording_id))

    async def history(self, recording_id: str) -> list[Any]:
        """All of it, page by page."""
        items: list[Any] = []
        cursor: list[tuple[str, str]] = []
        while True:
            page = await self._call("GET", f"{_of(recording_id)}/history", [("limit", "500"), *cursor])
            items += page["items"]
            if page["nextCursor"] is None:
                return items
            cursor = [("cursor", page["nextCursor"])]

    async def verify(self, recording_id: str, cursor: str | None) -> Any:
        """A part of a verification. It is waited for as long as it takes: one object may hold many gigabytes."""
        query = [] if cursor is None else [("cursor", cursor)]
        return await self._call("POST", f"{_of(recording_id)}/verify", query, timeout=PATIENT)

    async def stop(self, recording_id: str, wait_seconds: int) -> Any:
        """The recording once it is over, or as it is after that time (25 s at most)."""
        prefer = f"wait={wait_seconds}" if wait_seconds else "respond-async"
        return await self._call("POST", f"{_of(recording_id)}/stop", headers={"Prefer": prefer})

    async def attach(
        self, recording_id: str, name: str | None, content: AsyncIterator[bytes], size: int, kind: str
    ) -> Any:
        """The recording once a file was added to it. `kind` is the file's type."""
        headers = {"Content-Type": kind, "Content-Length": str(size)}
        return await self._call("POST", f"{_of(recording_id)}/files", _named(name), headers, content, timeout=PATIENT)

    async def attach_from(self, recording_id: str, name: str | None, url: str) -> Any:
        """The recording once the server has fetched a file and added it."""
        headers, body = {"Content-Type": "application/json"}, orjson.dumps({"url": url})
        return await self._call("POST", f"{_of(recording_id)}/files", _named(name), headers, body, timeout=PATIENT)

    async def preflight(self) -> Any:
        """What the server finds when it looks at everything."""
        return await self._call("POST", "/preflight")

    async def sweep(self, *, delete: bool) -> AsyncGenerator[Any]:
        """What a sweep tells, line by line, for as long as it takes."""
        query, headers = {"delete": "true" if delete else "false"}, {"Accept": LINES}
        done = False
        with self._reached():
            async with self._http.post(
                f"{self._url}/api/v1/sweep", params=query, headers=headers, allow_redirects=False, timeout=LISTENING
            ) as response:
                if response.content_type != LINES:
                    _read(response.status, await response.json(content_type=None))
                    raise ValueError
                async for line in response.content:
                    told = orjson.loads(line)
                    done = "done" in told
                    if "problem" in told:
                        _read(500, told["problem"])
                    yield told
        if not done:
            raise CallFailed(f"{self._url} broke off in the middle of the sweep")

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """What goes wrong on the way, as one line."""
        try:
            yield
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CallFailed(f"{self._url} cannot be reached: {_reason(error)}; see --url") from None
        except ValueError:
            raise CallFailed(f"{self._url} does not answer as Tapedeck does; see --url") from None

    async def _call(
        self,
        method: str,
        path: str,
        query: Query = (),
        headers: dict[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        *,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> Any:
        with self._reached():
            # A redirect is not followed: it would carry the token to whoever it names.
            async with self._http.request(
                method,
                f"{self._url}/api/v1{path}",
                params=list(query),
                headers=headers,
                data=content,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                return _read(response.status, await response.json(content_type=None))


def _named(name: str | None) -> Query:
    return [] if name is None else [("name", name)]


def _of(recording_id: str) -> str:
    return f"/recordings/{quote(recording_id, safe='')}"


def _read(status: int, body: Any) -> Any:
    """The answer; raises CallFailed for a problem, and ValueError for what is neither."""
    match body:
        case {"code": str(code), "detail": str(detail)} if status >= 400:
            hint = "; see --token" if status in (401, 403) else ""
            raise CallFailed(f"{clean(detail)} ({clean(code)}){hint}", code)
        case dict() if 200 <= status < 300:
            return body
        case _:
            raise ValueError


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is not known"
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else type(error).__name__
