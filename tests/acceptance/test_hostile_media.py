"""Media URLs and notifications that were changed, made up or sent again."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from server.app import media_key
from server.playback import UrlSigner
from tests.acceptance.running import SECRET, Client, RunningServer, serving
from tests.acceptance.wire import Answer, assert_quiet_log, exchange, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBHOOK_SECRET = "the-secret-of-the-notifications"
WEBHOOK = "/api/v1/webhooks/agora"
NOTICE = {"noticeId": "n", "productId": 3, "eventType": 40, "notifyMs": 1}
PAYLOAD = {"sid": "s", "uid": "1", "cname": "c", "sequence": 0, "sendts": 1, "details": {}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """It knows the same webhook secret as the test."""
    async with serving(AGORA_WEBHOOK_SECRET=WEBHOOK_SECRET) as running:
        yield running
        await running.stop()
        assert_quiet_log(running, WEBHOOK_SECRET)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recording(host: Client) -> Any:
    """One that is over, with its files."""
    started = await host.start("media")
    await host.in_state(started["id"], "active")
    return await host.stop("media")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def targets(host: Client, server: RunningServer, recording: Any) -> list[str]:
    """Paths and queries that play it."""
    _, playback, _ = await host.call("GET", f"/api/v1/recordings/{recording['id']}/playback")
    return [item["url"].removeprefix(server.url) for item in playback["items"]]


async def look(server: RunningServer, target: str, *headers: str) -> Answer:
    return await exchange(server, request("HEAD", target, *headers))


async def test_no_byte_of_a_url_can_be_changed(server: RunningServer, targets: list[str]) -> None:
    for target in targets:
        assert (await look(server, target)).status == 200
        for place, character in enumerate(target):
            other = "0" if character != "0" else "1"
            for changed in (target[:place] + other + target[place + 1 :], target[:place] + target[place + 1 :]):
                assert (await look(server, changed)).status in (400, 403, 404), changed
    assert_quiet_log(server, *(target.rpartition("=")[2] for target in targets))


async def test_nothing_can_be_added_to_a_url(server: RunningServer, targets: list[str]) -> None:
    for target in targets:
        path, _, query = target.partition("?")
        parameters, _, signature = query.rpartition("&signature=")
        for changed in (
            f"{target}&x=1",
            f"{path}?x=1&{query}",
            f"{target}&signature={signature}",
            f"{path}?{parameters}&signature={signature.upper()}",
            f"{path}?signature={signature}&{parameters}",
            f"{path}?{parameters}",
            path,
            f"{path}/?{query}",
            f"{path.replace('/media/', '/media//')}?{query}",
            f"{path.replace('/media/', '/media/x/../')}?{query}",
        ):
            answer = await exchange(server, request("GET", changed))
            assert (answer.status, answer.problem()["code"]) == (403, "forbidden"), changed


async def test_a_url_that_has_expired_or_leads_outside(server: RunningServer, recording: Any) -> None:
    signer = UrlSigner(media_key(SECRET), "")
    now = int(time.time())
    made = {
        signer.sign(recording["storageKey"], now + 600): 200,
        signer.sign(recording["storageKey"], now): 403,
        signer.sign(recording["storageKey"], -(10**30)): 403,
        signer.sign("../jwt-secret", now + 600): 404,
        signer.sign("tapedeck/%2e%2e/%2e%2e/jwt-secret", now + 600): 404,
        signer.sign("tapedeck", now + 600): 404,
        signer.sign("tapedeck/\0.mp4", now + 600): 404,
        signer.sign("x/../../data.m3u8", now + 600): 404,
        UrlSigner(media_key(SECRET * 2), "").sign(recording["storageKey"], now + 600): 403,
    }
    for target, status in made.items():
        assert (await look(server, target)).status == status, target


@pytest.mark.parametrize(
    "header",
    [
        "Range: bytes=5-1",
        "Range: bytes=-",
        "Range: bytes=99999999999-",
        f"Range: bytes={'9' * 5000}-",
        f"Range: bytes=-{'9' * 5000}",
        "Range: nonsense",
        "If-Match: W/",
        "If-None-Match: *",
        "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT",
        "If-Unmodified-Since: Mon, 01 Jan 0001 00:00:00 GMT",
        'If-Range: "x',
        "Accept-Encoding: gzip, br, ../x",
    ],
)
async def test_odd_conditions_are_no_defect(server: RunningServer, targets: list[str], header: str) -> None:
    for target in targets:
        assert (await look(server, target, header)).status in (200, 206, 304, 412, 416)


def signed(body: Any, secret: str = WEBHOOK_SECRET, signature: str | None = None) -> bytes:
    """A notification with the signature that is right for the secret, or with the given one."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if signature is None:
        signature = hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
    return request("POST", WEBHOOK, f"Agora-Signature-V2: {signature}", body=data)


