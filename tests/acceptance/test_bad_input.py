"""What nobody should send gets a problem with a code, never a 5xx, and changes nothing."""

import base64
import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest
import pytest_asyncio
from yarl import URL

from tests.acceptance.running import SECRET, Client, RunningServer, serving, token_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

START = "/api/v1/meetings/bad/recording/start"


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _nothing_changed(host: Client) -> AsyncIterator[None]:
    yield
    _, listed, _ = await host.call("GET", "/api/v1/meetings/bad/recordings?status=failed&status=processing")
    assert listed["total"] == 0


async def post(
    http: aiohttp.ClientSession, server: RunningServer, body: bytes, path: str = START, **headers: str
) -> tuple[int, Any]:
    sent = {"Authorization": f"Bearer {token_for('u')}", "Content-Type": "application/json", **headers}
    async with http.post(server.url + path, data=body, headers=sent) as response:
        assert response.status < 500
        assert response.content_type == "application/problem+json", await response.text()
        return response.status, json.loads(await response.read())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"nonsense", 400),
        (b'{"metadata": {"a": NaN}}', 422),
        (b"\xff\xfe", 400),
        (b'{"metadata": {"a": "\\ud800"}}', 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b'{"unknown": 1}', 422),
        (b'{"streams": "video"}', 422),
        (b'{"streams": 1}', 422),
        (b'{"outputs": ["mp4"]}', 422),
        (b'{"outputs": []}', 422),
        (b'{"maxDuration": 59}', 422),
        (b'{"maxDuration": "60"}', 422),
        (b'{"maxDuration": 1e400}', 422),
        (b'{"maxIdleTime": 4}', 422),
        (b'{"layout": {"template": "floating"}}', 422),
        (b'{"video": {"width": 640}}', 422),
        (b'{"channelName": ""}', 422),
        (b'{"channelName": "a/b"}', 422),
        (b'{"channelName": "' + b"a" * 64 + b'"}', 422),
        (b'{"subscribe": {"audio": ["abc"]}}', 422),
        (b'{"subscribe": {"audio": ["4294967296"]}}', 422),
        (b'{"metadata": []}', 422),
        (b'{"metadata": {"a": "\\u0000"}}', 422),
        (b'{"metadata": {"a": 1e400}}', 422),
        (b'{"metadata": {"a": 99999999999999999999}}', 422),
        (b'{"metadata": {"a": "' + b"x" * 4096 + b'"}}', 422),
        (b'{"metadata": ' + b'{"a":' * 60 + b"1" + b"}" * 60 + b"}", 422),
        (b'{"externalId": "' + b"x" * 129 + b'"}', 422),
        (b'{"externalId": "\\u0000"}', 422),
    ],
)
async def test_bodies(http: aiohttp.ClientSession, server: RunningServer, body: bytes, status: int) -> None:
    got, problem = await post(http, server, body)
    assert got == status, problem
    assert problem["code"] == {400: "bad_request", 422: "validation_failed"}[status]
    assert problem["requestId"]
    if status == 422:
        assert problem["errors"][0].keys() == {"pointer", "detail"}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        ({"Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
        ({"Idempotency-Key": "with space"}, 400, "bad_request"),
        ({"Idempotency-Key": "k" * 256}, 400, "bad_request"),
        ({"X-Filler": "x" * 9000}, 431, "headers_too_large"),
    ],
)
async def test_headers(
    http: aiohttp.ClientSession, server: RunningServer, headers: dict[str, str], status: int, code: str
) -> None:
    got, problem = await post(http, server, b"{}", **headers)
    assert (got, problem["code"]) == (status, code)


async def test_a_body_that_is_too_large(http: aiohttp.ClientSession, server: RunningServer) -> None:
    headers = {"Authorization": f"Bearer {token_for('u')}", "Content-Type": "application/json"}
    async with http.post(server.url + START, data=io.BytesIO(b" " * 3_000_000), headers=headers) as response:
        assert response.status == 413
        assert json.loads(await response.read())["code"] == "payload_too_large"


@pytest.mark.parametrize("meeting", ["%2e%2e", "..%2f", "%00", "a%2Fb", "%F0%9F%98%80", "a" * 65, "a%20b", "%ff"])
async def test_meeting_ids(http: aiohttp.ClientSession, server: RunningServer, meeting: str) -> None:
    headers = {"Authorization": f"Bearer {token_for('u')}"}
    url = URL(f"{server.url}/api/v1/meetings/{meeting}/recording/start", encoded=True)
    async with http.post(url, headers=headers) as response:
        assert response.status in (400, 404, 422)
        assert json.loads(await response.read())["code"] in ("bad_request", "not_found", "validation_failed")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "offset=-1", "cursor=x", "status=done", "state=x", "limit=1&limit=2", "what=1",
     "cursor=" + base64.urlsafe_b64encode(b'["x",1,"y"]').decode(), "offset=1&cursor=abc", "limit=" + "9" * 600],
)  # fmt: skip
async def test_queries(host: Client, query: str) -> None:
    status, problem, _ = await host.call("GET", f"/api/v1/meetings/bad/recordings?{query}")
    assert (status, problem["code"]) == (422, "validation_failed")


