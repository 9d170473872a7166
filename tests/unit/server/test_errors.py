"""Every code of the contract renders as a problem, and says what to do about it."""

import json
from typing import Any

import pytest

from scripts.errors import PAGE, page
from server.errors import ERRORS, Action, Problem, invalid

ADDED = {"sweep_running": 409}
# api.md 2, word for word.
CONTRACT = {
    400: "bad_request",
    401: "unauthenticated invalid_signature",
    403: "forbidden",
    404: "not_found no_media",
    405: "method_not_allowed",
    409: "no_active_recording recording_already_active recording_aborted recording_live recording_not_active "
    "recording_not_ready recording_locked",
    410: "recording_deleted",
    413: "payload_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    422: "validation_failed idempotency_key_reused",
    429: "rate_limited",
    431: "headers_too_large",
    500: "internal",
    502: "provider_rejected provider_unauthorized",
    503: "provider_unavailable recording_capacity_exhausted storage_unavailable database_unavailable draining "
    "overloaded meeting_quarantined",
}


def body_of(problem: Problem) -> dict[str, Any]:
    response = problem.response("r-1")
    assert response.content_type == "application/problem+json"
    assert isinstance(response.body, bytes)
    return json.loads(response.body)  # type: ignore[no-any-return]


def test_the_codes_and_statuses_are_those_of_the_contract() -> None:
    expected = {code: status for status, codes in CONTRACT.items() for code in codes.split()}
    assert {code: error.status for code, error in ERRORS.items()} == {**expected, **ADDED}


@pytest.mark.parametrize("code", ERRORS)
def test_every_code_renders(code: str) -> None:
    problem = Problem(code, "because")
    assert body_of(problem) == {
        "type": f"/errors/{code}",
        "title": ERRORS[code].title,
        "status": ERRORS[code].status,
        "detail": "because",
        "code": code,
        "requestId": "r-1",
        "retryable": ERRORS[code].status in (429, 503, 500) or code in ("recording_not_ready", "sweep_running"),
    }
    assert problem.response("r-1").status == ERRORS[code].status


def test_without_a_detail_the_explanation_stands_there() -> None:
    assert body_of(Problem("draining"))["detail"] == ERRORS["draining"].explanation


def test_members_beside_the_fixed_ones_cannot_replace_them() -> None:
    body = body_of(Problem("no_active_recording", status=404, extra={"recording": {"id": "x"}, "code": "mine"}))
    assert (body["status"], body["recording"], body["code"]) == (404, {"id": "x"}, "no_active_recording")


def test_a_wait_is_named_where_it_helps() -> None:
    problem = Problem("recording_already_active", retryable=True, retry_after_seconds=3, headers={"X-Other": "1"})
    assert body_of(problem)["retryable"] is True
    headers = problem.response("r-1").headers
    assert (headers["Retry-After"], headers["X-Other"]) == ("3", "1")
    assert Problem("draining").response("r-1").headers["Retry-After"] == "1"
    assert "Retry-After" not in Problem("internal").response("r-1").headers


def test_an_invalid_value_is_pointed_at() -> None:
    body = body_of(invalid("/limit", "1 to 100"))
    assert (body["code"], body["errors"]) == ("validation_failed", [{"pointer": "/limit", "detail": "1 to 100"}])


def test_a_code_outside_the_list_is_a_defect() -> None:
    with pytest.raises(KeyError):
        Problem("teapot")


@pytest.mark.parametrize("code", ERRORS)
def test_what_to_do_fits_what_is_sent(code: str) -> None:
    error = ERRORS[code]
    assert error.retryable is (error.action in (Action.WAIT, Action.REPEAT))
    assert (error.retry_after_seconds is not None) is (error.retryable and code != "internal")
    assert error.advice.endswith(".")


def test_the_page_of_errors_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/errors.py --write"
    assert all(f"| `{code}` |" in page() for code in ERRORS)
