"""Logs: their two forms, and that no secret gets into either."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp.http import HttpProcessingError
from hypothesis import given
from hypothesis import strategies as st

from server.logging import configure_logging, names_secret, redact


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root, parser = logging.getLogger(), logging.getLogger("aiohttp.server")
    before = (root.handlers[:], root.level, parser.filters[:])
    yield
    root.handlers, parser.filters = before[0], before[2]
    root.setLevel(before[1])
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    structlog.get_logger("actors.meeting").info("recording.started", meeting="m-1", seq=12, data=b"x")
    structlog.get_logger("actors.meeting").debug("unseen")
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    expected = {"event": "recording.started", "level": "info", "logger": "actors.meeting", "meeting": "m-1", "seq": 12}
    assert line == {**expected, "data": "b'x'"}


def test_the_standard_library_goes_the_same_way() -> None:
    stream = io.StringIO()
    configure_logging("warning", "json", stream)
    logging.getLogger("asyncpg").warning("slow query of %s ms", 17)
    logging.getLogger("asyncpg").info("unseen")
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["level"]) == ("slow query of 17 ms", "asyncpg", "warning")


@pytest.mark.parametrize(
    ("form", "stream", "is_json"),
    [
        ("auto", io.StringIO(), True),
        ("auto", Terminal(), False),
        ("json", Terminal(), True),
        ("console", io.StringIO(), False),
    ],
)
def test_a_terminal_gets_text_and_a_file_json(form: str, stream: io.StringIO, is_json: bool) -> None:
    configure_logging("info", form, stream)
    structlog.get_logger("x").info("recording.started", token="very-secret")
    text = stream.getvalue()
    assert text.startswith("{") is is_json
    assert "recording.started" in text
    assert "very-secret" not in text


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_failure_is_logged_with_its_traceback_and_without_its_secret(form: str) -> None:
    stream = io.StringIO()
    configure_logging("info", form, stream)
    try:
        int("GET /events?access_token=very-secret failed")
    except ValueError:
        structlog.get_logger("x").exception("http.failed")
        logging.getLogger("y").exception("and %s", "password=very-secret")
    text = stream.getvalue()
    assert text.count("ValueError") == 2
    assert "very-secret" not in text


def test_a_second_set_up_does_not_double_the_lines() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    configure_logging("info", "json", stream)
    structlog.get_logger("x").info("once")
    assert len(lines(stream)) == 1


def test_garbled_requests_are_one_line_that_quotes_nothing() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    parser = logging.getLogger("aiohttp.server")
    parser.error("Error handling request", exc_info=HttpProcessingError(message="Authorization: very-secret"))
    parser.error("Unhandled exception", exc_info=RuntimeError("ours"))
    logging.getLogger("aiohttp.websocket").warning("Client protocols ['very-secret'] don't overlap")
    garbled, ours = lines(stream)
    assert (garbled["event"], garbled["status"], garbled["error"]) == ("http.garbled", 400, "HttpProcessingError")
    assert ours["event"] == "Unhandled exception"
    assert "very-secret" not in stream.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "accessToken",
        "access_token",
        "customer_secret",
        "secretAccessKey",
        "authorization",
        "Authorization",
        "Proxy-Authorization",
        "X-Agora-Signature-V2",
        "password",
        "db_password",
        "key",
        "api_key",
        "accessKey",
        "certificate",
        "cookie",
        "Set-Cookie",
        "credentials",
    ],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name", ["meeting", "seq", "keyboard", "storage_key", "storageKey", "idempotency_key", "monkey", "tokenless"]
)
def test_other_names_are_left_alone(name: str) -> None:
    assert not names_secret(name)


TEXTS = [
    ("/e?access_token=abc.def&x=1", "/e?access_token=[redacted]&x=1"),
    ("/media/a.ts?expires=9&signature=0af1", "/media/a.ts?expires=9&signature=[redacted]"),
    ("https://b/k?X-Amz-Signature=ab12&X-Amz-Date=1", "https://b/k?X-Amz-Signature=[redacted]&X-Amz-Date=1"),
    ("Authorization: Bearer abc.def-_", "Authorization: Bearer [redacted]"),
    ("authorization: basic YTpi", "authorization: basic [redacted]"),
    ("postgresql://user:pass@host/db", "postgresql://user:[redacted]@host/db"),
    ("redis://:pass@host", "redis://:[redacted]@host"),
    ("http://127.0.0.1:3002/a@b", "http://127.0.0.1:3002/a@b"),
    ("nothing to hide", "nothing to hide"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_secrets_inside_texts_are_taken_out(text: str, expected: str) -> None:
    assert redact(None, "info", {"event": text}) == {"event": expected}


def test_secrets_are_found_at_any_depth() -> None:
    event = {"a": [{"b": ({"password": 1, "n": 5},)}], "url": {"q": "access_token=x"}}
    assert redact(None, "info", event) == {
        "a": [{"b": [{"password": "[redacted]", "n": 5}]}],
        "url": {"q": "access_token=[redacted]"},
    }


def test_a_structure_that_holds_itself_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "..." in str(redact(None, "info", {"event": "x", "loop": loop}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.just("\ud800"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("\ud800"), inner),
    max_leaves=10,
)


@given(JSON, st.sampled_from(["json", "console"]))
def test_whatever_is_logged_becomes_a_line(value: object, form: str) -> None:
    stream = io.StringIO()
    configure_logging("info", form, stream)
    structlog.get_logger("x").info("anything", value=value)
    assert "anything" in stream.getvalue()
    stream.getvalue().encode()
