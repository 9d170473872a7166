"""What stands before the service: credentials, routes, rate, and the faults of the way there (reference 1.5, 7.1)."""

import asyncio
import base64
import hmac
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from clients.agora.simulator.faults import Faults
from clients.agora.simulator.rates import Rates
from clients.agora.simulator.requestlog import RequestLog
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.wire import Refused

LATE_SECONDS_MAX = 30.0
SLOW_SECONDS = (3.0, 12.0)
STRANGER = "Invalid authentication credentials"
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"

MANAGEMENT = ("rule", "users")
"""Calls of channel management: limited by account, and their errors have a message alone (channel management 1.1, 1.5)."""
BODY = web.RequestKey("body", bytes)

Call = Callable[[], Awaitable[web.Response]]
Handle = Callable[[web.Request], Awaitable[web.Response]]


class Gateway:
    """`now` is in Unix seconds."""

    def __init__(self, settings: SimulatorSettings, faults: Faults, log: RequestLog, now: Callable[[], float]) -> None:
        self._settings = settings
        self._faults = faults
        self._log = log
        self._now = now
        self._rates = Rates(now)
        self._late: set[asyncio.Task[None]] = set()

    def passing(self, call: str, handle: Handle) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler that lets requests through to the service, or not."""

        async def handler(request: web.Request) -> web.StreamResponse:
            request[BODY] = await request.read()  # before a fault may cut the connection
            return await self._pass_on(request, call, lambda: handle(request))

        return handler

    async def _pass_on(self, request: web.Request, call: str, serve: Call) -> web.StreamResponse:
        entry = self._log.begin(self._now(), call, request.path)
        refusal = self._refusal(request, call)
        fault = None if refusal is not None else self._faults.of_call(call)
        response = await self._under(fault, call, serve) if refusal is None else refusal
        self._log.end(entry, None if response is None else response.status, fault)
        if response is None and request.transport is not None:
            request.transport.abort()
        if response is not None and call in MANAGEMENT:
            response.headers["X-Request-ID"] = uuid.uuid4().hex
        return response if response is not None else web.Response()

    def refuse_route(self, request: web.Request) -> web.Response:
        """A wrong verb or path (reference 1.1)."""
        return _message(404, "no Route matched with those values")

    async def stop(self) -> None:
        for task in tuple(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    def _refusal(self, request: web.Request, call: str) -> web.Response | None:
        given = request.headers.get("Authorization")
        if given is None:
            return _message(401, "Unauthorized")
        if not self._knows(given):
            return _message(401, STRANGER)
        if self._settings.app_id not in (None, request.match_info.get("appid", self._settings.app_id)):
            return _message(401, STRANGER) if call in MANAGEMENT else _message(400, "appid is invalid")
        if call == "rule" and request.method != "GET" and request.content_type != "application/json":
            return _message(415, "the content type is not application/json")
        if not self._within_rate(request, call, given):
            return _message(429, "API rate limit exceeded")
        return None

    def _knows(self, header: str) -> bool:
        scheme, _, encoded = header.partition(" ")
        try:
            login, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        except ValueError:
            return False
        wanted = (self._settings.customer_id, self._settings.customer_secret)
        pairs = zip((login, password), wanted, strict=True)
        matches = all(want is None or hmac.compare_digest(got, want.encode()) for got, want in pairs)
        return scheme.lower() == "basic" and bool(colon) and matches

    def _within_rate(self, request: web.Request, call: str, account: str) -> bool:
        """Each App ID has its own second; in channel management each account, and there each list for itself."""
        if call == "rule":
            return self._rates.admit((call, account), self._settings.rules_per_second)
        if call == "users":
            assert request.match_info.route.resource is not None
            path = request.match_info.route.resource.canonical
            return self._rates.admit((path, account), self._settings.lists_per_second)
        return self._rates.admit((request.match_info.get("appid", ""),), self._settings.requests_per_second)

    async def _under(self, fault: str | None, call: str, serve: Call) -> web.Response | None:
        """The answer under a fault; None when the connection is to be cut."""
        match (fault or ".").split(".")[1]:
            case "request_lost":
                return None
            case "answer_lost":
                await answer(serve)
                return None
            case "late":
                self._do_late(call, serve)
                return None
            case "slow":
                await asyncio.sleep(self._faults.dice(f"{call}.slow").uniform(*SLOW_SECONDS))
                return await answer(serve)
            case "http_429":
                return _message(429, "API rate limit exceeded")
            case "http_500":
                return refused(Refused(500, None if call in MANAGEMENT else 500, "internal_error"))
            case "http_502_html":
                return web.Response(status=502, text=HTML, content_type="text/html")
            case "http_503":
                return _message(503, "service unavailable")
            case "code_65":
                if self._faults.dice(f"{call}.code_65").random() < 0.5:
                    await answer(serve)
                return refused(Refused(206, 65, "request not completed"))
            case "garbage":
                await answer(serve)
                return web.json_response(["what", {"is": "this"}])
            case _:
                return await answer(serve, fault)

    def _do_late(self, call: str, serve: Call) -> None:
        pause_seconds = self._faults.dice(f"{call}.late").uniform(0, LATE_SECONDS_MAX)  # before another request draws

        async def later() -> None:
            await asyncio.sleep(pause_seconds)
            await answer(serve)

        task = asyncio.create_task(later())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


CODES = {
    "start.code_7": Refused(201, 7, "already started"),
    "start.code_53": Refused(400, 53, "task conflict"),
    "start.code_433": Refused(400, 433, "resource expired"),
    "query.http_404": Refused(404, 404, "failed to find worker"),
    "stop.code_49": Refused(400, 49, "invalid operation"),
    "stop.code_50": Refused(500, 50, "upload timeout"),
    "stop.code_435": Refused(206, 435, "no recorded data"),
}
DONE_ALL_THE_SAME = ("start.code_7", "start.code_53", "stop.code_49", "stop.code_50", "stop.code_435")
"""Codes that say that something has happened: it has."""


async def answer(serve: Call, fault: str | None = None) -> web.Response:
    """The service's answer, or the one that a fault puts in its place."""
    if fault in CODES and fault not in DONE_ALL_THE_SAME:
        return refused(CODES[fault])
    try:
        response = await serve()
    except Refused as refusal:
        return refused(refusal)
    return refused(CODES[fault]) if fault in CODES else response


def refused(refusal: Refused) -> web.Response:
    """`{"code", "reason"}` (reference 1.5), or `{"message"}` where there is no code."""
    if refusal.code is None:
        return _message(refusal.status, refusal.reason)
    return web.json_response({"code": refusal.code, "reason": refusal.reason}, status=refusal.status)


def _message(status: int, text: str) -> web.Response:
    return web.json_response({"message": text}, status=status)


def json_of(request: web.Request, code: int | None = 2) -> Any:
    """The body of a request. Raises Refused with that code if it is not JSON."""
    try:
        return orjson.loads(request[BODY])
    except orjson.JSONDecodeError:
        raise Refused(400, code, "the body is not JSON") from None
