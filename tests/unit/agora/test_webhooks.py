"""The signature over the raw body, and what a notification may look like."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from structlog.testing import capture_logs

from actors.domain.commands import Notice
from clients.agora import webhooks
from clients.agora.oddities import Oddities
from clients.agora.webhooks import NotANotice, NoticeReader, verify
from tests.unit.agora.nonsense import ANY_BYTES, ANY_JSON, ENVELOPES, Odd

BODY = (
    b'{"eventMs":1560408533119,"eventType":10,"noticeId":"4eb720f0-8da7-11e9-a43e-53f411c2761f",'
    b'"notifyMs":1560408533119,"payload":{"a":"1","b":2},"productId":1}'
)
NOW_MS = 1_790_000_000_000


def parse(body: bytes) -> Notice:
    return webhooks.parse(body, NOW_MS)


SIGNATURE = "6d3320c60b11101395b7fc8f9068748808a0aa1bfa064438e39d1bc2c7d74d99"


def test_the_published_vector() -> None:
    assert verify(BODY, {"Agora-Signature-V2": SIGNATURE}, "secret")


@pytest.mark.parametrize(
    ("body", "signature", "secret"),
    [
        (BODY + b" ", SIGNATURE, "secret"),
        (BODY, SIGNATURE.upper(), "secret"),
        (BODY, SIGNATURE[:-1], "secret"),
        (BODY, "", "secret"),
        (BODY, "ü", "secret"),
        (BODY, SIGNATURE, "another"),
    ],
)
def test_anything_else_is_refused(body: bytes, signature: str, secret: str) -> None:
    assert not verify(body, {"Agora-Signature-V2": signature}, secret)


def test_a_missing_signature_is_refused() -> None:
    assert not verify(BODY, {}, "secret")


def test_a_notification_of_the_recording_service() -> None:
    body = (
        b'{"noticeId":"n","productId":3,"eventType":40,"notifyMs":1780000000005,"sid":"top","payload":{"cname":"c","uid":"7","sid":"s",'
        b'"sequence":2,"sendts":1780000000004,"serviceType":1,"details":{"msgName":"recorder_started","status":0}}}'
    )
    notice = parse(body)
    assert (notice.notice_id, notice.event_type, notice.sid, notice.uid, notice.cname) == ("n", 40, "s", "7", "c")
    assert (notice.sequence, notice.at_ms, notice.details["status"]) == (2, 1_780_000_000_004, 0)


@pytest.mark.parametrize(
    "payload",
    [b"null", b"[]", b'"text"', b'{"uid":{},"sid":7,"sequence":"3","sendts":1e400,"details":[]}', b'{"uid":12121212}'],
)
def test_what_is_missing_or_of_another_type_is_empty(payload: bytes) -> None:
    if b"1e400" in payload:
        payload = payload.replace(b"1e400", b"true")
    notice = parse(b'{"noticeId":"n","eventType":true,"payload":' + payload + b"}")
    assert notice.event_type == 0
    assert isinstance(notice.uid, str)
    assert isinstance(notice.details, dict)


def test_older_spellings_are_understood() -> None:
    notice = parse(
        b'{"notificationId":"n","eventType":"31","notifyMs":1780000000009,"payload":{"uid":12121212,"sequence":"3"}}'
    )
    assert (notice.notice_id, notice.event_type, notice.at_ms) == ("n", 31, 1_780_000_000_009)
    assert (notice.uid, notice.sequence) == ("12121212", 3)


def test_text_that_could_not_be_stored_is_cut() -> None:
    notice = parse(b'{"noticeId":"a\\u0000b","payload":{"cname":"' + b"x" * 1000 + b'"}}')
    assert notice.notice_id == "ab"
    assert len(notice.cname) == 256


def test_details_are_what_any_database_takes() -> None:
    deep = b"[" * 200 + b"]" * 200
    notice = parse(b'{"noticeId":"n","payload":{"details":{"a\\u0000":["b\\u0000c",1.5,null],"deep":' + deep + b"}}}")
    assert notice.details["a"] == ["bc", 1.5, None]
    levels, inner = 0, notice.details["deep"]
    while inner:
        levels, inner = levels + 1, inner[0]
    assert levels < 40


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"{}", b'{"noticeId":""}', b'{"noticeId":null}', b"\xff"])
def test_what_is_no_notification(body: bytes) -> None:
    with pytest.raises(NotANotice):
        parse(body)


@pytest.mark.parametrize(
    ("sendts", "notify_ms", "at_ms"),
    [
        (NOW_MS + 5, 1_780_000_000_000, NOW_MS),
        (NOW_MS * 1000, NOW_MS - 9, NOW_MS),
        (0, NOW_MS - 9, NOW_MS - 9),
        (1_790_000_000, NOW_MS - 9, NOW_MS - 9),
        ("noon", NOW_MS - 9, NOW_MS - 9),
        (-5, None, NOW_MS),
        (2.5, [], NOW_MS),
    ],
)
def test_a_time_that_cannot_be_is_another_one_or_the_present(sendts: Any, notify_ms: Any, at_ms: int) -> None:
    envelope = {"noticeId": "n", "notifyMs": notify_ms, "payload": {"sendts": sendts}}
    assert parse(orjson.dumps(envelope)).at_ms == at_ms


class Desk:
    """A reader, and what it reported."""

    def __init__(self) -> None:
        self.seen = Odd()
        self._reader = NoticeReader(Oddities(self.seen), lambda: NOW_MS)

    def odd(self, **payload: Any) -> list[str]:
        self.seen.kinds.clear()
        self._reader.read(orjson.dumps({"noticeId": "n", "eventType": 40, "payload": {"sequence": 0, **payload}}))
        return self.seen.kinds

    def read(self, body: bytes) -> Notice:
        return self._reader.read(body)


def test_what_makes_no_sense_is_counted_by_kind() -> None:
    desk = Desk()
    assert desk.odd(sid="s", uid="7", sequence="3", sendts=NOW_MS - 5, details={}) == []
    assert desk.odd(uid=7, sequence=3, sendts=str(NOW_MS)) == []
    assert desk.odd(sid={}) == []
    assert desk.odd(sid={"a": 1}) == ["fields"]
    assert desk.odd(sequence="three") == ["fields"]
    assert desk.odd(details=["x"]) == ["fields"]
    assert desk.odd(sendts=NOW_MS + 120_000) == ["time"]
    assert desk.odd(sendts=5) == ["time"]
    with pytest.raises(NotANotice):
        desk.read(b"<html>")
    assert desk.seen.kinds[-1] == "malformed"


def test_it_is_logged_once_for_each_shape() -> None:
    desk = Desk()
    with capture_logs() as logs:
        for secret in ("hush", "hush-2", "hush-3"):
            desk.odd(sid=[secret])
        desk.odd(uid={secret: secret})
    shapes = [entry["shape"] for entry in logs]
    assert shapes == [
        "{eventType: number, noticeId: text, payload: {sequence: number, sid: [text]}}",
        "{eventType: number, noticeId: text, payload: {sequence: number, uid: {?: text}}}",
    ]
    assert "hush" not in str(logs)


@given(body=ANY_BYTES | ANY_JSON.map(orjson.dumps) | ENVELOPES.map(orjson.dumps))
def test_nothing_that_is_posted_breaks_it(body: bytes) -> None:
    desk = Desk()
    try:
        notice = desk.read(body)
    except NotANotice:
        return
    assert notice.notice_id
    assert isinstance(notice.event_type, int)
    assert 0 < notice.at_ms <= NOW_MS
    assert all(isinstance(text, str) and "\0" not in text for text in (notice.sid, notice.uid, notice.cname))
    orjson.dumps(notice.details)
