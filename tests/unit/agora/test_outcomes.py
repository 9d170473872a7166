"""Every row of the table: what an answer of the service means."""

from typing import Any

import orjson
import pytest

from actors.domain.model import FailureCode
from actors.domain.outcomes import (
    Acquired,
    AlreadyRunning,
    Ambiguous,
    Banned,
    Done,
    Leaving,
    Limit,
    Members,
    NotFound,
    NothingRecorded,
    Rejected,
    ResourceUnusable,
    RetryLater,
    Seen,
    Started,
    Stopped,
    Updated,
)
from clients.agora.answers import read_answer
from clients.agora.banning import UID_MAX
from clients.agora.outcomes import TABLE, outcome_of

SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
RESOURCE = "JyvK8nXHuV1BE-_x"


def outcome(call: str, status: int, body: Any, headers: dict[str, str] | None = None) -> Any:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return outcome_of(call, read_answer(status, headers or {}, raw))


def coded(code: int, reason: str = "why") -> dict[str, Any]:
    return {"code": code, "reason": reason}


def listed(**data: Any) -> dict[str, Any]:
    return {"success": True, "data": {"channel_exist": True, **data}}


@pytest.mark.parametrize(
    ("call", "status", "body", "value"),
    [
        ("acquire", 200, {"resourceId": RESOURCE}, Acquired(RESOURCE)),
        ("start", 200, {"sid": SID}, Started(SID)),
        ("start", 200, {"sid": SID, "code": 0}, Started(SID)),
        ("start", 201, coded(7), AlreadyRunning(7)),
        ("start", 400, coded(53), AlreadyRunning(53)),
        ("start", 400, coded(432), ResourceUnusable(432, "why")),
        ("start", 400, coded(433), ResourceUnusable(433, "why")),
        ("start", 400, coded(1001), ResourceUnusable(1001, "why")),
        ("start", 400, coded(1003), ResourceUnusable(1003, "why")),
        ("start", 500, coded(502), ResourceUnusable(502, "why", may_run=True)),
        ("query", 200, {"serverResponse": {"status": 5}}, Seen(5)),
        ("query", 200, {"serverResponse": {"status": 20, "fileList": ""}}, Seen(20)),
        ("query", 200, {"serverResponse": {"status": 4, "sliceStartTime": 1619172871089}}, Seen(4, 1619172871089)),
        ("query", 200, {"serverResponse": {"status": 4, "sliceStartTime": 1619172871}}, Seen(4, 1619172871000)),
        ("query", 200, {"serverResponse": {"status": 5, "fileList": [{"sliceStartTime": 1619172871089}]}}, Seen(5, 1619172871089)),
        ("query", 404, coded(404), NotFound()),
        ("stop", 200, {"serverResponse": {"uploadingStatus": "uploaded"}}, Stopped("uploaded")),
        ("stop", 200, {"serverResponse": {"uploadingStatus": "backuped"}}, Stopped("backuped")),
        ("stop", 200, {"serverResponse": {"uploadingStatus": "unknow"}}, Stopped("unknown")),
        ("stop", 200, {"sid": SID}, Stopped("unknown")),
        ("stop", 206, coded(435), NothingRecorded()),
        ("stop", 400, coded(49), Leaving()),
        ("stop", 404, coded(404), NotFound()),
        ("update", 200, {"sid": SID}, Updated()),
        ("updateLayout", 200, {"sid": SID, "serverResponse": {}}, Updated()),
        ("rule", 200, {"status": "success", "id": 70001}, Banned("70001")),
        ("users", 200, {"success": True, "data": {"channel_exist": False}}, Members((), ())),
        ("users", 200, listed(mode=1, total=2, users=[42, 900000017]), Members(("42", "900000017"), ("42", "900000017"))),
        ("users", 200, listed(mode=2, broadcasters=[42], audience=[99], audience_total=1), Members(("42", "99"), ("42",))),
        ("users", 200, listed(mode=2, broadcasters=[], audience=[UID_MAX]), Members((str(UID_MAX),), ())),
    ],
)  # fmt: skip
def test_facts(call: str, status: int, body: Any, value: Any) -> None:
    assert outcome(call, status, body) == Done(value)


