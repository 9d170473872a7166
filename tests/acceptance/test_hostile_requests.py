"""Hundreds of requests that nobody should send: each gets its problem and one line in the log, and nothing comes of it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from server.openapi import document
from tests.acceptance.hostile import CODES, EVERYTHING, LIST, ONE, PASSWORD, TOKEN, get, post
from tests.acceptance.running import Client, RunningServer, serving, token_for
from tests.acceptance.wire import CHUNKED, assert_quiet_log, connect, exchange, log_lines, request
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATOR = token_for("o", operator=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """Afterwards there is no recording, and the log holds what it should hold."""
    async with serving(TAPEDECK_HTTP__BODY_SECONDS_MAX="1") as running:
        yield running
        async with aiohttp.ClientSession() as http:
            _, listed, _ = await Client(http, running, OPERATOR).call("GET", "/api/v1/recordings?status=failed")
            assert listed["total"] == 0
            _, listed, _ = await Client(http, running, OPERATOR).call("GET", "/api/v1/recordings")
            assert listed["total"] == 0
        await running.stop()
        assert_quiet_log(running, TOKEN, PASSWORD)


@pytest.mark.parametrize("name", EVERYTHING)
async def test_a_bad_request_is_a_problem_and_one_line(server: RunningServer, name: str) -> None:
    sent, status = EVERYTHING[name]
    first, _, rest = sent.partition(b"\r\n")
    answer = await exchange(server, first + f"\r\nX-Request-ID: {name}\r\n".encode() + rest)
    assert answer.status == status, answer
    problem = answer.problem()
    assert problem["code"] in CODES[status]
    assert problem["requestId"] == name
    if status == 422:
        assert all(error.keys() == {"pointer", "detail"} for error in problem["errors"])
    assert await eventually(lambda: _statuses(server, name)) == [status]


async def _statuses(server: RunningServer, request_id: str) -> list[int]:
    return [line["status"] for line in log_lines(server) if line.get("request_id") == request_id]


BARE = {
    "two-lengths": post(b"{}", "Content-Length: 2"),
    "lengths-that-differ": post(b"{}", "Content-Length: 3"),
    "negative-length": post(b"{}", "Content-Length: -2", length=False),
    "signed-length": post(b"{}", "Content-Length: +2", length=False),
    "hex-length": post(b"{}", "Content-Length: 0x2", length=False),
    "list-of-lengths": post(b"{}", "Content-Length: 2, 2", length=False),
    "huge-length": post(b"{}", "Content-Length: " + "9" * 30, length=False),
    "length-and-chunks": post(b"2\r\n{}\r\n0\r\n\r\n", CHUNKED),
    "no-chunk-size": post(b"zz\r\n", CHUNKED, length=False),
    "negative-chunk": post(b"-2\r\n{}\r\n", CHUNKED, length=False),
    "huge-chunk": post(b"f" * 20 + b"\r\n", CHUNKED, length=False),
    "longer-chunk": post(b"2\r\n{}{}\r\n0\r\n\r\n", CHUNKED, length=False),
    "unknown-transfer": post(b"{}", "Transfer-Encoding: zz", length=False),
    "two-transfers": post(b"0\r\n\r\n", CHUNKED, CHUNKED, length=False),
    "huge-trailer": post(b"2\r\n{}\r\n0\r\nX: " + b"x" * 99_000 + b"\r\n\r\n", CHUNKED, length=False),
    "two-types": post(b"{}", "Content-Type: text/plain"),
    "two-hosts": get(LIST, "Host: there"),
    "no-host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "header-without-name": get(LIST, ": x"),
    "header-without-colon": get(LIST, "nothing"),
    "header-with-space": get(LIST, "X : y"),
    "folded-header": get(LIST, "X: y\r\n  z"),
    "nul-in-header": get(LIST, b"X: a\0b"),
    "line-break-in-header": get(LIST, b"X-Request-ID: a\rb"),
    "header-20-kb": get(LIST, "X: " + "x" * 20_000),
    "500-headers": get(LIST, *(f"X-{n}: y" for n in range(500))),
    "target-20-kb": get("/" + "x" * 20_000),
    "bytes-in-target": get(b"/\xff"),
    "escape-in-target": get(b"/\x1b[2J"),
    "relative-target": get("healthz"),
    "no-target": get(""),
    "garbled-authority": get("http://[::1/healthz"),
    "another-version": b"GET /healthz HTTP/3.7\r\nHost: a\r\n\r\n",
    "http-2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 200,
    "unknown-method": request("STEAL", LIST, token=TOKEN),
    "small-letters": request("get", LIST, token=TOKEN),
    "line-feeds": b"GET /healthz HTTP/1.1\nHost: a\n\n",
    "every-byte": bytes(range(256)),
}


@pytest.mark.parametrize("name", BARE)
async def test_what_is_no_http_is_refused_by_the_parser(server: RunningServer, name: str) -> None:
    before = len(log_lines(server))
    assert (await exchange(server, BARE[name])).status == 400
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/healthz") as response:
        assert response.status == 200
    told = [line["event"] for line in log_lines(server)[before:]]
    assert told in (
        ["http.garbled", "http.request"],
        ["http.request"],
    )  # aiohttp mentions what begins with no method less


ODD = {
    "http-0.9": (b"GET /healthz\r\n\r\n", 200),
    "http-1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    "empty-lines-first": (b"\r\n\r\n" + request("GET", "/healthz"), 200),
    "odd-host": (b'GET /healthz HTTP/1.1\r\nHost: <"a b">:x\r\n\r\n', 200),
    "bytes-in-header": (request("GET", "/healthz", b"X: \xff\xfe"), 200),
    "bytes-in-origin": (get(LIST, b"Origin: \xff"), 200),
    "odd-etag": (get(LIST, 'If-None-Match: """,,W/,x'), 200),
    "body-of-a-look": (request("GET", LIST, CHUNKED, body=b"2\r\n{}\r\n0\r\n\r\n", length=False, token=TOKEN), 200),
    "upgrade-to-http-2": (get(LIST, "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AA"), 200),
    "odd-cursor-of-a-stream": (request("GET", "/api/v1/events", b"Last-Event-ID: \xff", token=TOKEN), 403),
}


