"""Hundreds of requests that nobody should send: each gets its problem and one line in the log, and nothing comes of it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from server.openapi import document
from tests.acceptance.running import Client, RunningServer, serving, token_for
from tests.acceptance.wire import CHUNKED, JSON, assert_quiet_log, connect, exchange, log_lines, request
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

START, STOP, END = (f"/api/v1/meetings/bad/{call}" for call in ("recording/start", "recording/stop", "end"))
LIST = "/api/v1/meetings/bad/recordings"
ONE = "/api/v1/recordings/0199aaaa-0000-7000-8000-000000000000"
TOKEN = token_for("u")
OPERATOR = token_for("o", operator=True)
PASSWORD = "a-password-in-an-address"
MIB = 1024 * 1024


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
    assert_quiet_log(running, TOKEN, PASSWORD)


def post(body: bytes, *headers: str | bytes, target: str = START, length: bool = True) -> bytes:
    return request("POST", target, JSON, *headers, body=body, length=length, token=TOKEN)


def get(target: str | bytes, *headers: str | bytes) -> bytes:
    return request("GET", target, *headers, token=TOKEN)


BODIES = {
    "broken": (post(b"{"), 400),
    "trailing-comma": (post(b'{"maxDuration": 60,}'), 400),
    "two-values": (post(b"{} {}"), 400),
    "comment": (post(b"{} // no"), 400),
    "single-quotes": (post(b"{'maxDuration': 60}"), 400),
    "blank": (post(b"   "), 400),
    "nul": (post(b"\0"), 400),
    "byte-order-mark": (post(b"\xef\xbb\xbf{}"), 400),
    "utf-16": (post('{"maxDuration": 60}'.encode("utf-16")), 400),
    "latin-1": (post('{"externalId": "ü"}'.encode("latin-1")), 400),
    "overlong-utf-8": (post(b'{"externalId": "\xc0\xaf"}'), 400),
    "surrogate-in-utf-8": (post(b'{"externalId": "\xed\xa0\x80"}'), 400),
    "lone-surrogate": (post(b'{"externalId": "\\udc00"}'), 400),
    "lone-surrogate-as-key": (post(b'{"\\ud800": 1}'), 400),
    "control-character": (post(b'{"externalId": "\x01"}'), 400),
    "deep-lists": (post(b"[" * 100_000), 400),
    "deep-objects": (post(b'{"a":' * 100_000), 400),
    "deep-and-closed": (post(b"[" * 100_000 + b"]" * 100_000), 400),
    "deep-metadata": (post(b'{"metadata":' + b'{"a":' * 100 + b"1" + b"}" * 101), 422),
    "deep-unknown": (post(b'{"zz":' + b"[" * 150 + b"]" * 150 + b"}"), 422),
    "nan": (post(b'{"maxDuration": NaN}'), 422),
    "infinity": (post(b'{"metadata": {"a": -Infinity}}'), 422),
    "number-of-5000-digits": (post(b'{"maxDuration": ' + b"9" * 5000 + b"}"), 400),
    "exponent": (post(b'{"maxDuration": 1e999999}'), 422),
    "nan-behind-its-double": (post(b'{"metadata": {"a": NaN}, "metadata": {}}', "Idempotency-Key: d"), 400),
    "many-unknown": (post(b"{" + b",".join(b'"k%d": 1' % n for n in range(50_000)) + b"}"), 422),
    "stop-unknown": (post(b'{"unknown": 1}', target=STOP), 422),
    "stop-list": (post(b"[]", target=STOP), 422),
    "stop-broken": (post(b"{", target=STOP), 400),
    "end-broken": (post(b"\xff", target=END), 400),
    "declared-3-mb": (post(b" " * (3 * MIB)), 413),
    "declared-1-tb": (post(b"{", f"Content-Length: {MIB**2}", length=False), 413),
    "one-byte-too-many": (post(b" " * (MIB + 1)), 413),
    "chunked-3-mb": (post((b"%x\r\n" % MIB + b" " * MIB + b"\r\n") * 3, CHUNKED, length=False), 413),
    "never-ending": (post(b"{", "Content-Length: 100", length=False), 400),
    "never-ending-chunks": (post(b"1\r\n{\r\n", CHUNKED, length=False), 400),
    "gzip": (post(b"\x1f\x8b\x08", "Content-Encoding: gzip"), 415),
    "unknown-encoding": (post(b"{}", "Content-Encoding: identity, zz"), 415),
    "text": (request("POST", START, "Content-Type: text/plain", body=b"{}", token=TOKEN), 415),
    "no-type": (request("POST", START, body=b"{}", token=TOKEN), 415),
    "garbled-type": (request("POST", START, "Content-Type: ;;=,/", body=b"{}", token=TOKEN), 415),
    "type-of-bytes": (request("POST", START, b"Content-Type: \xff/\xfe", body=b"{}", token=TOKEN), 415),
    "charset": (request("POST", START, f"{JSON}; charset=utf-16", body=b"{}", token=TOKEN), 415),
    "form": (request("POST", START, "Content-Type: multipart/form-data; boundary=x", body=b"--x", token=TOKEN), 415),
    "upgrade": (post(b"{", "Upgrade: websocket", "Connection: Upgrade"), 400),
    "expect": (post(b"{", "Expect: 100-continue"), 400),
    "expect-miracles": (post(b"{", "Expect: miracles"), 400),
    "expect-and-too-large": (post(b" " * (MIB + 1), "Expect: 100-continue"), 413),
}
TARGETS = {
    "percent-nul": (get("/api/v1/meetings/%00/recordings"), 422),
    "percent-slash": (get("/api/v1/meetings/a%2Fb/recordings"), 422),
    "percent-dots": (get("/api/v1/meetings/%2e%2e/recordings"), 422),
    "dots": (get("/api/v1/meetings/../recordings"), 422),
    "many-dots": (get("/api/v1/../../../etc/passwd"), 404),
    "double-percent": (get("/api/v1/meetings/%252e/recordings"), 422),
    "no-percent": (get("/api/v1/meetings/%zz/recordings"), 422),
    "half-percent": (get("/api/v1/meetings/a%/recordings"), 422),
    "percent-line-break": (get("/api/v1/meetings/a%0d%0aSet-Cookie:x/recordings"), 422),
    "percent-escape": (get("/api/v1/meetings/%1b[2J/recordings"), 422),
    "percent-ff": (get("/api/v1/meetings/%ff/recordings"), 400),
    "percent-overlong": (get("/api/v1/meetings/%c0%af/recordings"), 400),
    "percent-surrogate": (get("/api/v1/meetings/%ed%a0%80/recordings"), 400),
    "too-long": (get("/" + "a" * 9000), 414),
    "too-long-query": (get(LIST + "?externalId=" + "a" * 9000), 414),
    "too-many-parameters": (get(LIST + "?" + "&".join(f"a{n}=" for n in range(2000))), 414),
    "double-slashes": (get("//api//v1//recordings"), 404),
    "trailing-slash": (get("/api/v1/recordings/"), 404),
    "another-case": (get("/API/V1/recordings"), 404),
    "absolute": (get(f"http://u:{PASSWORD}@evil.example/nothing"), 404),
    "authority": (request("CONNECT", "evil.example:443"), 404),
    "star": (request("OPTIONS", "*"), 404),
    "query-nul": (get(LIST + "?limit=%00"), 422),
    "query-ff": (get(LIST + "?limit=%ff"), 400),
    "query-name-nul": (get(LIST + "?%00=1"), 422),
    "query-no-name": (get(LIST + "?=1"), 422),
    "query-twice": (get(LIST + "?limit=1&limit=1"), 422),
    "query-semicolon": (get(LIST + "?limit=1;limit=1"), 422),
    "query-unknown": (get(LIST + "?limits=1"), 422),
    "query-empty": (get(LIST + "?limit="), 422),
    "query-plus": (get(LIST + "?limit=+1"), 422),
    "query-other-digits": (get(LIST + "?limit=%D9%A1"), 422),
    "query-negative": (get(LIST + "?offset=-1"), 422),
    "query-huge": (get(LIST + "?offset=" + "9" * 400), 422),
    "query-beyond-64-bits": (get(LIST + "?offset=9223372036854775808"), 422),
    "query-cursor": (get(LIST + "?cursor=" + "A" * 400), 422),
    "query-token": (request("GET", LIST + f"?access_token={TOKEN}"), 401),
    "query-on-a-command": (post(b"{}", target=START + "?force=true"), 422),
    "history-cursor": (get(ONE + "/history?cursor=-1"), 422),
    "expires-in": (get(ONE + "/playback?expiresIn=1e3"), 422),
    "unknown-recording": (get(ONE), 404),
    "no-uuid": (get("/api/v1/recordings/%00"), 404),
    "unknown-error": (get("/errors/%3Cscript%3E"), 404),
    "webhook-unsigned": (request("POST", "/api/v1/webhooks/agora", body=b"{}"), 401),
    "webhook-bytes": (request("POST", "/api/v1/webhooks/agora", b"Agora-Signature-V2: \xff", body=b"{}"), 401),
    "webhook-65-kb": (request("POST", "/api/v1/webhooks/agora", body=b" " * 65_537), 413),
    "media-unsigned": (get("/media/x"), 403),
    "media-dots": (get("/media/../../etc/passwd?expires=1&signature=" + "0" * 64), 403),
    "media-nul": (get("/media/%00?expires=9999999999&signature=" + "0" * 64), 403),
}
HEADERS = {
    "header-9-kb": (get(LIST, "X-Long: " + "x" * 9000), 431),
    "headers-40-kb": (get(LIST, *(f"X-{n}: " + "x" * 1000 for n in range(40))), 431),
    "token-9-kb": (request("GET", LIST, token="x" * 9000), 431),
    "token-8-kb": (request("GET", LIST, token="x" * 8000), 401),
    "token-of-bytes": (request("GET", LIST, b"Authorization: Bearer \xff.\xff.\xff"), 401),
    "two-tokens": (get(LIST, "Authorization: Bearer x"), 400),
    "basic": (request("GET", LIST, "Authorization: Basic dTpw"), 401),
    "no-scheme": (request("GET", LIST, f"Authorization: {TOKEN}"), 401),
    "two-keys": (post(b"{}", "Idempotency-Key: a", "Idempotency-Key: b"), 400),
    "empty-key": (post(b"{}", "Idempotency-Key: "), 400),
    "key-of-bytes": (post(b"{}", b"Idempotency-Key: \xff"), 400),
    "key-with-space": (post(b"{}", "Idempotency-Key: a b", target=STOP), 400),
    "long-key": (post(b"{}", "Idempotency-Key: " + "k" * 256, target=END), 400),
    "websocket-without-key": (
        get("/api/v1/meetings/bad/events", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        400,
    ),
    "preflight": (request("OPTIONS", LIST, "Origin: http://evil.example", "Access-Control-Request-Method: GET"), 405),
}
CODES = {
    400: "bad_request",
    401: ("unauthenticated", "invalid_signature"),
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    422: "validation_failed",
    431: "headers_too_large",
}
EVERYTHING = {**BODIES, **TARGETS, **HEADERS}


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
