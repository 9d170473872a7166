"""The provider's notifications: verified over the raw body, stored, answered; applied afterwards (recipe 3.8)."""

from collections.abc import Callable, Mapping

import structlog
from aiohttp import hdrs, web

from actors.domain.commands import Notice
from actors.ports import Clock, Inbox
from actors.system import ActorSystem
from server.answers import as_problems, json
from server.errors import Problem
from server.metrics import WebhookMetrics
from server.params import read_body
from server.policy import SIGNED, route

log = structlog.get_logger(__name__)

Verify = Callable[[bytes, Mapping[str, str]], bool]
Parse = Callable[[bytes], Notice]
"""Raises ValueError for what is no notification."""
TEST_NOTICES = "tapedeck-preflight-"
"""Ids of notifications that a server sends to itself, to see whether they arrive."""


class WebhookRoutes:
    """`verify` is None when no secret is known; then nothing can be trusted, and polling alone carries."""

    def __init__(
        self,
        system: ActorSystem,
        inbox: Inbox,
        clock: Clock,
        metrics: WebhookMetrics,
        *,
        verify: Verify | None,
        parse: Parse,
        bytes_max: int,
    ) -> None:
        self._system = system
        self._inbox = inbox
        self._clock = clock
        self._metrics = metrics
        self._verify = verify
        self._parse = parse
        self._bytes_max = bytes_max

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_POST, "/api/v1/webhooks/agora", self.receive, policy=SIGNED)

    async def receive(self, request: web.Request) -> web.Response:
        """200 once it is stored, also for kinds and sessions that nobody knows: a refusal would only repeat it."""
        body = await read_body(request, self._bytes_max)
        if self._verify is None:
            raise Problem("provider_unavailable", "no webhook secret is set, so no notification can be verified")
        if not self._verify(body, request.headers):
            self._metrics.overlooked("bad_signature")
            raise Problem("invalid_signature")
        try:
            notice = self._parse(body)
        except ValueError as error:
            self._metrics.received("malformed")
            raise Problem("bad_request", str(error)) from None
        if notice.notice_id.startswith(TEST_NOTICES):
            self._metrics.overlooked("test")
            return json({"test": notice.notice_id})  # about nothing; the sender knows it again
        await self._keep(notice, body)
        return json({})

    async def _keep(self, notice: Notice, body: bytes) -> None:
        with as_problems():
            new = await self._inbox.store(notice, body, self._clock.now_ms())
            meeting_id = await self._inbox.meeting_of(notice) if new else None
        result = "stored" if meeting_id is not None else ("unknown" if new else "repeated")
        self._metrics.received(result)
        log.info("webhook.received", result=result, event_type=notice.event_type, sid=notice.sid, uid=notice.uid)
        if meeting_id is not None:
            self._system.report(meeting_id, notice)