@pytest.mark.parametrize("name", ODD)
async def test_what_is_only_odd_is_served(server: RunningServer, name: str) -> None:
    sent, status = ODD[name]
    assert (await exchange(server, sent)).status == status


@pytest.mark.parametrize("given", ["a%0d%0aSet-Cookie:x", "a b", "x" * 129, b"\xc3\xbc", b"\xff", "", "a;b", '"'])
async def test_a_request_id_that_is_none_is_replaced(server: RunningServer, given: str | bytes) -> None:
    value = given if isinstance(given, bytes) else given.encode()
    answer = await exchange(server, request("GET", "/healthz", b"X-Request-ID: " + value))
    assert answer.headers["X-Request-ID"].encode() != value
    assert answer.headers["X-Request-ID"].isalnum()
    assert answer.headers["Set-Cookie"] is None


ROUTES = {path: {method.upper() for method in item} for path, item in document()["paths"].items()}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@pytest.mark.parametrize("path", ROUTES)
async def test_another_method_is_told_which_ones_are_taken(server: RunningServer, path: str) -> None:
    target = path.replace("{meetingId}", "m").replace("{id}", ONE.rpartition("/")[2]).replace("{", "").replace("}", "")
    taken = ROUTES[path] | ({"HEAD"} if "GET" in ROUTES[path] and not path.endswith("/events") else set())
    for method in set(METHODS) - taken:
        answer = await exchange(server, request(method, target))
        assert (answer.status, answer.headers["Allow"]) == (405, ", ".join(sorted(taken)))
        if method != "HEAD":
            assert answer.problem()["code"] == "method_not_allowed"


async def test_many_requests_at_once_on_one_connection(server: RunningServer) -> None:
    mixed = (request("GET", "/healthz") + post(b"{")) * 50
    sent = mixed + request("GET", "/healthz", "Connection: close")
    reader, writer = await connect(server)
    writer.write(sent)
    answers = await reader.read()
    writer.close()
    assert (answers.count(b"HTTP/1.1 200 "), answers.count(b"HTTP/1.1 400 ")) == (51, 50)
