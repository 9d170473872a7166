"""The calls of Agora Cloud Recording in mix mode, of its channel management, and the free one that tries the credentials.

One call is one HTTP request within the provider's budget; repetition is decided elsewhere (reference 1, channel management 1, 2).
"""

import time
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
import orjson
import structlog

from clients.agora.answers import Answer
from clients.agora.banning import names_one
from clients.agora.observing import UNOBSERVED, CallObserver
from clients.agora.sending import Call, NoAnswer, NotConnected, send

log = structlog.get_logger(__name__)

MODE = "mix"
TOO_MANY = 429
SHOWN = 12
"""So much of a resource id is logged; it runs to hundreds of characters (reference 2)."""


class Budget(Protocol):
    """The provider's 10 requests a second, one for all nodes of an App ID (reference 1.4)."""

    async def slot(self, call: str) -> None:
        """Wait for a place for this kind of call. Raises JournalUnavailable: no place, no call."""
        ...

    def hold(self, seconds: float) -> None:
        """Let nothing go out for so long."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraAccount:
    """Base URL and credentials. Seconds for an ordinary call, for a synchronous stop (up to 20 s, reference 6), and for a
    kicking rule (more than 20 s, channel management 1.5); and the longest pause that a `Retry-After` is believed."""

    base_url: str
    app_id: str
    customer_id: str
    customer_secret: str
    timeout_seconds: float = 10.0
    stop_timeout_seconds: float = 30.0
    rule_timeout_seconds: float = 25.0
    retry_after_seconds_max: float = 60.0


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
        self._root = account.base_url.rstrip("/")
        self._app = quote(account.app_id, safe="")
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
        path = self._recording(_of_session(resource_id, sid, "query"))
        return await self._get("query", path, resource=resource_id[:SHOWN], sid=sid)

    async def update(self, resource_id: str, sid: str, body: dict[str, Any]) -> Answer:
        return await self._post_of_session("update", resource_id, sid, body)

    async def update_layout(self, resource_id: str, sid: str, body: dict[str, Any]) -> Answer:
        return await self._post_of_session("updateLayout", resource_id, sid, body)

    async def stop(self, resource_id: str, sid: str, cname: str, uid: str) -> Answer:
        """Synchronous: the answer comes when the files are up, or after 20 s (reference 6)."""
        body = {"cname": cname, "uid": uid, "clientRequest": {"async_stop": False}}
        return await self._post_of_session("stop", resource_id, sid, body, self._account.stop_timeout_seconds)

    async def make_rule(self, body: dict[str, Any]) -> Answer:
        """A kicking rule, as `banning.rule_body` makes it. Raises ValueError, and sends nothing, if it names no uid."""
        raw = orjson.dumps(body)
        if not names_one(raw):
            raise ValueError("a kicking rule that names no uid in a channel throws everybody out: it is not sent")
        return await self._call(
            Call(
                name="rule",
                method="POST",
                path="/dev/v1/kicking-rule",
                body=raw,
                seconds=self._account.rule_timeout_seconds,
                about={"channel": body["cname"], "uid": str(body["uid"])},
            )
        )

    async def users(self, channel: str) -> Answer:
        """Who is in a channel, up to some minutes ago (channel management 2.2, 2.3)."""
        path = f"/dev/v1/channel/user/{self._app}/{quote(channel, safe='')}"
        return await self._get("users", path, channel=channel)

    async def sender_addresses(self) -> Answer:
        """Where notifications come from (reference 9.1): a call that costs nothing, and tries the credentials."""
        return await self._get("ncs_ip", "/v1/ncs/ip")

    async def _post_of_session(
        self, name: str, resource_id: str, sid: str, body: dict[str, Any], seconds: float | None = None
    ) -> Answer:
        path = _of_session(resource_id, sid, name)
        return await self._post(name, path, body, seconds, resource=resource_id[:SHOWN], sid=sid)

    async def _post(
        self, name: str, path: str, body: dict[str, Any], seconds: float | None = None, **about: str
    ) -> Answer:
        return await self._call(
            Call(
                name=name,
                method="POST",
                path=self._recording(path),
                body=orjson.dumps(body),
                seconds=seconds or self._account.timeout_seconds,
                about={"channel": body.get("cname"), "uid": body.get("uid"), **about},
            )
        )

    async def _get(self, name: str, path: str, **about: str) -> Answer:
        return await self._call(
            Call(name=name, method="GET", path=path, seconds=self._account.timeout_seconds, about=about)
        )

    def _recording(self, path: str) -> str:
        return f"/v1/apps/{self._app}/cloud_recording{path}"

    async def _call(self, call: Call) -> Answer:
        await self._budget.slot(call.name)
        sent = time.monotonic()
        outcome = "no_answer"
        try:
            answer = self._heed(await send(self._session, call, self._root + call.path, self._headers))
            outcome = _outcome_of(answer.status)
        except (NotConnected, NoAnswer) as error:
            outcome = "no_connection" if isinstance(error, NotConnected) else "no_answer"
            log.warning("agora.unanswered", call=call.name, why=str(error), **call.about)
            raise
        finally:
            self._observe.answered(call.name, outcome, time.monotonic() - sent)
        told = {"status": answer.status, "code": answer.code, "request": answer.request_id}
        log.info("agora.answered", call=call.name, **told, **call.about)
        return answer

    def _heed(self, answer: Answer) -> Answer:
        """The pause that is asked for, within bounds. After a 429 nothing goes out before: what is refused counts too."""
        if answer.retry_after_ms is None:
            return answer
        after_ms = min(answer.retry_after_ms, round(self._account.retry_after_seconds_max * 1000))
        if answer.status == TOO_MANY:
            self._budget.hold(after_ms / 1000)
        return replace(answer, retry_after_ms=after_ms)


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