def signed(claims: dict[str, Any], key: str = SECRET, algorithm: str | None = "HS256") -> str:
    whole = {"sub": "u", "aud": "tapedeck", "exp": int(time.time()) + 60, "meetings": {"*": "HOST"}, **claims}
    return jwt.encode({name: value for name, value in whole.items() if value is not None}, key, algorithm)


def unsigned() -> str:
    head, claims, _ = signed({}).split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{head}.{claims}."


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "a.b.c",
        "x" * 8000,
        unsigned(),
        signed({"exp": 1}),
        signed({"aud": "another"}),
        signed({"aud": None}),
        signed({"sub": None}),
        signed({"exp": None}),
        signed({"meetings": {"*": "ADMIN"}}),
        signed({"meetings": "all"}),
        signed({"sub": "a\0b"}),
        signed({}, "another-secret-that-is-long-enough-to-be-one"),
        signed({}, SECRET * 2, "HS512"),
    ],
)
async def test_tokens(http: aiohttp.ClientSession, server: RunningServer, token: str) -> None:
    async with http.post(server.url + START, headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 401
        assert json.loads(await response.read())["code"] == "unauthenticated"


async def test_a_token_in_the_query_opens_streams_only(http: aiohttp.ClientSession, server: RunningServer) -> None:
    url = f"{server.url}/api/v1/meetings/bad/recordings?access_token={token_for('u')}"
    async with http.get(url) as response:
        assert response.status == 401
    assert token_for("u").split(".")[2] not in server.log.read_text(encoding="utf-8")


async def test_on_behalf_of_is_for_service_tokens(http: aiohttp.ClientSession, server: RunningServer) -> None:
    headers = {"Authorization": f"Bearer {token_for('u', meeting='bad')}"}
    async with http.post(server.url + START, json={"onBehalfOf": "x"}, headers=headers) as response:
        assert response.status == 403


@pytest.mark.parametrize(
    "path", ["/api/v1/recordings/x", "/api/v1/recordings/" + "0" * 36, "/api/v1/nothing", "/media/x"]
)
async def test_what_does_not_exist(host: Client, path: str) -> None:
    status, problem, _ = await host.call("GET", path)
    assert (status, problem["code"]) in ((404, "not_found"), (403, "forbidden"))


async def test_a_request_id_is_taken_or_made(host: Client) -> None:
    _, _, headers = await host.call("GET", "/healthz", headers={"X-Request-ID": "mine-1"})
    assert headers["X-Request-ID"] == "mine-1"
    _, _, headers = await host.call("GET", "/healthz", headers={"X-Request-ID": "not mine"})
    assert headers["X-Request-ID"] != "not mine"


WEBHOOK = "/api/v1/webhooks/agora"
NOTICE = {
    "noticeId": "x-1",
    "productId": 3,
    "eventType": 40,
    "notifyMs": 1,
    "payload": {"sid": "s", "uid": "1", "cname": "c", "sequence": 0, "sendts": 1, "details": {}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signing() -> AsyncIterator[RunningServer]:
    """A server whose webhook secret the test knows."""
    async with serving(AGORA_WEBHOOK_SECRET="known") as running:
        yield running


async def notify(
    http: aiohttp.ClientSession, server: RunningServer, body: bytes, signature: str | None = None
) -> tuple[int, Any]:
    right = hmac.new(b"known", body, hashlib.sha256).hexdigest()
    headers = {"Agora-Signature-V2": right if signature is None else signature}
    async with http.post(server.url + WEBHOOK, data=body, headers=headers) as response:
        return response.status, json.loads(await response.read())


async def test_webhooks_are_taken_by_their_signature_alone(http: aiohttp.ClientSession, signing: RunningServer) -> None:
    body = json.dumps(NOTICE).encode()
    for wrong in ("", "0" * 64, "short", hmac.new(b"other", body, hashlib.sha256).hexdigest()):
        status, problem = await notify(http, signing, body, wrong)
        assert (status, problem["code"]) == (401, "invalid_signature")
    changed = hmac.new(b"known", body, hashlib.sha256).hexdigest()
    assert (await notify(http, signing, body.replace(b"x-1", b"x-2"), changed))[0] == 401
    assert await notify(http, signing, body) == (200, {})
    assert await notify(http, signing, body) == (200, {})


@pytest.mark.parametrize(
    "body",
    [
        {**NOTICE, "noticeId": "u-1", "eventType": 9999},
        {**NOTICE, "noticeId": "u-2", "payload": {"cname": "test_webhook", "uid": "12121212"}},
        {**NOTICE, "noticeId": "u-3", "payload": None},
        {**NOTICE, "noticeId": "u-4", "productId": 1, "eventType": "text"},
        {"noticeId": "u-5"},
    ],
)
async def test_unknown_notifications_are_kept(
    http: aiohttp.ClientSession, signing: RunningServer, body: dict[str, Any]
) -> None:
    assert await notify(http, signing, json.dumps(body).encode()) == (200, {})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff"])
async def test_what_is_no_notification_is_refused(
    http: aiohttp.ClientSession, signing: RunningServer, body: bytes
) -> None:
    status, problem = await notify(http, signing, body)
    assert (status, problem["code"]) == (400, "bad_request")
