"""Pages of other origins: those in the list get what they need, all others get nothing."""

from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.cors import cors
from server.policy import MEETING_MEMBER, MEETING_STREAM, SIGNED, route
from tests.unit.server.conftest import Serve

PAGE = "https://app.example"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}


async def _serve(*origins: str) -> TestClient[web.Request, web.Application]:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.query.get("stream"):
            stream = web.StreamResponse()
            await stream.prepare(request)
            await stream.write(b"data: 1\n\n")
            return stream
        return web.json_response({}, status=int(request.query.get("status", "200")))

    app = web.Application()
    app.middlewares.append(cors(app, origins))
    for path in ("/api/v1/x", "/media/x", "/metrics"):
        app.router.add_get(path, handler)
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


@pytest_asyncio.fixture
async def client() -> AsyncIterator[TestClient[web.Request, web.Application]]:
    made = await _serve(PAGE)
    yield made
    await made.close()


async def test_a_listed_origin_may_read_answers_errors_and_streams(
    client: TestClient[web.Request, web.Application],
) -> None:
    for path in ("/api/v1/x", "/media/x", "/api/v1/x?status=409", "/api/v1/x?stream=1"):
        response = await client.get(path, headers={"Origin": PAGE})
        assert response.headers["Access-Control-Allow-Origin"] == PAGE
        exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
        assert exposed == ["Location", "ETag", "Retry-After", "X-Request-ID", "Idempotent-Replayed"]
        assert response.headers["Vary"] == "Origin"


async def test_another_origin_gets_no_header(client: TestClient[web.Request, web.Application]) -> None:
    response = await client.get("/api/v1/x", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Vary"] == "Origin"


async def test_no_origin_is_ever_let_in_as_any_or_with_cookies(
    client: TestClient[web.Request, web.Application],
) -> None:
    for origin in (PAGE, "https://evil.example", "null", "*", f"{PAGE}.evil.example", PAGE.replace("https", "http")):
        response = await client.get("/api/v1/x", headers={"Origin": origin})
        assert response.headers.get("Access-Control-Allow-Origin") == (PAGE if origin == PAGE else None)
        assert "Access-Control-Allow-Credentials" not in response.headers


async def test_a_preflight_needs_no_token_and_says_what_is_allowed(
    client: TestClient[web.Request, web.Application],
) -> None:
    response = await client.options("/api/v1/x", headers=PREFLIGHT)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert response.headers["Vary"] == "Origin"
    assert int(response.headers["Access-Control-Max-Age"]) > 0
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(response.headers["Access-Control-Allow-Methods"].split(", "))
    asked = {"Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "Prefer", "Range"}
    assert asked <= set(response.headers["Access-Control-Allow-Headers"].split(", "))


async def test_other_preflights_are_not_answered(client: TestClient[web.Request, web.Application]) -> None:
    assert (await client.options("/api/v1/x", headers={**PREFLIGHT, "Origin": "https://evil.example"})).status == 405
    assert (await client.options("/api/v1/x", headers={"Origin": PAGE})).status == 405
    assert (await client.options("/metrics", headers=PREFLIGHT)).status == 405


async def test_without_a_list_nothing_is_open() -> None:
    closed = await _serve()
    response = await closed.get("/api/v1/x", headers={"Origin": PAGE})
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Vary" not in response.headers
    await closed.close()


async def test_refusals_of_every_kind_can_be_read_through_the_whole_edge(serve: Serve) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({})

    def add_routes(app: web.Application) -> None:
        route(app, "GET", "/api/v1/meetings/{meetingId}/x", handler, policy=MEETING_MEMBER)
        route(app, "GET", "/api/v1/meetings/{meetingId}/events", handler, policy=MEETING_STREAM)
        route(app, "GET", "/media/x", handler, policy=SIGNED)

    edge = await serve(add_routes, cors_origins=(PAGE,))
    paths = {"/api/v1/meetings/m/x": 401, "/api/v1/meetings/m/events": 401, "/api/v1/nothing": 404, "/media/x": 200}
    for path, status in paths.items():
        async with edge.client.get(path, headers={"Origin": PAGE}) as response:
            assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (status, PAGE)
            assert response.headers["X-Request-ID"]
        async with edge.client.options(path, headers=PREFLIGHT) as response:
            assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, PAGE)
