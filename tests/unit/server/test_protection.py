"""What every answer tells a browser, and what pages may do."""

import pytest
from aiohttp import hdrs, web

from server.policy import MEETING_MEMBER, PUBLIC, SIGNED, route
from server.protection import POLICY, page_policy
from tests.unit.server.conftest import Edge, Serve


async def _json(_: web.Request) -> web.Response:
    return web.json_response({})


async def _page(_: web.Request) -> web.Response:
    return web.Response(text="<p>", content_type="text/html")


async def _own(_: web.Request) -> web.Response:
    headers = {POLICY: "default-src 'none'", hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(text="<p>", content_type="text/html", headers=headers)


async def _stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"data: 1\n\n")
    return response


def add_routes(app: web.Application) -> None:
    for path, handler in {"/json": _json, "/page": _page, "/own": _own, "/stream": _stream}.items():
        route(app, "GET", path, handler, policy=PUBLIC)
    route(app, "GET", "/media/x", _stream, policy=SIGNED)
    route(app, "GET", "/api/v1/meetings/{meetingId}/x", _json, policy=MEETING_MEMBER)


@pytest.fixture
async def edge(serve: Serve) -> Edge:
    return await serve(add_routes)


PATHS = ["/json", "/page", "/own", "/stream", "/media/x", "/nothing", "/api/v1/meetings/m/x"]


@pytest.mark.parametrize("path", PATHS)
async def test_no_answer_is_framed_guessed_at_or_told_of(edge: Edge, path: str) -> None:
    async with edge.client.get(path) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("path", "who"), [("/json", "same-origin"), ("/stream", "same-origin"), ("/media/x", "cross-origin")]
)
async def test_only_media_may_be_embedded_elsewhere(edge: Edge, path: str, who: str) -> None:
    async with edge.client.get(path) as response:
        assert response.headers["Cross-Origin-Resource-Policy"] == who


async def test_a_page_has_a_policy_and_is_asked_for_again(edge: Edge) -> None:
    async with edge.client.get("/page") as response:
        assert response.headers[POLICY] == page_policy()
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response.headers["Cache-Control"] == "no-cache"
    async with edge.client.get("/json") as response:
        assert POLICY not in response.headers


async def test_a_page_may_be_stricter(edge: Edge) -> None:
    async with edge.client.get("/own") as response:
        assert response.headers.getall(POLICY) == ["default-src 'none'"]
        assert response.headers.getall("Cache-Control") == ["no-store"]


def test_the_policy_lets_nothing_inline_and_nothing_foreign_in() -> None:
    directives = dict(part.strip().split(" ", 1) for part in page_policy(["https://media.example"]).split(";"))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "media-src": "'self' blob: https://media.example",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
