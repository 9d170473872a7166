"""The signature over the raw body, and what a notification may look like."""

import pytest

from clients.agora.webhooks import NotANotice, parse, verify

BODY = (
    b'{"eventMs":1560408533119,"eventType":10,"noticeId":"4eb720f0-8da7-11e9-a43e-53f411c2761f",'
    b'"notifyMs":1560408533119,"payload":{"a":"1","b":2},"productId":1}'
)
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
        b'{"noticeId":"n","productId":3,"eventType":40,"notifyMs":5,"sid":"top","payload":{"cname":"c","uid":"7","sid":"s",'
        b'"sequence":2,"sendts":4,"serviceType":1,"details":{"msgName":"recorder_started","status":0}}}'
    )
    notice = parse(body)
    assert (notice.notice_id, notice.event_type, notice.sid, notice.uid, notice.cname) == ("n", 40, "s", "7", "c")
    assert (notice.sequence, notice.at_ms, notice.details["status"]) == (2, 4, 0)


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
    notice = parse(b'{"notificationId":"n","eventType":"31","notifyMs":9,"payload":{"uid":12121212,"sequence":"3"}}')
    assert (notice.notice_id, notice.event_type, notice.at_ms) == ("n", 31, 9)
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
