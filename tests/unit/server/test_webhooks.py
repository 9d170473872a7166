"""Notifications: verified over the raw body, stored, answered; what is not the provider's changes nothing."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from actors.domain.commands import Notice
from actors.domain.ids import MeetingId
from actors.ports import JournalUnavailable
from clients.agora.observing import UNOBSERVED
from clients.agora.oddities import Oddities
from clients.agora.webhooks import NoticeReader, verify
from server.config import Config
from server.metrics import WebhookMetrics
from server.routes.webhooks import WebhookRoutes
from tests.fakes.memory import MemoryDatabase, MemoryInbox
from tests.unit.server.conftest import Edge, Serve
from tests.unit.server.documented import assert_documented

PATH = "/api/v1/webhooks/agora"
SECRET = "secret"


class Desk(MemoryInbox):
    """The inbox and the system behind the route, in one: what was stored, and what was passed on."""

    def __init__(self) -> None:
        self.database = MemoryDatabase()
        super().__init__(self.database)
        self.reported: list[tuple[MeetingId, Notice]] = []
        self.owner: MeetingId | None = None
        self.away = False
        self.seconds = 100.0
        self.url = ""

    async def store(self, notice: Notice, body: bytes, received_at_ms: int) -> bool:
        if self.away:
            raise JournalUnavailable
        return await super().store(notice, body, received_at_ms)

    async def meeting_of(self, notice: Notice) -> MeetingId | None:
        return self.owner

    def report(self, meeting_id: MeetingId, notice: Notice) -> None:
        self.reported.append((meeting_id, notice))

    def now_ms(self) -> int:
        return 1_790_000_000_000


class Provider:
    """Sends to the route, with the right signature if not told otherwise."""

    def __init__(self, desk: Desk, edge: Edge, registry: CollectorRegistry) -> None:
        self.desk, self._edge, self._registry = desk, edge, registry

    async def send(self, body: bytes, **headers: str) -> tuple[int, Any]:
        sent = {"Agora-Signature-V2": signature(body), **{key.replace("_", "-"): text for key, text in headers.items()}}
        async with self._edge.client.post(PATH, data=body, headers=sent) as response:
            told = await response.json(content_type=None)
            assert_documented("POST", PATH, response.status, told, response.headers)
            return response.status, told

    def counted(self, result: str) -> float:
        return self._registry.get_sample_value("tapedeck_webhooks_total", {"result": result}) or 0

    def since(self) -> float | None:
        return self._registry.get_sample_value("tapedeck_seconds_since_last_webhook")


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def body_of(notice_id: str = "n-1", **changes: Any) -> bytes:
    payload = {"sid": "s", "uid": "1", "cname": "c", "sequence": 7, "sendts": 1, "details": {}}
    return json.dumps({"noticeId": notice_id, "productId": 3, "eventType": 40, "payload": payload, **changes}).encode()


async def provider_of(serve: Serve, secret: str | None = SECRET) -> Provider:
    desk, registry = Desk(), CollectorRegistry()
    routes = WebhookRoutes(
        desk,  # type: ignore[arg-type]
        desk,
        desk,
        WebhookMetrics(registry, lambda: desk.seconds),
        verify=None if secret is None else lambda body, headers: verify(body, headers, secret),
        parse=NoticeReader(Oddities(UNOBSERVED), desk.now_ms).read,
        bytes_max=Config().http.webhook_body_bytes_max,
    )
    return Provider(desk, await serve(routes.add_to), registry)


@pytest.fixture
async def provider(serve: Serve) -> Provider:
    return await provider_of(serve)


async def test_a_notification_is_stored_answered_and_passed_on(provider: Provider) -> None:
    provider.desk.owner = MeetingId("m-1")
    assert await provider.send(body_of()) == (200, {})
    assert list(provider.desk.database.inbox) == ["n-1"]
    ((meeting, notice),) = provider.desk.reported
    assert (meeting, notice.notice_id, notice.event_type, notice.sequence) == ("m-1", "n-1", 40, 7)
    assert provider.counted("stored") == 1


async def test_what_comes_again_is_answered_and_not_passed_on(provider: Provider) -> None:
    provider.desk.owner = MeetingId("m-1")
    for body in (body_of(), body_of(), body_of("n-2")):
        assert await provider.send(body) == (200, {})
    assert len(provider.desk.reported) == 1
    assert provider.counted("repeated") == 2


async def test_a_stranger_s_session_is_stored_and_nobody_is_told(provider: Provider) -> None:
    assert await provider.send(body_of()) == (200, {})
    assert list(provider.desk.database.inbox) == ["n-1"]
    assert provider.desk.reported == []
    assert provider.counted("unknown") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"eventType": 9999},
        {"eventType": "?"},
        {"productId": 1},
        {"payload": None},
        {"payload": {"cname": "test_webhook", "uid": "12121212"}},
        {"payload": {"details": {"deep": [[[[[]]]]], "text": "\0", "number": 2**70}}},
        {"unknown": True},
    ],
)
async def test_kinds_that_nobody_knows_are_stored(provider: Provider, changes: dict[str, Any]) -> None:
    assert await provider.send(body_of(**changes)) == (200, {})
    assert list(provider.desk.database.inbox) == ["n-1"]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "0" * 64,
        signature(body_of(), "another"),
        signature(body_of() + b" "),
        signature(body_of()).upper(),
        signature(body_of())[:-1],
        "\u00fc" * 64,
    ],
)
async def test_what_is_not_signed_is_nobody_s(provider: Provider, wrong: str) -> None:
    status, problem = await provider.send(body_of(), Agora_Signature_V2=wrong)
    assert (status, problem["code"]) == (401, "invalid_signature")
    assert provider.desk.database.inbox == {}
    assert provider.counted("bad_signature") == 1


async def test_one_changed_byte_breaks_the_signature(provider: Provider) -> None:
    body = body_of()
    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert (await provider.send(changed, Agora_Signature_V2=signature(body)))[0] == 401
    assert provider.desk.database.inbox == {}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"noticeId": ""}', b"[" * 10_000])
async def test_what_is_no_notification_is_refused(provider: Provider, body: bytes) -> None:
    status, problem = await provider.send(body)
    assert (status, problem["code"]) == (400, "bad_request")
    assert provider.desk.database.inbox == {}
    assert provider.counted("malformed") == 1


async def test_a_body_has_a_limit_of_its_own(provider: Provider) -> None:
    status, problem = await provider.send(b" " * (Config().http.webhook_body_bytes_max + 1))
    assert (status, problem["code"]) == (413, "payload_too_large")


async def test_what_could_not_be_stored_is_not_acknowledged(provider: Provider) -> None:
    provider.desk.away = True
    status, problem = await provider.send(body_of())
    assert (status, problem["code"]) == (503, "database_unavailable")


async def test_without_a_secret_nothing_can_be_verified(serve: Serve) -> None:
    provider = await provider_of(serve, secret=None)
    status, problem = await provider.send(body_of())
    assert (status, problem["code"]) == (503, "provider_unavailable")
    assert provider.desk.database.inbox == {}


async def test_only_the_provider_moves_the_clock(provider: Provider) -> None:
    assert provider.since() == -1
    await provider.send(body_of(), Agora_Signature_V2="0")
    assert provider.since() == -1
    await provider.send(body_of())
    provider.desk.seconds += 5
    await provider.send(body_of(), Agora_Signature_V2="0")
    assert provider.since() == 5