@pytest.mark.parametrize(
    ("call", "status", "body"),
    [
        ("start", 206, coded(65)),
        ("start", 500, coded(62)),
        ("start", 500, coded(15)),
        ("start", 503, b"<html>"),
        ("start", 200, {"sid": ""}),
        ("start", 200, {"sid": "not hex"}),
        ("start", 200, b""),
        ("start", 200, ["what"]),
        ("start", 202, {}),
        ("query", 200, {"serverResponse": {"status": "5"}}),
        ("query", 200, {"serverResponse": {"status": 9}}),
        ("query", 200, {}),
        ("query", 206, coded(65)),
        ("query", 504, coded(62)),
        ("query", 500, b"<html>"),
        ("stop", 206, coded(65)),
        ("stop", 504, coded(62)),
        ("stop", 500, coded(50)),
        ("stop", 200, b"<html>"),
        ("acquire", 200, {"resourceId": "../etc"}),
        ("acquire", 206, coded(65)),
        ("start", 404, b"<html>not here</html>"),
        ("query", 404, b""),
        ("stop", 404, b"<html>not here</html>"),
        ("start", 302, b""),
        ("start", 400, coded(62)),
        ("start", 400, coded(65)),
        ("stop", 400, coded(50)),
        ("stop", 400, coded(65)),
        ("update", 200, ["what"]),
        ("update", 206, coded(65)),
        ("update", 400, coded(62)),
        ("update", 504, coded(62)),
        ("update", 404, coded(404)),
        ("update", 500, b"<html>"),
        ("updateLayout", 200, b""),
        ("updateLayout", 206, coded(65)),
        ("updateLayout", 400, coded(65)),
        ("updateLayout", 400, coded(62)),
        ("updateLayout", 404, coded(404)),
        ("updateLayout", 404, b"<html>not here</html>"),
        ("stop", 200, {"what": {"is": "this"}}),
        ("update", 200, {"message": "hello"}),
        ("rule", 200, {"status": "success"}),
        ("rule", 200, {"status": "success", "id": True}),
        ("rule", 200, {"status": "failed", "id": 7}),
        ("rule", 200, ["what"]),
        ("rule", 500, {"message": "internal_error"}),
        ("rule", 504, b""),
        ("rule", 404, b"<html>not here</html>"),
        ("rule", 206, coded(65)),
        ("users", 200, {"success": False, "data": {"channel_exist": False}}),
        ("users", 200, {"success": True}),
        ("users", 200, listed()),
        ("users", 200, listed(mode=1, users={"42": 1})),
        ("users", 200, listed(mode=1, users=["42"])),
        ("users", 200, listed(mode=1, users=[True])),
        ("users", 200, listed(mode=1, users=[0])),
        ("users", 200, listed(mode=1, users=[UID_MAX + 1])),
        ("users", 200, listed(mode=2, broadcasters=[1])),
        ("users", 200, listed(mode=2, broadcasters=[1], audience=[2], audience_total=10_001)),
        ("users", 200, listed(mode=3, users=[1])),
        ("users", 503, {"message": "service unavailable"}),
    ],
)
def test_what_is_not_clear_is_ambiguous(call: str, status: int, body: Any) -> None:
    assert isinstance(outcome(call, status, body), Ambiguous)


