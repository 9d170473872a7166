"""The six calls of Agora Cloud Recording in mix mode, and the free one that tries the credentials (reference 1).

One call is one HTTP request within the provider's budget; repetition is decided elsewhere.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
import orjson
import structlog

from clients.agora.answers import Answer, read_answer

log = structlog.get_logger(__name__)

MODE = "mix"
ANSWER_BYTES_MAX = 1024 * 1024
SHOWN = 12
"""So much of a resource id is logged; it runs to hundreds of characters (reference 2)."""


class Budget(Protocol):
    """The provider's 10 requests a second, one for all nodes of an App ID (reference 1.4)."""

    async def slot(self, priority: bool) -> None:
        """Wait for a place; calls with priority are served before the others. Raises JournalUnavailable: no place, no call."""
        ...


class CallObserver(Protocol):
    """Counts what goes out. In seconds; `call` is the name in the path, `ncs_ip` for that of notifications."""

    def waited(self, seconds: float) -> None:
        """A request waited so long for its place in the budget."""
        ...

    def answered(self, call: str, outcome: str, seconds: float) -> None:
        """A request went out, and this is what became of it."""
        ...


class Unobserved:
    """A `CallObserver` that counts nothing."""

    def waited(self, seconds: float) -> None: ...

    def answered(self, call: str, outcome: str, seconds: float) -> None: ...


UNOBSERVED = Unobserved()


class NotConnected(Exception):
    """There was no connection: the request was not sent, so nothing was done."""


class NoAnswer(Exception):
    """The request was sent, and no whole answer came: it may have been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraAccount:
    """Base URL and credentials. Seconds for an ordinary call, and for a synchronous stop (up to 20 s, reference 6)."""

    base_url: str
    app_id: str
    customer_id: str
    customer_secret: str
    timeout_seconds: float = 10.0
    stop_timeout_seconds: float = 30.0


class AgoraClient:
    """Calls return whatever was answered; they raise NotConnected and NoAnswer, and what the budget raises."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account: AgoraAccount,
        budget: Budget,
        observe: CallObserver = UNOBSERVED,
    ) -> None:
        self._session = session
        self._account = account
        self._budget = budget
        self._observe = observe
        self._root = f"{account.base_url.rstrip('/')}/v1"
        self._base = f"{self._root}/apps/{quote(account.app_id, safe='')}/cloud_recording"
        self._headers = {
            "Authorization": aiohttp.encode_basic_auth(account.customer_id, account.customer_secret),
            "Content-Type": "application/json;charset=utf-8",
        }

    async def acquire(self, body: dict[str, Any]) -> Answer:
        return await self._post("acquire", "/acquire", body)

    async def start(self, resource_id: str, body: dict[str, Any]) -> Answer:
        path = f"/resourceid/{quote(resource_id, safe='')}/mode/{MODE}/start"
        return await self._post("start", path, body, resource=resource_id[:SHOWN])

    async def query(self, resource_id: str, sid: str) -> Answer:
        url = self._base + _of_session(resource_id, sid, "query")
        return await self._call("query", "GET", url, None, resource=resource_id[:SHOWN], sid=sid)

    async def sender_addresses(self) -> Answer:
        """Where notifications come from (reference 9.1): a call that costs nothing, and tries the credentials."""
        return await self._call("ncs_ip", "GET", f"{self._root}/ncs/ip", None)

    async def update(self, resource_id: str, sid: str, body: dict[str, Any]) -> Answer:
        return await self._post_of_session("update", resource_id, sid, body)

    async def update_layout(self, resource_id: str, sid: str, body: dict[str, Any]) -> Answer:
        return await self._post_of_session("updateLayout", resource_id, sid, body)

    async def stop(self, resource_id: str, sid: str, cname: str, uid: str) -> Answer:
        """Synchronous: the answer comes when the files are up, or after 20 s (reference 6)."""
        body = {"cname": cname, "uid": uid, "clientRequest": {"async_stop": False}}
        return await self._post_of_session("stop", resource_id, sid, body)

    async def _post_of_session(self, call: str, resource_id: str, sid: str, body: dict[str, Any]) -> Answer:
        path = _of_session(resource_id, sid, call)
        return await self._post(call, path, body, resource=resource_id[:SHOWN], sid=sid)

    async def _post(self, call: str, path: str, body: dict[str, Any], **about: str) -> Answer:
        names = {"channel": body.get("cname"), "uid": body.get("uid"), **about}
        return await self._call(call, "POST", self._base + path, orjson.dumps(body), **names)

    async def _call(self, call: str, method: str, url: str, body: bytes | None, **about: Any) -> Answer:
        asked = time.monotonic()
        await self._budget.slot(call in ("start", "stop"))
        sent = time.monotonic()
        self._observe.waited(sent - asked)
        outcome = "no_answer"
        try:
            answer = await self._request(call, method, url, body)
            outcome = _outcome_of(answer.status)
        except (NotConnected, NoAnswer) as error:
            outcome = "no_connection" if isinstance(error, NotConnected) else "no_answer"
            log.warning("agora.unanswered", call=call, why=str(error), **about)
            raise
        finally:
            self._observe.answered(call, outcome, time.monotonic() - sent)
        log.info(
            "agora.answered", call=call, status=answer.status, code=answer.code, request=answer.request_id, **about
        )
        return answer

    async def _request(self, call: str, method: str, url: str, body: bytes | None) -> Answer:
        seconds = self._account.stop_timeout_seconds if call == "stop" else self._account.timeout_seconds
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                return read_answer(response.status, response.headers, await _body_of(response))
        except aiohttp.ClientConnectorError as error:
            raise NotConnected(f"no connection: {error.strerror or type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            raise NoAnswer(f"no answer: {type(error).__name__}") from error


def _outcome_of(status: int) -> str:
    """A few words for all statuses, so that they can be a label. Query 404 is news, no refusal (reference 4.3)."""
    match status:
        case 200:
            return "ok"
        case 401 | 404 | 429:
            return {401: "unauthorized", 404: "not_found", 429: "rate_limited"}[status]
        case _ if status >= 500:
            return "error"
        case _:
            return "refused" if status >= 400 else "unclear"


def _of_session(resource_id: str, sid: str, action: str) -> str:
    return f"/resourceid/{quote(resource_id, safe='')}/sid/{quote(sid, safe='')}/mode/{MODE}/{action}"


async def _body_of(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, up to a limit. One read alone gives what has arrived, and the sid may be in the next packet."""
    raw = bytearray()
    async for chunk in response.content.iter_chunked(ANSWER_BYTES_MAX):
        raw += chunk
        if len(raw) >= ANSWER_BYTES_MAX:
            break
    return bytes(raw)
