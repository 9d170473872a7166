"""Requests as bytes, for what no client library would send; and what the log must not hold after them."""

import asyncio
import io
import json
import re
from dataclasses import dataclass
from http.client import HTTPMessage, parse_headers
from typing import Any

from yarl import URL

from tests.acceptance.running import SECRET, RunningServer

ANSWER_SECONDS = 20.0
MEMBERS = {"type", "title", "status", "detail", "code", "requestId", "retryable"}
JSON = "Content-Type: application/json"
SECRETS = re.compile(r"Bearer |(access_token|signature)=(?!\[redacted\])")
CHUNKED = "Transfer-Encoding: chunked"


@dataclass(frozen=True)
class Answer:
    """The first final answer on a connection."""

    status: int
    headers: HTTPMessage
    body: bytes

    def problem(self) -> dict[str, Any]:
        """The problem document, which has all its members."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        assert self.headers["Cache-Control"] == "no-store"
        problem: dict[str, Any] = json.loads(self.body)
        assert problem.keys() >= MEMBERS
        assert (problem["type"], problem["status"]) == (f"/errors/{problem['code']}", self.status)
        assert problem["requestId"] == self.headers["X-Request-ID"]
        return problem


def request(
    method: str,
    target: str | bytes,
    *headers: str | bytes,
    body: bytes = b"",
    length: bool = True,
    token: str | None = None,
    request_id: str | None = None,
) -> bytes:
    """A request of HTTP/1.1 in which nothing is escaped or checked. `length`: whether it tells its body's."""
    lines = [b"%s %s HTTP/1.1" % (method.encode(), _bytes(target)), b"Host: here", *map(_bytes, headers)]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}".encode())
    if request_id is not None:
        lines.append(f"X-Request-ID: {request_id}".encode())
    if body and length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


async def connect(server: RunningServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = URL(server.url)
    return await asyncio.open_connection(url.host, url.port, limit=2**22)


async def exchange(server: RunningServer, sent: bytes) -> Answer:
    """The answer to these bytes on a connection of their own."""
    reader, writer = await connect(server)
    try:
        writer.write(sent)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await read_answer(reader, has_body=not sent.startswith(b"HEAD "))
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader, *, has_body: bool = True) -> Answer:
    """The next answer; `100 Continue` is none."""
    status = 100
    while status == 100:
        line, _, rest = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        status = int(line.split()[1])
    headers = parse_headers(io.BytesIO(rest))
    size = int(headers["Content-Length"] or 0) if has_body else 0
    return Answer(status, headers, await reader.readexactly(size))


def log_lines(server: RunningServer) -> list[dict[str, Any]]:
    """What the server has logged so far; its banner is no part of it."""
    return [json.loads(line) for line in _logged(server).splitlines() if line.startswith("{")]


ODD = "agora.odd"
"""A signed notification that makes no sense is told, once for each shape."""


def assert_quiet_log(server: RunningServer, *secrets: str) -> None:
    """Nothing went wrong in the server, whatever it was sent, and its log gives nothing away."""
    assert "Traceback" not in _logged(server)
    lines = log_lines(server)
    worse = [line for line in lines if line["level"] not in ("debug", "info")]
    assert [line for line in worse if line["event"] != ODD] == []
    told = json.dumps(lines)
    assert SECRETS.search(told) is None
    assert [secret for secret in (SECRET, *secrets) if secret in told] == []


def _logged(server: RunningServer) -> str:
    return server.log.read_text(encoding="utf-8")
