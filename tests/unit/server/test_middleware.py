"""What every request passes: ids, limits, errors, the log line, the metrics."""

import asyncio
import gzip
from typing import Any

import pytest
import structlog
from aiohttp import web

from server.errors import Problem
from server.middleware import request_id_of
from server.params import read_body
from server.policy import PUBLIC, SIGNED, route
from tests.unit.server.conftest import Edge, Serve, bearer


async def hello(request: web.Request) -> web.Response:
    return web.json_response({"requestId": request_id_of(request)})


async def page(_: web.Request) -> web.Response:
    return web.Response(text="<p>", content_type="text/html")


async def refuse(_: web.Request) -> web.Response:
    raise Problem("recording_not_ready", "not yet", retry_after_seconds=2)


async def crash(_: web.Request) -> web.Response:
    raise LookupError("the-inner-secret")


async def redirect(_: web.Request) -> web.Response:
    raise web.HTTPFound("/hello")


async def give_up(_: web.Request) -> web.Response:
    raise web.HTTPBadGateway


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await read_body(request, 100))


async def half(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half")
    raise LookupError("in the middle")


def add_routes(app: web.Application) -> None:
    for name, handler in {"page": page, "refuse": refuse, "crash": crash, "redirect": redirect, "half": half}.items():
        route(app, "GET", f"/{name}", handler, policy=PUBLIC)
    route(app, "GET", "/give-up", give_up, policy=PUBLIC)
    route(app, "GET", "/hello/{name}", hello, policy=PUBLIC)
    route(app, "GET", "/hello", hello, policy=PUBLIC)
    route(app, "POST", "/echo", echo, policy=SIGNED)


@pytest.fixture
async def edge(serve: Serve) -> Edge:
    return await serve(
        add_routes, uri_bytes_max=1000, header_bytes_max=1000, headers_bytes_max=3000, body_bytes_max=200
    )


async def problem(edge: Edge, method: str, path: str, **options: Any) -> dict[str, Any]:
    async with edge.client.request(method, path, **options) as response:
        assert response.content_type == "application/problem+json"
        body: dict[str, Any] = await response.json(content_type=None)
        assert (body["status"], body["requestId"]) == (response.status, response.headers["X-Request-ID"])
        assert response.headers["Cache-Control"] == "no-store"
        return body


@pytest.mark.parametrize("given", ["a", "A-Z_a.z:0-9", "x" * 128])
async def test_the_callers_request_id_is_kept(edge: Edge, given: str) -> None:
    async with edge.client.get("/hello", headers={"X-Request-ID": given}) as response:
        assert (await response.json())["requestId"] == response.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "ü", "a/b", "{}"])
async def test_another_one_gets_a_new_id(edge: Edge, given: str) -> None:
    ids = set()
    for _ in range(2):
        async with edge.client.get("/hello", headers={"X-Request-ID": given}) as response:
            ids.add(response.headers["X-Request-ID"])
            assert (await response.json())["requestId"] in ids
    assert len(ids) == 2
    assert given not in ids


async def test_json_is_not_stored_and_pages_are_asked_for_again(edge: Edge) -> None:
    async with edge.client.get("/hello") as response:
        assert response.headers["Cache-Control"] == "no-store"
    async with edge.client.get("/page") as response:
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["X-Request-ID"]


async def test_a_problem_is_answered_as_it_is(edge: Edge) -> None:
    async with edge.client.get("/refuse") as response:
        assert (response.status, response.headers["Retry-After"]) == (409, "2")
    assert (await problem(edge, "GET", "/refuse"))["code"] == "recording_not_ready"


async def test_a_head_is_answered_like_a_get(edge: Edge) -> None:
    async with edge.client.head("/hello") as response:
        assert (response.status, await response.read()) == (200, b"")


async def test_a_redirect_stays_one(edge: Edge) -> None:
    async with edge.client.get("/redirect", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/hello")


async def test_an_unknown_address_is_a_problem(edge: Edge) -> None:
    assert (await problem(edge, "GET", "/nothing"))["code"] == "not_found"


async def test_another_method_is_told_which_ones_are_taken(edge: Edge) -> None:
    async with edge.client.delete("/hello") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
    assert (await problem(edge, "DELETE", "/hello"))["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/crash", "/give-up"])
