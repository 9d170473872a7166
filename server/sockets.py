"""WebSockets that are refused: accepted and closed with a code, since a page cannot see an HTTP status (api.md 4).

One middleware for all reasons, those of the limits and of the token too, so that no refusal escapes it.
"""

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.errors import Problem
from server.policy import POLICIES

CLOSE_SECONDS = 1.0
CLIENT_FRAME_BYTES_MAX = 4096
"""A client sends pongs; nothing of it needs to be longer."""
FORBIDDEN = 4403
_CLOSE_CODES = {
    "unauthenticated": 4401,
    "draining": 1012,
    "overloaded": 1013,
    "database_unavailable": 1013,
}
"""Any other refusal stands for as long as the request is the same: 4403."""


def is_websocket(request: web.Request) -> bool:
    """Whether an upgrade is asked for."""
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def open_socket() -> web.WebSocketResponse:
    """A WebSocket that is only written to: no compression (performance.md 3), and little is read."""
    return web.WebSocketResponse(
        compress=False, autoping=False, max_msg_size=CLIENT_FRAME_BYTES_MAX, timeout=CLOSE_SECONDS
    )


@web.middleware
async def refuse_sockets(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tells the page why: the code says what to do next, the reason is the problem's code."""
    if not is_websocket(request) or not _is_stream(request):
        return await handler(request)
    try:
        return await handler(request)
    except Problem as problem:
        socket = open_socket()
        await socket.prepare(request)
        await socket.close(code=_CLOSE_CODES.get(problem.code, FORBIDDEN), message=problem.code.encode())
        return socket


def _is_stream(request: web.Request) -> bool:
    policy = request.app[POLICIES].get(request.match_info.route)
    return policy is not None and policy.stream
