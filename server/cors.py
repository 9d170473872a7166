"""Cross-origin requests: which pages of other origins may call this server, and what they may see (api.md 5).

An origin that is not in the list gets no header, and its browser refuses the answer. Preflight requests carry no token, so
they are answered before anybody asks for one.
"""

from collections.abc import Collection

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

EXPOSED = "Location, ETag, Retry-After, X-Request-ID, Idempotent-Replayed"
METHODS = "GET, HEAD, POST, PATCH, DELETE"
HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, Range, X-Request-ID"
PREFLIGHT_SECONDS = 7200
OPEN_PATHS = ("/api/v1/", "/media/")


def cors(app: web.Application, origins: Collection[str]) -> Middleware:
    """The middleware that answers preflights; the headers of other answers are added when they are sent."""
    allowed = frozenset(origin.lower() for origin in origins)

    def is_open(request: web.Request) -> bool:
        return bool(allowed) and request.path.startswith(OPEN_PATHS)

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        # A signal and not the middleware: streams send their headers long before their handler returns.
        if not is_open(request):
            return
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        origin = request.headers.get(hdrs.ORIGIN, "")
        if origin.lower() in allowed:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED

    @web.middleware
    async def answer_preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != hdrs.METH_OPTIONS or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
            return await handler(request)
        if request.headers.get(hdrs.ORIGIN, "").lower() not in allowed or not is_open(request):
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
                hdrs.ACCESS_CONTROL_ALLOW_HEADERS: HEADERS,
                hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_SECONDS),
            },
        )

    app.on_response_prepare.append(add_headers)
    return answer_preflights
