"""Commands for meetings that another node has: they go to it, and its answer goes back, as if it had been asked.

The database says who has a meeting, each time anew. A node that is handed a command hands it on to nobody: where it has not got
the meeting (any more), it says so, and the first one looks again. What got lost on the way is sent once more under the same
key, so that it is done once; a node that is dead has its meetings taken over before the patience of this ends.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict
from prometheus_client import CollectorRegistry, Counter, Histogram
from yarl import URL

from actors.errors import OwnedByAnotherNode
from server.answers import REPLAYED, unknown_outcome
from server.config import Config
from server.errors import Problem
from server.hops import HEADER, Handed, Hop, HopSigner, Unsigned
from server.idempotency import HEADER as KEY
from server.idempotency import MADE_KEY
from server.middleware import REQUEST_ID_HEADER, request_id_of
from server.params import read_body
from server.preferences import WAITED

NOT_OWNER = "Tapedeck-Not-Owner"
PAUSE_SECONDS = 0.25
_REQUEST_HEADERS = (hdrs.AUTHORIZATION, hdrs.CONTENT_TYPE, hdrs.ACCEPT, hdrs.USER_AGENT, "Prefer")
_OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
log = structlog.get_logger(__name__)


class ForwardingMetrics:
    """What became of requests that were handed to other nodes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Counter(
            "tapedeck_forwarded_requests",
            "Requests handed to another node, by outcome: answered, not_owner, refused (another secret), unreachable, broken",
            ["outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "tapedeck_forwarded_seconds",
            "Seconds until another node had answered, its caller's wait included",
            registry=registry,
        )

    def sent(self, outcome: str, seconds: float) -> None:
        """One request, and how long it took."""
        self._total.labels(outcome).inc()
        self._seconds.observe(seconds)


class Lost(Exception):
    """No answer came. `reached`: the request may have arrived all the same."""

    def __init__(self, *, reached: bool) -> None:
        super().__init__()
        self.reached = reached


@dataclass(slots=True)
class _Errand:
    """A request on its way to whoever has its meeting. `key`: by which its repetition is known."""

    request: web.Request
    began: float
    key: str
    made_key: bool
    reached: bool = False


class Forwarder:
    """Hands requests on, and takes those of others. `node` is this one's name, which is where others reach it."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        signer: HopSigner,
        node: str,
        config: Config,
        metrics: ForwardingMetrics,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._signer = signer
        self._node = node
        self._settings = config.node
        self._body_bytes_max = config.http.body_bytes_max
        self._wait_seconds_max = config.http.wait_seconds_max
        # One that is silent for so long may have lost the meeting; if not, the repetition waits there for the first.
        self._timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=config.node.forward_connect_seconds_max,
            sock_read=config.node.lease_seconds,
        )
        self._metrics = metrics
        self._now = now

    @property
    def middleware(self) -> Middleware:
        """To be put next to the handlers: whoever asks has been let in by then."""

        @web.middleware
        async def forward(request: web.Request, handler: Handler) -> web.StreamResponse:
            if HEADER in request.headers:
                return await self._take(request, handler)
            return await self._answer(request, handler)

        return forward

    async def _take(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A request that another node has handed on."""
        body = await read_body(request, self._body_bytes_max)
        handed = self._handed(request, body, request.headers.get(KEY, ""), self._node)
        try:
            hop = self._signer.verified(request.headers[HEADER], handed, round(self._now() * 1000))
        except Unsigned:
            refused = f"{HEADER} is for other nodes of this server only"
            raise Problem("invalid_signature", refused, headers={NOT_OWNER: self._node}) from None
        request[WAITED] = hop.waited_ms / 1000
        try:
            return await handler(request)
        except OwnedByAnotherNode:
            return self._not_owner()
        except Problem as problem:
            if problem.code == "draining":  # its meetings are free in a moment
                return self._not_owner()
            raise

    def _not_owner(self) -> web.Response:
        return web.Response(status=409, headers={NOT_OWNER: self._node})

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The handler's answer, once this node has the meeting, or that of the node that has it."""
        errand: _Errand | None = None
        while True:
            try:
                response = await handler(request)
            except OwnedByAnotherNode as elsewhere:
                errand = errand or self._errand(request)
                found = await self._asked(errand, elsewhere.node)
                if found is None:
                    await self._pause(errand)
                    continue
                response = found
            if errand is not None and errand.made_key:
                response.headers.popall(REPLAYED, None)
            return response

    def _errand(self, request: web.Request) -> _Errand:
        given = request.headers.get(KEY)
        if given is not None:
            return _Errand(request, self._loop_time(), given, made_key=False)
        request[MADE_KEY] = uuid4().hex
        return _Errand(request, self._loop_time(), request[MADE_KEY], made_key=True)

    async def _asked(self, errand: _Errand, node: str) -> web.Response | None:
        """The other node's answer; None if it has not got the meeting, or cannot be asked now."""
        began = self._loop_time()
        response: web.Response | None = None
        try:
            response = await self._sent(errand, node)
            outcome = _outcome_of(response)
        except Lost as lost:
            errand.reached |= lost.reached
            outcome = "broken" if lost.reached else "unreachable"
        self._metrics.sent(outcome, self._loop_time() - began)
        if outcome == "answered":
            return response
        log.warning("request.not_forwarded", node=node, outcome=outcome)
        return None

    async def _sent(self, errand: _Errand, node: str) -> web.Response:
        """Raises Lost."""
        request = errand.request
        body = await read_body(request, self._body_bytes_max)
        headers = {name: request.headers[name] for name in _REQUEST_HEADERS if name in request.headers}
        headers[REQUEST_ID_HEADER] = request_id_of(request)
        headers[KEY] = errand.key
        hop = Hop(round(self._now() * 1000), round((self._loop_time() - errand.began) * 1000))
        headers[HEADER] = self._signer.header(hop, self._handed(request, body, errand.key, node))
        target = URL(f"{node}{request.rel_url.raw_path_qs}", encoded=True)
        try:
            async with self._http.request(
                request.method, target, data=body or None, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                return _copied(answer, await answer.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL):
            raise Lost(reached=False) from None
        except (aiohttp.ClientError, OSError):
            raise Lost(reached=True) from None

    async def _pause(self, errand: _Errand) -> None:
        """Until it is worth another try. Raises the Problem with which nothing more is tried."""
        seconds = self._settings.forward_seconds_max + (self._wait_seconds_max if errand.reached else 0)
        if self._loop_time() - errand.began < seconds:
            await asyncio.sleep(PAUSE_SECONDS)
        elif errand.reached:
            raise unknown_outcome()
        else:
            raise Problem("overloaded", "the node that has this meeting does not answer; nothing was stored")

    def _handed(self, request: web.Request, body: bytes, key: str, node: str) -> Handed:
        token = request.headers.get(hdrs.AUTHORIZATION, "")
        return Handed(request.method, request.rel_url.raw_path_qs, token, key, body, node)

    def _loop_time(self) -> float:
        return asyncio.get_running_loop().time()


def _outcome_of(response: web.Response) -> str:
    if NOT_OWNER not in response.headers:
        return "answered"
    return "not_owner" if response.status == 409 else "refused"


def _copied(answer: aiohttp.ClientResponse, body: bytes) -> web.Response:
    """The same answer, on this node's connection."""
    headers = CIMultiDict(
        (name, value) for name, value in answer.headers.items() if name.lower() not in _OF_THE_CONNECTION
    )
    return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=body)