async def test_a_defect_tells_nothing(edge: Edge, path: str) -> None:
    body = await problem(edge, "GET", path)
    assert (body["code"], body["status"]) == ("internal", 500)
    assert "the-inner-secret" not in str(body)


async def test_a_defect_is_one_log_line(edge: Edge) -> None:
    with structlog.testing.capture_logs() as logs:
        await problem(edge, "GET", "/crash", headers={"X-Request-ID": "r-1"})
    failed = [line for line in logs if line["event"] == "http.failed"]
    assert [(line["request_id"], line["log_level"]) for line in failed] == [("r-1", "error")]


async def test_a_defect_in_the_middle_of_an_answer_ends_the_connection(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await edge.raw(b"GET /half HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"half" in answer
    assert b"problem" not in answer
    assert [line["event"] for line in logs] == ["http.failed", "http.request"]
    assert logs[1]["status"] == 499
    assert caplog.records == []


LIMITS = [
    ({"path": "/hello?" + "x" * 994}, 414, "uri_too_long"),
    ({"path": "/hello", "headers": {"X-Long": "x" * 995}}, 431, "headers_too_large"),
    ({"path": "/hello", "headers": {f"X-{n}": "x" * 900 for n in range(4)}}, 431, "headers_too_large"),
    ({"method": "POST", "path": "/echo", "data": b"x" * 201}, 413, "payload_too_large"),
    ({"method": "POST", "path": "/echo", "data": b"x" * 101}, 413, "payload_too_large"),
    ({"method": "POST", "path": "/echo", "headers": {"Content-Encoding": "br"}}, 415, "unsupported_media_type"),
]


@pytest.mark.parametrize(("request_", "status", "code"), LIMITS)
async def test_more_than_the_limit_is_refused(edge: Edge, request_: dict[str, Any], status: int, code: str) -> None:
    body = await problem(edge, **{"method": "GET", **request_})
    assert (body["status"], body["code"]) == (status, code)


async def test_what_is_at_the_limit_is_taken(edge: Edge) -> None:
    async with edge.client.get("/hello?" + "x" * 993, headers={"X-Long": "x" * 900}) as response:
        assert response.status == 200
    async with edge.client.post("/echo", data=b"x" * 100) as response:
        assert await response.read() == b"x" * 100


async def test_the_parsers_limits_lie_above_ours(serve: Serve) -> None:
    edge = await serve(add_routes)
    assert (await problem(edge, "GET", "/hello?" + "x" * 12000))["code"] == "uri_too_long"
    assert (await problem(edge, "GET", "/hello", headers={"X-Long": "x" * 12000}))["code"] == "headers_too_large"


async def test_a_body_without_a_length_is_counted(edge: Edge) -> None:
    async def chunks() -> Any:
        for _ in range(20):
            yield b"x" * 10

    assert (await problem(edge, "POST", "/echo", data=chunks()))["code"] == "payload_too_large"


@pytest.mark.parametrize("body", [gzip.compress(b"{}"), b"garbled"])
async def test_encoded_bodies_are_refused(edge: Edge, body: bytes) -> None:
    answer = await problem(edge, "POST", "/echo", data=body, headers={"Content-Encoding": "gzip"})
    assert answer["code"] == "unsupported_media_type"


GARBLED = [
    b"GET /hello/%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /hello?x=%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /hello/\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /hello HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
    b"GET /hello HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
]


@pytest.mark.parametrize("request_", GARBLED)
async def test_garbled_requests_are_bad_ones(edge: Edge, request_: bytes) -> None:
    assert (await edge.raw(request_)).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))


