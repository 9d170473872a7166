"""What every request passes: its id, its limits, its form of error, its access-log line, its metrics.

The order is: ranges of unknown units (outermost) > observe > refused WebSockets (`server.sockets`) > limits >
cross-origin (`server.cors`) > authorise (`server.policy`) > handler.
Whatever goes wrong inside leaves as problem+json; a bug is one log line and a 500 that says nothing about it. aiohttp's
own access log stays off.
"""

import re
import time
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import uuid4

import structlog
from aiohttp import hdrs, web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram

from server.cors import cors
from server.errors import Problem
from server.params import HTTP_SETTINGS
from server.policy import POLICIES, PRINCIPAL, authorise
from server.protection import protect
from server.settings import HttpSettings
from server.sockets import refuse_sockets

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
HUNG_UP = 499
REQUEST_ID_HEADER = "X-Request-ID"
LOGGED_CHARACTERS_MAX = 512
"""Of a path: longer than any of ours, the media's included."""
_SENT: web.RequestKey[bool] = web.RequestKey("sent", bool)
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_NOT_STORED = ("application/json", "application/problem+json", "text/event-stream")
_BODY_ERRORS = {413: "payload_too_large", 414: "uri_too_long", 415: "unsupported_media_type", 431: "headers_too_large"}
log = structlog.get_logger(__name__)


class RequestMetrics:
    """Counts and times requests by route template, so that ids in paths make no new series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Counter(
            "tapedeck_http_requests", "Requests by route and status", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "tapedeck_http_request_seconds",
            "Seconds until a request was answered, of a stream until its end",
            ["route"],
            registry=registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request that was answered."""
        self._total.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


def runner_options(http: HttpSettings) -> dict[str, Any]:
    """What `web.AppRunner` is to be given, so that these middlewares see what they decide on (recipe 3.10).

    The parser's own limits lie above `http.*_max`, since it refuses with a bare 400; it unpacks no body, since an
    encoding is refused here. aiohttp's timer of idle connections runs from one request's end to the next one's whole
    headers, so it bounds those that never end too.
    """
    return {
        "access_log": None,
        "auto_decompress": False,
        "max_line_size": 16384,
        "max_field_size": 16384,
        "keepalive_timeout": http.idle_seconds_max,
    }


def install(app: web.Application, http: HttpSettings, registry: CollectorRegistry) -> None:
    """Adds all middlewares to an application in their order. `server.policy.AUTHENTICATOR` is set by the caller."""
    app[HTTP_SETTINGS] = http
    across = cors(app, http.cors_origins)
    observer = _observer(RequestMetrics(registry))
    app.middlewares.extend([_overlook_unknown_ranges, observer, refuse_sockets, _limiter(http), across, authorise])
    app.on_response_prepare.append(_add_headers)
    protect(app)


def request_id_of(request: web.Request) -> str:
    """The caller's request id if it is one (api.md 2), else a new one; the same for the whole request."""
    if REQUEST_ID not in request:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        request[REQUEST_ID] = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    return request[REQUEST_ID]


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    # A signal and not a middleware: streams send their headers long before their handler returns.
    request[_SENT] = True
    response.headers[REQUEST_ID_HEADER] = request_id_of(request)
    if response.content_type in _NOT_STORED:
        response.headers[hdrs.CACHE_CONTROL] = "no-store"


@web.middleware
async def _overlook_unknown_ranges(request: web.Request, handler: Handler) -> web.StreamResponse:
    # RFC 9110 14.2: a range of another unit than bytes is no range; aiohttp's files would answer it with a 416.
    unit = request.headers.get(hdrs.RANGE, "bytes=").partition("=")[0]
    if unit.strip().lower() == "bytes":
        return await handler(request)
    request_id_of(request)  # the copy is to have the same
    headers = request.headers.copy()
    headers.popall(hdrs.RANGE)
    return await handler(request.clone(headers=headers))


def _observer(metrics: RequestMetrics) -> Middleware:
    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        response = await _answer(request, handler)
        seconds = time.perf_counter() - began
        template = _route_of(request)
        metrics.observe(_method_of(request), template, response.status, seconds)
        log.info("http.request", **_access(request, template, response, seconds))
        return response

    return observe


def _access(request: web.Request, template: str, response: web.StreamResponse, seconds: float) -> dict[str, Any]:
    principal = request.get(PRINCIPAL)
    return {
        "method": request.method,
        "path": _path_of(request),
        "route": template,
        "status": response.status,
        "seconds": round(seconds, 6),
        "sub": principal.sub if principal else None,
        "remote": request.remote,
        "request_id": request_id_of(request),
    }


def _path_of(request: web.Request) -> str:
    """Without the query, which may hold a token or a signature; as it was sent, so that it cannot feign another line."""
    return request.rel_url.raw_path[:LOGGED_CHARACTERS_MAX]


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"


def _method_of(request: web.Request) -> str:
    return request.method if request.method in hdrs.METH_ALL else "other"


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The handler's answer, or the problem that its failure is."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = _from_aiohttp(error)
    except Problem as error:
        problem = error
    except HttpProcessingError:
        problem = Problem("bad_request")
    except Exception as error:
        if isinstance(error, ConnectionError) and _is_gone(request):
            return _hang_up(request)
        log.exception("http.failed", method=request.method, path=_path_of(request), request_id=request_id_of(request))
        problem = Problem("internal")
    return _hang_up(request) if _SENT in request else problem.response(request_id_of(request))


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _hang_up(request: web.Request) -> web.Response:
    """Ends a connection whose caller has gone, or whose answer broke off: a cut is all that can still be said.

    The response only stands in the log, with nginx's status for it; nothing is written to a closed transport.
    """
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=HUNG_UP, reason="Connection closed")


def _from_aiohttp(error: web.HTTPException) -> Problem:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem("method_not_allowed", f"allowed here: {allowed}", headers={hdrs.ALLOW: allowed})
    if error.status == 404:
        return Problem("not_found", "there is no such address")
    if error.status >= 500:
        return Problem("internal")
    return Problem(_BODY_ERRORS.get(error.status, "bad_request"))


def _limiter(http: HttpSettings) -> Middleware:
    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        _check_uri(request, http)
        _check_headers(request, http)
        _check_body(request, http)
        return await handler(request)

    return limit


def _check_uri(request: web.Request, http: HttpSettings) -> None:
    raw = request.raw_path
    if len(raw) > http.uri_bytes_max:
        raise Problem("uri_too_long", f"the address has more than {http.uri_bytes_max} bytes")
    if "%" in raw or not raw.isascii():
        try:
            unquote_to_bytes(raw).decode()
        except UnicodeError:
            raise Problem("bad_request", "the address is not UTF-8") from None


def _check_headers(request: web.Request, http: HttpSettings) -> None:
    sizes = [len(name) + len(value) for name, value in request.raw_headers]
    if max(sizes, default=0) > http.header_bytes_max or sum(sizes) > http.headers_bytes_max:
        raise Problem("headers_too_large")


def _check_body(request: web.Request, http: HttpSettings) -> None:
    policy = request.app.get(POLICIES, {}).get(request.match_info.route)
    unbounded = policy is not None and policy.long
    if not unbounded and (request.content_length or 0) > http.body_bytes_max:
        raise Problem("payload_too_large", f"the body has more than {http.body_bytes_max} bytes")
    # aiohttp would unpack it, and a garbled one would fail in the middle of a handler.
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() not in ("", "identity"):
        raise Problem("unsupported_media_type", "bodies are taken without a Content-Encoding")
