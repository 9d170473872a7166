"""Answers that make no sense: what the core is told of them, how they are counted, and how rarely they are logged."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from actors.domain.outcomes import Ambiguous, Done, NotFound, Outcome, Rejected, RetryLater, Seen, Stopped
from clients.agora.answers import BYTES_MAX, read_answer
from clients.agora.dispatcher import ORDER
from clients.agora.oddities import SHAPES_MAX, Oddities, shape_of
from clients.agora.outcomes import TABLE
from clients.agora.sense import AHEAD_MS, CODES, Sense
from tests.unit.agora.nonsense import ANSWERS, ANY_BYTES, ANY_JSON, Odd

SID, OTHER = "38f8e3cfdc474cd56fc1ceba380d7e1a", "0" * 32
NOW_MS = 1_790_000_000_000
OF_SESSION = ("query", "stop", "update", "updateLayout")
CALLS = sorted(set(ORDER) - {"ncs_ip"})


class Desk:
    """A `Sense`, and what it reported."""

    def __init__(self) -> None:
        self.seen = Odd()
        self._sense = Sense(Oddities(self.seen), lambda: NOW_MS)

    def read(self, call: str, status: int, body: Any) -> Outcome[Any]:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return self._sense.outcome(call, read_answer(status, {}, raw), SID if call in OF_SESSION else None)


@pytest.mark.parametrize(
    ("call", "status", "body", "kind"),
    [
        ("start", 502, b"<html>", "html"),
        ("query", 200, b" \n<html>", "html"),
        ("query", 200, b"", "empty"),
        ("stop", 200, b"hello", "text"),
        ("stop", 200, b"\xff\xfe", "text"),
        ("update", 200, ["what", {"is": "this"}], "list"),
        ("users", 200, b"7", "list"),
        ("start", 200, b'{"sid":"' + b"x" * BYTES_MAX, "huge"),
        ("query", 299, {}, "status"),
        ("start", 302, {}, "status"),
        ("query", 206, {"code": 777}, "code"),
        ("query", 206, {"code": "65"}, "code"),
        ("start", 200, {"sid": "not hex"}, "fields"),
        ("query", 200, {"serverResponse": {"status": 99}}, "fields"),
        ("rule", 200, {"status": "success", "id": "7"}, "fields"),
        ("users", 200, {"success": True, "data": []}, "fields"),
        ("query", 200, {"sid": OTHER, "serverResponse": {"status": 5}}, "sid"),
        ("stop", 200, {"sid": OTHER, "serverResponse": {"uploadingStatus": "uploaded"}}, "sid"),
        ("stop", 404, {"sid": OTHER, "code": 404}, "sid"),
        ("update", 200, {"sid": None}, "sid"),
    ],
)
def test_nonsense_is_ambiguous_and_counted(call: str, status: int, body: Any, kind: str) -> None:
    desk = Desk()
    assert isinstance(desk.read(call, status, body), Ambiguous)
    assert desk.seen.kinds == [kind]


@pytest.mark.parametrize(
    ("call", "status", "body"),
    [
        ("query", 200, {"sid": SID, "serverResponse": {"status": 5}}),
        ("query", 200, {"serverResponse": {"status": 5}, "new": {"field": 1}}),
        ("stop", 200, {"sid": SID, "code": 0, "serverResponse": {}}),
        ("stop", 206, {"code": 435, "reason": "no recorded data"}),
        ("start", 206, {"code": 65, "reason": "request not completed"}),
        ("acquire", 429, {"message": "API rate limit exceeded"}),
        ("query", 504, {"code": 62}),
        ("rule", 200, {"status": "success", "id": 7}),
    ],
)
def test_what_is_documented_is_not_odd(call: str, status: int, body: Any) -> None:
    desk = Desk()
    desk.read(call, status, body)
    assert desk.seen.kinds == []


def test_the_codes_of_the_table_are_known() -> None:
    assert {row.code for row in TABLE if row.code} <= CODES


@pytest.mark.parametrize(("ahead_ms", "told"), [(AHEAD_MS, True), (AHEAD_MS + 1, False), (10**14, False)])
def test_a_slice_of_the_future_has_no_time(ahead_ms: int, told: bool) -> None:
    desk = Desk()
    at_ms = NOW_MS + ahead_ms
    seen = desk.read("query", 200, {"serverResponse": {"status": 5, "sliceStartTime": at_ms}})
    assert seen == Done(Seen(5, at_ms if told else None))
    assert desk.seen.kinds == ([] if told else ["time"])


def test_facts_about_no_session_need_none() -> None:
    desk = Desk()
    assert desk.read("stop", 404, {"code": 404, "reason": "failed to find worker"}) == Done(NotFound())
    assert desk.read("stop", 200, {"sid": SID}) == Done(Stopped("unknown"))
    assert desk.seen.kinds == []


def test_each_shape_is_logged_once_and_without_its_values() -> None:
    desk = Desk()
    with capture_logs() as logs:
        for secret in ("hush-1", "hush-2"):
            desk.read(
                "start", 200, {"sid": secret, "token": [secret], secret: {"deep": {"deeper": {"deepest": secret}}}}
            )
        desk.read("start", 200, {"sid": 7})
        desk.read("query", 502, b"<html>hush</html>")
    assert [(entry["event"], entry["call"], entry["kind"], entry["shape"]) for entry in logs] == [
        ("agora.odd", "start", "fields", "200, {?: {deep: {deeper: {…}}}, sid: text, token: [text]}"),
        ("agora.odd", "start", "fields", "200, {sid: number}"),
        ("agora.odd", "query", "html", "502, html"),
    ]
    assert "hush" not in str(logs)
    assert len(desk.seen.kinds) == 4


def test_so_many_shapes_are_remembered_and_no_more() -> None:
    seen = Odd()
    oddities = Oddities(seen)
    with capture_logs() as logs:
        for number in range(SHAPES_MAX + 50):
            oddities.note("query", "code", str(number))
    assert len(logs) == SHAPES_MAX
    assert len(seen.kinds) == SHAPES_MAX + 50


@given(ANY_JSON)
def test_a_shape_is_short_whatever_it_is_of(value: Any) -> None:
    assert len(shape_of(value)) < 5000
    assert len(shape_of({f"f{number}": value for number in range(1000)})) < 5000


@given(
    call=st.sampled_from(CALLS),
    status=st.integers(100, 599),
    body=ANY_BYTES | ANY_JSON.map(orjson.dumps) | ANSWERS.map(orjson.dumps),
)
def test_nothing_that_is_answered_breaks_it(call: str, status: int, body: bytes) -> None:
    desk = Desk()
    outcome = desk.read(call, status, body)
    assert isinstance(outcome, (Done, Rejected, Ambiguous, RetryLater))
    if isinstance(outcome, Done) and isinstance(outcome.value, Seen):
        assert (outcome.value.slice_started_at_ms or 0) <= NOW_MS + AHEAD_MS
    assert len(desk.seen.kinds) <= 1
