"""A proxy in front of an S3 server that fails as such servers and the ways to them do, when it is told to."""

import asyncio
import io
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import Literal

import aiohttp
from aiohttp import hdrs, web
from yarl import URL

from tests.listening import listening

Kind = Literal[
    "slow_down", "skewed", "revoked", "denied", "no_bucket", "cut_upload", "cut_answer", "answer_lost", "silent"
]
REFUSALS = {
    "slow_down": (503, "SlowDown"),
    "skewed": (403, "RequestTimeTooSkewed"),
    "revoked": (403, "InvalidAccessKeyId"),
    "denied": (403, "AccessDenied"),
    "no_bucket": (404, "NoSuchBucket"),
}
HOP = {hdrs.CONNECTION, hdrs.TRANSFER_ENCODING, hdrs.CONTENT_LENGTH, hdrs.EXPECT, hdrs.DATE, hdrs.SERVER}
FOREVER = 1_000_000
CUT_AFTER_BYTES = 100_000


@dataclass
class Fault:
    kind: Kind
    method: str | None
    query: str
    times: int
    after: int


class FaultyProxy:
    """`url` is where it listens; `seen` counts the requests by method; `struck` how often a fault has struck; `ahead_seconds`
    how far the server's clock is ahead."""

    def __init__(self, target: str, http: aiohttp.ClientSession) -> None:
        self.url = ""
        self.seen: Counter[str] = Counter()
        self.struck = 0
        self.ahead_seconds = 0.0
        self.silenced = asyncio.Event()
        self._target = target
        self._http = http
        self._faults: list[Fault] = []

    def strike(
        self, kind: Kind, *, method: str | None = None, query: str = "", times: int = FOREVER, after: int = 0
    ) -> None:
        """Let requests of that method, with that text in the query, fail so many times, but not the first `after`."""
        self._faults.append(Fault(kind, method, query, times, after))

    def heal(self) -> None:
        self._faults.clear()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen[request.method] += 1
        kind = self._drawn(request)
        if kind in REFUSALS:
            await request.read()
            return _refusal(*REFUSALS[kind])
        if kind == "cut_upload":
            await request.content.readexactly(min(CUT_AFTER_BYTES, (request.content_length or 0) // 2))
        if kind == "silent":
            self.silenced.set()
            await asyncio.Event().wait()
        if kind != "cut_upload":
            return await self._forward(request, kind)
        return _cut(request)

    def _drawn(self, request: web.Request) -> Kind | None:
        for fault in self._faults:
            if fault.method in (None, request.method) and fault.query in request.query_string and fault.times:
                if fault.after:
                    fault.after -= 1
                    return None
                fault.times -= 1
                self.struck += 1
                return fault.kind
        return None

    async def _forward(self, request: web.Request, kind: Kind | None) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.title() not in HOP}
        url = URL(self._target + request.raw_path, encoded=True)
        skipped = [hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE]
        async with self._http.request(
            request.method, url, headers=headers, data=io.BytesIO(await request.read()), skip_auto_headers=skipped
        ) as answer:
            body = await answer.read()
            told = {name: value for name, value in answer.headers.items() if name.title() not in HOP}
        if kind == "answer_lost":
            return _cut(request)
        told[hdrs.DATE] = formatdate(time.time() + self.ahead_seconds, usegmt=True)
        if kind != "cut_answer":
            return web.Response(status=answer.status, body=body, headers=told)
        response = web.StreamResponse(status=answer.status, headers={**told, hdrs.CONTENT_LENGTH: str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        return _cut(request)


def _refusal(status: int, code: str) -> web.Response:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>no</Message></Error>'
    return web.Response(status=status, text=text, content_type="application/xml")


def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def faulty_proxy(target: str) -> AsyncIterator[FaultyProxy]:
    """One that lets everything through until it is told otherwise."""
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        proxy = FaultyProxy(target, http)
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        async with listening(app) as url:
            proxy.url = url
            yield proxy