async def test_unicode_in_an_address_is_fine(edge: Edge) -> None:
    assert (await edge.raw(b"GET /hello/%F0%9F%8E%99 HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.0 200 ")


@pytest.mark.parametrize("expectation", [b"100-continue", b"miracles"])
async def test_an_expectation_never_breaks_a_request(edge: Edge, expectation: bytes) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nExpect: " + expectation
    answer = await edge.raw(head + b"\r\n\r\nok")
    assert answer.startswith(b"HTTP/1.1 100 Continue") is (expectation == b"100-continue")
    assert b"HTTP/1.1 200 OK" in answer
    assert answer.endswith(b"ok")


async def test_a_refusal_after_100_continue_is_still_a_problem(edge: Edge) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 101\r\nExpect: 100-continue"
    answer = await edge.raw(head + b"\r\n\r\n" + b"x" * 101)
    assert b"HTTP/1.1 413 " in answer
    assert b"payload_too_large" in answer


async def test_a_request_is_one_log_line_without_its_query(edge: Edge) -> None:
    headers = {"X-Request-ID": "r-1", **bearer({"m-1": "HOST"})}
    with structlog.testing.capture_logs() as logs:
        async with edge.client.get("/hello/you?access_token=very-secret", headers=headers):
            pass
    (line,) = [each for each in logs if each["event"] == "http.request"]
    assert {name: line[name] for name in ("method", "path", "route", "status", "request_id")} == {
        "method": "GET",
        "path": "/hello/you",
        "route": "/hello/{name}",
        "status": 200,
        "request_id": "r-1",
    }
    assert "very-secret" not in str(logs)
    assert headers["Authorization"][7:] not in str(logs)


async def test_a_path_in_the_log_is_one_short_line_as_it_was_sent(edge: Edge) -> None:
    with structlog.testing.capture_logs() as logs:
        for sent in (b"/hello/a%0aforged%1b[2J", b"http://user:very-secret@a/hello", b"/" + b"x" * 900):
            await edge.raw(b"GET " + sent + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert [line["path"] for line in logs] == ["/hello/a%0aforged%1b[2J", "/hello", "/" + "x" * 511]


SLOW = [b"", b"GET /hello HTTP/1.1\r\nHost: a\r\nX: ", b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hel"]


@pytest.mark.parametrize("begun", SLOW)
async def test_a_connection_is_not_kept_for_headers_that_never_end(serve: Serve, begun: bytes) -> None:
    edge = await serve(add_routes, idle_seconds_max=0.2)
    assert (await edge.raw(begun)).count(b"200 OK") == begun.count(b"\r\n\r\n")


async def test_requests_are_counted_by_route_and_not_by_path(edge: Edge) -> None:
    for path in ("/hello/a", "/hello/b", "/nothing"):
        async with edge.client.get(path):
            pass
    async with edge.client.request("PROPFIND", "/hello"):
        pass

    def count(method: str, template: str, status: int) -> float | None:
        labels = {"method": method, "route": template, "status": str(status)}
        return edge.registry.get_sample_value("tapedeck_http_requests_total", labels)

    assert [count("GET", "/hello/{name}", 200), count("GET", "none", 404), count("other", "none", 405)] == [2, 1, 1]
    assert edge.registry.get_sample_value("tapedeck_http_request_seconds_count", {"route": "/hello/{name}"}) == 2


async def test_a_caller_that_hangs_up_in_the_middle_is_no_defect(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def receive(request: web.Request) -> web.Response:
        began.set()
        try:
            return web.Response(body=await read_body(request, 100))
        finally:
            ended.set()

    edge = await serve(lambda app: route(app, "POST", "/receive", receive, policy=SIGNED))
    with structlog.testing.capture_logs() as logs:
        _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(b"POST /receive HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf")
        await began.wait()
        writer.close()
        await writer.wait_closed()
        await ended.wait()
        async with edge.client.get("/"):
            pass  # by the time of its answer the other one is over
    assert [(line["event"], line["status"]) for line in logs] == [("http.request", 499), ("http.request", 404)]
    assert caplog.records == []  # aiohttp would log a traceback for each


async def test_a_connection_of_ours_that_breaks_is_a_defect(serve: Serve) -> None:
    async def lose_the_database(_: web.Request) -> web.Response:
        raise ConnectionResetError("Postgres went away")

    edge = await serve(lambda app: route(app, "GET", "/", lose_the_database, policy=PUBLIC))
    assert (await problem(edge, "GET", "/"))["code"] == "internal"


UNFINISHED = [b"Content-Length: 50\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]


@pytest.mark.parametrize("rest", UNFINISHED)
async def test_a_body_that_never_ends_is_given_up(serve: Serve, rest: bytes) -> None:
    edge = await serve(add_routes, body_seconds_max=0.05)
    answer = await edge.raw(b"POST /echo HTTP/1.1\r\nHost: a\r\n" + rest, until=b"did not arrive within 0.05 s")
    assert answer.startswith(b"HTTP/1.1 400 ")
