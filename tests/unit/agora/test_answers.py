"""What is read of an answer whose shape nobody promises."""

from typing import Any

import orjson
import pytest

from clients.agora.answers import TEXT_MAX, Answer, read_answer
from clients.agora.reading import resource_id_of


def read(body: Any = None, status: int = 400, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(status, names, body if isinstance(body, bytes) else orjson.dumps(body))


@pytest.mark.parametrize("code", [0, -1, True, 1.5, "7", None, 10**12, [7]])
def test_a_code_is_a_small_number_above_0(code: Any) -> None:
    assert read({"code": code}).code is None


def test_the_service_gives_a_reason_and_the_gateway_a_message() -> None:
    assert read({"code": 2, "reason": "bad"}).summary == "HTTP 400, code 2: bad"
    assert read({"message": "Unauthorized"}, 401).summary == "HTTP 401: Unauthorized"
    assert read({"reason": "r" * 1000}).reason == "r" * TEXT_MAX
    assert read({"reason": {"no": "text"}}).reason == ""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON: ''"),
        (b"<html>502", "not JSON: '<html>502'"),
        (b"\xff" * 100, "not JSON: '" + "\ufffd" * 40 + "'"),
    ],
)
def test_what_is_not_json_is_told_in_part(body: bytes, reason: str) -> None:
    assert (read(body).reason, read(body).body) == (reason, {})


@pytest.mark.parametrize(
    ("value", "after_ms"),
    [
        ("3", 3000),
        ("0", 0),
        ("", None),
        ("-1", None),
        ("Wed, 21 Oct", None),
        ("\u0663", None),
        ("9" * 5000, 999_999_999_000),
    ],
)
def test_retry_after_in_seconds_or_not_believed(value: str, after_ms: int | None) -> None:
    assert read({}, Retry_After=value).retry_after_ms == after_ms


def test_ids_of_requests_are_kept() -> None:
    assert read({}, X_Request_ID="r-1").request_id == "r-1"
    assert read({}).request_id is None


@pytest.mark.parametrize("resource_id", ["", "a/b", "a b", "..?", "a" * 2049, 7, None])
def test_a_resource_id_must_fit_into_a_path(resource_id: Any) -> None:
    assert resource_id_of({"resourceId": resource_id}) is None


def test_a_resource_id_may_be_long() -> None:
    assert resource_id_of({"resourceId": "a" * 1024}) == "a" * 1024


@pytest.mark.parametrize(
    ("until", "after_ms"),
    [
        ("Sun, 22 Nov 2026 10:00:07 GMT", 7000),
        ("Sun, 22 Nov 2026 10:00:07 -0000", 7000),
        ("Sun, 22 Nov 2026 12:00:02 +0200", 2000),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
        ("Sun, 22 Nov 99999 09:00:00 GMT", None),
    ],
)
def test_retry_after_as_a_time_is_by_the_clock_of_who_answers(until: str, after_ms: int | None) -> None:
    assert read({}, Retry_After=until, Date="Sun, 22 Nov 2026 10:00:00 GMT").retry_after_ms == after_ms


def test_without_its_clock_ours_is_taken() -> None:
    assert read({}, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT", Date="noon").retry_after_ms > 10**11  # type: ignore[operator]
    assert read({}, Retry_After="Fri, 01 Jan 2010 00:00:00 GMT").retry_after_ms == 0
