"""Authorisation: every route has a policy, and every policy is kept."""

import time

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from server.auth import Role
from server.policy import (
    MEETING_HOST,
    MEETING_MEMBER,
    MEETING_STREAM,
    OPERATOR,
    OPERATOR_STREAM,
    PRINCIPAL,
    PUBLIC,
    RECORDING_CONTROL,
    RECORDING_DELETE,
    RECORDING_MEMBER,
    SIGNED,
    Policy,
    allow_recording,
    assert_all_routes_have_policies,
    recording_playback,
    route,
)
from tests.unit.server.conftest import SECRET, Edge, Serve, bearer

NOBODY: dict[str, str] = {}
HOST, CO_HOST, PARTICIPANT = (bearer({"m-1": role}) for role in ("HOST", "CO_HOST", "PARTICIPANT"))
STRANGER = bearer({"m-2": "HOST"})
SERVICE = bearer({"*": "HOST"})
MUTED = bearer({"*": "HOST", "m-1": "PARTICIPANT"})
OPERATOR_ONLY = bearer(operator=True)
CALLERS = [NOBODY, HOST, CO_HOST, PARTICIPANT, STRANGER, SERVICE, MUTED, OPERATOR_ONLY]
NAMES = ["nobody", "host", "co-host", "participant", "stranger", "service", "muted", "operator"]

TABLE: list[tuple[str, Policy, list[int]]] = [
    ("public", PUBLIC, [200, 200, 200, 200, 200, 200, 200, 200]),
    ("signed", SIGNED, [200, 200, 200, 200, 200, 200, 200, 200]),
    ("meeting-host", MEETING_HOST, [401, 200, 200, 403, 404, 200, 403, 403]),
    ("meeting-member", MEETING_MEMBER, [401, 200, 200, 200, 404, 200, 200, 200]),
    ("meeting-stream", MEETING_STREAM, [401, 200, 200, 200, 404, 200, 200, 200]),
    ("recording-member", RECORDING_MEMBER, [401, 200, 200, 200, 404, 200, 200, 200]),
    ("recording-control", RECORDING_CONTROL, [401, 200, 200, 403, 404, 200, 403, 200]),
    ("recording-delete", RECORDING_DELETE, [401, 200, 403, 403, 404, 200, 403, 200]),
    ("playback", recording_playback(frozenset({Role.HOST})), [401, 200, 403, 403, 404, 200, 403, 200]),
    ("operator", OPERATOR, [401, 403, 403, 403, 403, 403, 403, 200]),
    ("operator-stream", OPERATOR_STREAM, [401, 403, 403, 403, 403, 403, 403, 200]),
]
CASES = [(name, who, status) for name, _, row in TABLE for who, status in zip(NAMES, row, strict=True)]


async def greet(request: web.Request) -> web.Response:
    principal = request.get(PRINCIPAL)
    return web.json_response({"sub": principal.sub if principal else None})


async def of_a_recording(request: web.Request) -> web.Response:
    allow_recording(request, "m-1")
    return await greet(request)


def add_routes(app: web.Application) -> None:
    for name, policy, _ in TABLE:
        handler: Handler = of_a_recording if policy.scope == "recording" else greet
        route(app, "GET", f"/{name}/{{meetingId}}", handler, policy=policy)
    route(app, "GET", "/forgotten", greet, policy=RECORDING_MEMBER)


@pytest.fixture
async def edge(serve: Serve) -> Edge:
    return await serve(add_routes)


@pytest.mark.parametrize(("name", "who", "status"), CASES)
async def test_who_may_call_what(edge: Edge, name: str, who: str, status: int) -> None:
    async with edge.client.get(f"/{name}/m-1", headers=CALLERS[NAMES.index(who)]) as response:
        assert response.status == status
        assert ("WWW-Authenticate" in response.headers) is (status == 401)
        if status == 404:
            assert (await response.json(content_type=None))["code"] == "not_found"


async def test_the_caller_is_known_to_the_handler(edge: Edge) -> None:
    async with edge.client.get("/meeting-host/m-1", headers=HOST) as response:
        assert await response.json() == {"sub": "user-1"}