REFUSED = {
    "empty": b"",
    "broken": b"{",
    "list": b"[]",
    "byte": b"\xff",
    "utf-16": '{"noticeId": "x"}'.encode("utf-16"),
    "byte-order-mark": b'\xef\xbb\xbf{"noticeId": "x"}',
    "deep": b'{"noticeId": "x", "payload":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "nan": b'{"noticeId": "x", "notifyMs": NaN}',
    "surrogate": b'{"noticeId": "\\ud800"}',
    "no-id": b"{}",
    "id-is-a-list": b'{"noticeId": []}',
    "id-is-nul": b'{"noticeId": "\\u0000"}',
}
KEPT: dict[str, Any] = {
    "unknown-kind": {**NOTICE, "noticeId": "u-1", "eventType": 9999, "payload": PAYLOAD},
    "trial": {**NOTICE, "noticeId": "u-2", "payload": {"cname": "test_webhook", "uid": "12121212"}},
    "no-payload": {**NOTICE, "noticeId": "u-3", "payload": None},
    "another-product": {**NOTICE, "noticeId": "u-4", "productId": 1, "eventType": "text", "payload": PAYLOAD},
    "id-alone": {"noticeId": "u-5"},
    "deep-details": b'{"noticeId": "deep", "payload": {"details":' + b'{"a":' * 400 + b"1" + b"}" * 402,
    "nul-inside": b'{"noticeId": "nul", "x": "\\u0000", "payload": {"sid": "a\\u0000", "details": {"\\u0000": "\\u0000"}}}',
    "long-id": {**NOTICE, "noticeId": "x" * 5000},
    "odd-id": {**NOTICE, "noticeId": "ü\u202e\n"},
    "negative-id": {**NOTICE, "noticeId": -(2**63)},
    "huge-kind": {**NOTICE, "noticeId": "k", "eventType": 10**30},
    "kind-of-nothing": {**NOTICE, "noticeId": "l", "eventType": None},
    "payload-is-text": {**NOTICE, "noticeId": "m", "payload": "x"},
    "sid-is-an-object": {**NOTICE, "noticeId": "o", "payload": {**PAYLOAD, "sid": {}}},
    "sid-is-long": {**NOTICE, "noticeId": "p", "payload": {**PAYLOAD, "sid": "x" * 10_000}},
    "time-is-huge": {**NOTICE, "noticeId": "q", "payload": {**PAYLOAD, "sendts": 2**53 - 1, "sequence": -(2**52)}},
    "details-are-a-list": {**NOTICE, "noticeId": "r", "payload": {**PAYLOAD, "details": [1]}},
    "big-numbers": {**NOTICE, "noticeId": "s", "payload": {**PAYLOAD, "details": {"a": 10**19, "b": 1e308}}},
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_notification(server: RunningServer, name: str) -> None:
    answer = await exchange(server, signed(REFUSED[name]))
    assert (answer.status, answer.problem()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("name", KEPT)
async def test_an_odd_notification_is_kept(server: RunningServer, name: str) -> None:
    for _ in range(2):
        answer = await exchange(server, signed(KEPT[name]))
        assert (answer.status, answer.body) == (200, b"{}")


async def test_made_up_notifications_move_no_recording_of_others(host: Client, server: RunningServer) -> None:
    """Signed, of every kind and full of nonsense, but of a session, a uid or a channel that is not the recording's."""
    live = await host.start("foreign")
    await host.in_state(live["id"], "active")
    before = await host.recording(live["id"])
    own = {"sid": live["agoraRecordingId"], "uid": live["recorderUids"][0], "cname": "foreign"}
    odd = {"status": [], "exitReason": {}, "errorLevel": "x", "fileList": [None], "leaveCode": 10**15, "newUid": []}
    for kind in (0, 1, 2, 3, 4, 11, 12, 30, 31, 32, 33, 40, 41, 42, 43, 44, 45, 70, 1001):
        for wrong in ({"sid": "0" * 32, "uid": "1"}, {"sid": "0" * 32, "cname": "media"}, {"sid": "", "uid": "1"}):
            notice = {**NOTICE, "noticeId": f"f-{kind}-{wrong}", "eventType": kind}
            body = {**notice, "payload": {**PAYLOAD, **own, **wrong, "details": odd}}
            assert (await exchange(server, signed(body))).status == 200
    assert (await host.recording(live["id"]))["version"] == before["version"]
    assert (await host.stop("foreign"))["completeness"] == "complete"


async def test_a_wrong_signature_is_refused(server: RunningServer) -> None:
    notice = {**NOTICE, "noticeId": "forged"}
    for sent in (signed(notice, "other"), *(signed(notice, signature=wrong) for wrong in ("", "0" * 64, "short"))):
        answer = await exchange(server, sent)
        assert (answer.status, answer.problem()["code"]) == (401, "invalid_signature")


async def test_a_signature_fits_one_body(server: RunningServer) -> None:
    sent = signed({**NOTICE, "noticeId": "one"})
    for changed in (sent.replace(b'"one"', b'"two"'), sent.replace(b'"one", ', b'"one" ,')):
        answer = await exchange(server, changed)
        assert (answer.status, answer.problem()["code"]) == (401, "invalid_signature")
