"""Pages of other origins: those in the list get what they need, all others get nothing."""

from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.cors import cors

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


async def test_a_preflight_needs_no_token_and_says_what_is_allowed(
    client: TestClient[web.Request, web.Application],
) -> None:
    response = await client.options("/api/v1/x", headers=PREFLIGHT)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Idempotency-Key", "Prefer"} <= set(
        response.headers["Access-Control-Allow-Headers"].split(", ")
    )


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