async def test_a_recordings_handler_that_checks_nothing_answers_nothing(edge: Edge) -> None:
    async with edge.client.get("/forgotten", headers=SERVICE) as response:
        assert response.status == 500


async def status_of(edge: Edge, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    async with edge.client.get(path, headers=headers) as response:
        return response.status, (await response.json(content_type=None)).get("code", "")


TOKEN = HOST["Authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize(
    "value", [f"bearer {TOKEN}", f"BEARER  {TOKEN}", f"Bearer {TOKEN} "], ids=["lower", "upper", "spaces"]
)
async def test_the_scheme_is_read_generously(edge: Edge, value: str) -> None:
    assert (await status_of(edge, "/meeting-host/m-1", {"Authorization": value}))[0] == 200


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", "Bearer \u00fc", f"Bearer {TOKEN}x"]
)
async def test_anything_else_is_no_token(edge: Edge, value: str) -> None:
    assert await status_of(edge, "/meeting-host/m-1", {"Authorization": value}) == (401, "unauthenticated")


def with_times(**seconds: int) -> dict[str, str]:
    claims = {"sub": "u", "aud": "tapedeck", "meetings": {"*": "HOST"}, "exp": int(time.time()) + 1000}
    claims |= {name: int(time.time()) + offset for name, offset in seconds.items()}
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"}


async def test_an_expired_token_is_unauthenticated_after_its_leeway(edge: Edge) -> None:
    assert (await status_of(edge, "/meeting-host/m-1", with_times(exp=-10)))[0] == 200
    assert await status_of(edge, "/meeting-host/m-1", with_times(exp=-60)) == (401, "unauthenticated")


async def test_two_authorization_headers_are_one_too_many(edge: Edge) -> None:
    line = f"Authorization: Bearer {TOKEN}\r\n"
    answer = await edge.raw(
        f"GET /meeting-host/m-1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{line * 2}\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("name", "status"), [("meeting-stream", 200), ("meeting-member", 401), ("recording-member", 401)]
)
async def test_the_query_holds_a_token_on_streams_only(edge: Edge, name: str, status: int) -> None:
    assert (await status_of(edge, f"/{name}/m-1?access_token={TOKEN}"))[0] == status


@pytest.mark.parametrize("meeting_id", ["%2e%2e", "a%2Fb", "%00", "x" * 65, "%F0%9F%8E%99"])
async def test_a_malformed_meeting_is_told_before_a_missing_role(edge: Edge, meeting_id: str) -> None:
    url = f"GET /meeting-host/{meeting_id} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    assert b" 401 " in (await edge.raw(f"{url}\r\n".encode()))[:20]
    answer = await edge.raw(f"{url}Authorization: {STRANGER['Authorization']}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 422 ")
    assert b'"pointer":"/meetingId"' in answer


@pytest.mark.parametrize(
    ("path", "who", "code"),
    [
        ("/meeting-stream/m-1", NOBODY, 4401),
        ("/meeting-stream/m-1", {"Authorization": "Bearer x"}, 4401),
        ("/meeting-stream/m-1", STRANGER, 4403),
        ("/operator-stream/m-1", HOST, 4403),
        ("/meeting-stream/a%20b", HOST, 4403),
    ],
)
async def test_a_refused_websocket_is_told_by_its_close_code(
    edge: Edge, path: str, who: dict[str, str], code: int
) -> None:
    async with edge.client.ws_connect(path, headers=who) as socket:
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, code)


async def test_a_websocket_elsewhere_is_refused_by_status(edge: Edge) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await edge.client.ws_connect("/meeting-host/m-1")


def test_a_route_without_a_policy_keeps_the_application_from_building() -> None:
    app = web.Application()
    route(app, "GET", "/known", greet, policy=PUBLIC)
    assert_all_routes_have_policies(app)
    app.router.add_post("/forgotten", greet)
    with pytest.raises(RuntimeError, match=r"POST .*/forgotten"):
        assert_all_routes_have_policies(app)


async def test_a_route_without_a_policy_answers_nobody(serve: Serve) -> None:
    edge = await serve(
        lambda app: app.router.add_get("/forgotten", greet) and route(app, "GET", "/", greet, policy=PUBLIC)
    )
    assert await status_of(edge, "/forgotten", SERVICE) == (500, "internal")
