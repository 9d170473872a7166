"""The calls of Agora Cloud Recording in mix mode, of its channel management, and the free one that tries the credentials.

One call is one HTTP request within the provider's budget; repetition is decided elsewhere (reference 1, channel management 1, 2).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson

from clients.agora.answers import Answer
from clients.agora.banning import names_one
from clients.agora.domains import Domains, candidates
from clients.agora.line import Budget, Line
from clients.agora.observing import UNOBSERVED, CallObserver
from clients.agora.sending import Call

MODE = "mix"
SHOWN = 12
"""So much of a resource id is logged; it runs to hundreds of characters (reference 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraAccount:
    """Where the service is, the credentials, and the patience with it: each is a setting of `[agora]`.

    A synchronous stop takes up to 20 s (reference 6), a kicking rule more (channel management 1.5). `area`: whose region hosts may
    stand in for the base URL.
    """

    base_url: str
    app_id: str
    customer_id: str
    customer_secret: str
    area: str | None = None
    timeout_seconds: float = 10.0
    connect_timeout_seconds: float = 3.0
    stop_timeout_seconds: float = 30.0
    rule_timeout_seconds: float = 25.0
    retry_after_seconds_max: float = 60.0
    domain_failures_max: int = 2
    domain_pause_seconds: float = 30.0


class AgoraClient:
    """Calls return whatever was answered; they raise NotConnected and NoAnswer, and what the budget raises."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account: AgoraAccount,
        budget: Budget,
        observe: CallObserver = UNOBSERVED,
    ) -> None:
        self._account = account
        self._app = quote(account.app_id, safe="")
        domains = Domains(
            candidates(account.base_url, account.area),
            observe,
            time.monotonic,
            failures_max=account.domain_failures_max,
            pause_seconds=account.domain_pause_seconds,
        )
        self._line = Line(session, _headers(account), domains, budget, observe, account.retry_after_seconds_max)

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
        about = {"channel": body["cname"], "uid": str(body["uid"])}
        return await self._call("rule", "/dev/v1/kicking-rule", raw, self._account.rule_timeout_seconds, about)

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
        names = {"channel": body.get("cname"), "uid": body.get("uid"), **about}
        return await self._call(name, self._recording(path), orjson.dumps(body), seconds, names)

    async def _get(self, name: str, path: str, **about: str) -> Answer:
        return await self._call(name, path, None, None, about)

    async def _call(
        self, name: str, path: str, body: bytes | None, seconds: float | None, about: Mapping[str, Any]
    ) -> Answer:
        """A POST if there is a body."""
        return await self._line.call(
            Call(
                name=name,
                method="GET" if body is None else "POST",
                path=path,
                body=body,
                seconds=seconds or self._account.timeout_seconds,
                connect_seconds=self._account.connect_timeout_seconds,
                about=about,
            )
        )

    def _recording(self, path: str) -> str:
        return f"/v1/apps/{self._app}/cloud_recording{path}"


def _headers(account: AgoraAccount) -> dict[str, str]:
    return {
        "Authorization": aiohttp.encode_basic_auth(account.customer_id, account.customer_secret),
        "Content-Type": "application/json;charset=utf-8",
    }


def _of_session(resource_id: str, sid: str, action: str) -> str:
    return f"/resourceid/{quote(resource_id, safe='')}/sid/{quote(sid, safe='')}/mode/{MODE}/{action}"