@pytest.mark.parametrize(
    ("call", "status", "body", "code"),
    [
        ("acquire", 401, {"message": "Unauthorized"}, FailureCode.PROVIDER_UNAUTHORIZED),
        ("start", 401, {"message": "Invalid authentication credentials"}, FailureCode.PROVIDER_UNAUTHORIZED),
        ("stop", 401, b"<html>who are you?</html>", FailureCode.PROVIDER_UNAUTHORIZED),
        ("start", 401, coded(2), FailureCode.PROVIDER_UNAUTHORIZED),
        ("acquire", 404, {"message": "no Route matched with those values"}, FailureCode.PROVIDER_REJECTED),
        ("acquire", 400, {"message": "appid is invalid"}, FailureCode.PROVIDER_REJECTED),
        ("acquire", 400, coded(400), FailureCode.PROVIDER_REJECTED),
        ("acquire", 400, coded(401), FailureCode.PROVIDER_REJECTED),
        ("acquire", 400, coded(2), FailureCode.PROVIDER_REJECTED),
        ("start", 400, coded(2), FailureCode.PROVIDER_REJECTED),
        ("start", 404, {"message": "no Route matched with those values"}, FailureCode.PROVIDER_REJECTED),
        ("query", 404, {"message": "no Route matched with those values"}, FailureCode.PROVIDER_REJECTED),
        ("query", 400, coded(1003), FailureCode.PROVIDER_REJECTED),
        ("stop", 404, {"message": "no Route matched with those values"}, FailureCode.PROVIDER_REJECTED),
        ("stop", 400, coded(2), FailureCode.PROVIDER_REJECTED),
        ("update", 400, coded(2), FailureCode.PROVIDER_REJECTED),
        ("update", 401, {"message": "Unauthorized"}, FailureCode.PROVIDER_UNAUTHORIZED),
        ("update", 404, {"message": "no Route matched with those values"}, FailureCode.PROVIDER_REJECTED),
        ("updateLayout", 400, coded(1028), FailureCode.PROVIDER_REJECTED),
        ("updateLayout", 400, coded(432), FailureCode.PROVIDER_REJECTED),
        ("rule", 400, {"message": "invalid appid"}, FailureCode.PROVIDER_REJECTED),
        ("rule", 401, {"message": "Invalid authentication credentials"}, FailureCode.PROVIDER_UNAUTHORIZED),
        ("rule", 403, {"message": "contact support"}, FailureCode.PROVIDER_REJECTED),
        ("rule", 415, {"message": "not JSON"}, FailureCode.PROVIDER_REJECTED),
        ("rule", 404, {"message": "no Route matched with those values"}, FailureCode.PROVIDER_REJECTED),
        ("users", 400, {"message": "invalid appid"}, FailureCode.PROVIDER_REJECTED),
        ("users", 403, b"<html>", FailureCode.PROVIDER_REJECTED),
    ],
)
def test_refusals_for_good(call: str, status: int, body: Any, code: FailureCode) -> None:
    refused = outcome(call, status, body)
    assert isinstance(refused, Rejected)
    assert refused.failure.code is code


@pytest.mark.parametrize(
    ("call", "status", "body", "code"),
    [
        ("start", 429, {"message": "API rate limit exceeded"}, FailureCode.PROVIDER_UNAVAILABLE),
        ("stop", 429, {"message": "API rate limit exceeded"}, FailureCode.PROVIDER_UNAVAILABLE),
        ("update", 429, {"message": "API rate limit exceeded"}, FailureCode.PROVIDER_UNAVAILABLE),
        ("rule", 429, {"message": "API rate limit exceeded"}, FailureCode.PROVIDER_UNAVAILABLE),
        ("users", 429, {"message": "API rate limit exceeded"}, FailureCode.PROVIDER_UNAVAILABLE),
        ("start", 400, coded(406, "vendor_over_load"), FailureCode.CAPACITY),
        ("stop", 400, coded(406, "vendor_over_load"), FailureCode.CAPACITY),
        ("acquire", 500, coded(501), FailureCode.PROVIDER_UNAVAILABLE),
        ("acquire", 400, coded(62), FailureCode.PROVIDER_UNAVAILABLE),
        ("acquire", 502, b"<html>", FailureCode.PROVIDER_UNAVAILABLE),
    ],
)
def test_refusals_for_now(call: str, status: int, body: Any, code: FailureCode) -> None:
    later = outcome(call, status, body, {"Retry-After": "3"})
    assert isinstance(later, RetryLater)
    assert later.failure.code is code
    assert later.failure.retryable
    assert later.after_ms == 3000
    assert (later.limit is not None) is (code is FailureCode.CAPACITY)


@pytest.mark.parametrize(
    ("status", "body", "limit"),
    [
        (400, coded(406, "vendor_over_load"), Limit.RECORDERS),
        (429, {"message": "API rate limit exceeded"}, Limit.REQUESTS),
    ],
)
def test_a_provider_that_is_full_says_of_what(status: int, body: Any, limit: Limit) -> None:
    later = outcome("acquire", status, body, {"Retry-After": "3"})
    assert isinstance(later, RetryLater)
    assert (later.failure.code, later.failure.retryable) == (FailureCode.CAPACITY, True)
    assert (later.limit, later.after_ms) == (limit, 3000)


def test_a_row_is_reached_by_some_answer_of_its_own() -> None:
    """No row stands behind another one that takes all its answers."""
    for index, row in enumerate(TABLE):
        status = {2: 200, 5: 599, None: 418}.get(row.status or 0, row.status) if row.status != 5 else 599
        body = {"code": row.code} if row.code else {}
        answer = read_answer(status or 418, {}, orjson.dumps(body))
        call = row.call or "query"
        first = next(number for number, each in enumerate(TABLE) if each.fits(call, answer))
        assert first == index, (row.call, row.status, row.code, row.source)


def test_every_row_names_its_source() -> None:
    assert all(row.source for row in TABLE)
