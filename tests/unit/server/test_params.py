"""Ids, queries and bodies: what is malformed is told with a pointer, and never a 5xx."""

import string
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from server.errors import Problem
from server.params import (
    is_meeting_id,
    meeting_id_of,
    parse_body,
    parse_query,
    read_json,
    recording_id_of,
)
from server.policy import PUBLIC, route
from tests.unit.server.conftest import Edge, Serve

ALLOWED = string.ascii_letters + string.digits + "_.:-"


def request_with(path: str = "/", **match_info: str) -> web.Request:
    return make_mocked_request("GET", path, match_info=match_info)


@given(st.text(ALLOWED, min_size=1, max_size=64).filter(lambda text: text not in (".", "..")))
def test_every_id_of_the_contract_is_taken(text: str) -> None:
    assert meeting_id_of(request_with(meetingId=text)) == text


@given(st.text(max_size=80))
def test_any_other_text_is_none(text: str) -> None:
    legal = 0 < len(text) <= 64 and set(text) <= set(ALLOWED) and text not in (".", "..")
    assert is_meeting_id(text) is legal


@pytest.mark.parametrize("text", [".", "..", "", "a/b", "\0", "a\0", "m-1\n", "🎙", "ü", "٣", "x" * 65, "\udcff"])
def test_a_malformed_meeting_is_pointed_at(text: str) -> None:
    with pytest.raises(Problem) as raised:
        meeting_id_of(request_with(meetingId=text))
    assert (raised.value.status, raised.value.errors[0][0]) == (422, "/meetingId")


RECORDING = "0199a4e2-7c11-7abc-8def-0123456789ab"


@pytest.mark.parametrize("text", [RECORDING, RECORDING.upper()])
def test_a_recordings_id_is_a_uuid(text: str) -> None:
    assert recording_id_of(request_with(id=text)) == RECORDING


@pytest.mark.parametrize(
    "text", ["x", "..", "\0", RECORDING + "0", RECORDING.replace("-", ""), f"{{{RECORDING}}}", "🎙"]
)
def test_another_text_names_no_recording(text: str) -> None:
    with pytest.raises(Problem) as raised:
        recording_id_of(request_with(id=text))
    assert raised.value.code == "not_found"


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=100)
    status: list[str] = []
    external_id: str | None = Field(default=None, alias="externalId")


def test_a_query_becomes_its_model() -> None:
    query = parse_query(request_with("/?limit=7&status=a&status=b&externalId=x%20y"), Query)
    assert (query.limit, query.status, query.external_id) == (7, ["a", "b"], "x y")
    assert parse_query(request_with("/"), Query) == Query()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=x", "/limit"),
        ("limit=", "/limit"),
        ("limit=1&limit=2", "/limit"),
        ("limti=1", "/limti"),
        ("external_id=x", "/external_id"),
        ("externalId=" + "x" * 513, "/externalId"),
        ("a/b~c=1", "/a~1b~0c"),
        ("%ED%A0%80=1", None),
    ],
)
def test_a_bad_query_is_pointed_at(query: str, pointer: str | None) -> None:
    with pytest.raises(Problem) as raised:
        parse_query(request_with(f"/?{query}"), Query)
    assert raised.value.code == "validation_failed"
    assert pointer is None or raised.value.errors[0][0] == pointer
    assert raised.value.response("r").status == 422


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = ""
    numbers: list[int] = []
    metadata: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"{", 400, None),
        (b"nonsense", 400, None),
        (b'{"name": "\xff"}', 400, None),
        (b'{"name": "\\ud800"}', 400, None),
        (b"[" * 100_000, 400, None),
        (b"[]", 422, ""),
        (b"null", 422, ""),
        (b'{"name": 1}', 422, "/name"),
        (b'{"nme": "x"}', 422, "/nme"),
        (b'{"numbers": [1, "2"]}', 422, "/numbers/1"),
        (b'{"a/b~c": 1}', 422, "/a~1b~0c"),
    ],
)
def test_a_bad_body_is_told(body: bytes, status: int, pointer: str | None) -> None:
    with pytest.raises(Problem) as raised:
        parse_body(body, Body)
    assert raised.value.response("r").status == status
    if pointer is not None:
        assert raised.value.errors[0][0] == pointer


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_model_or_a_problem(body: bytes) -> None:
    assert status_of_body(body) in (200, 400, 422)


def status_of_body(body: bytes) -> int:
    try:
        parse_body(body, Body)
    except Problem as problem:
        return problem.response("r").status
    return 200


def test_a_value_is_never_repeated() -> None:
    with pytest.raises(Problem) as raised:
        parse_body(b'{"numbers": ["very-secret"]}', Body)
    assert b"very-secret" not in (raised.value.response("r").body or b"")


def test_many_complaints_are_cut_off() -> None:
    with pytest.raises(Problem) as raised:
        parse_body(b'{"numbers": [' + b'"x",' * 99 + b'"x"]}', Body)
    assert len(raised.value.errors) == 20


async def receive(request: web.Request) -> web.Response:
    return web.json_response(parse_body(await read_json(request, 1000), Body).model_dump())


@pytest.fixture
async def edge(serve: Serve) -> Edge:
    return await serve(lambda app: route(app, "POST", "/", receive, policy=PUBLIC))


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"name": "x"}', 200),
        ("application/json; charset=utf-8", b'{"name": "x"}', 200),
        ("Application/JSON; charset=UTF8", b'{"name": "x"}', 200),
        ("application/json; charset=latin-1", b'{"name": "x"}', 415),
        ("text/plain", b'{"name": "x"}', 415),
        ("nonsense", b'{"name": "x"}', 415),
        ("application/x-www-form-urlencoded", b"name=x", 415),
        ("application/x-www-form-urlencoded", b"", 200),
        ("application/json", b"", 200),
        ("application/json", b"x" * 1001, 413),
        ("application/json", b'{"name": "\xff"}', 400),
    ],
)
async def test_a_body_has_a_type_if_there_is_one(edge: Edge, content_type: str, body: bytes, status: int) -> None:
    async with edge.client.post("/", data=body, headers={"Content-Type": content_type}) as response:
        assert response.status == status


async def test_neither_body_nor_type_is_an_empty_object(edge: Edge) -> None:
    answer = await edge.raw(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"name": "", "numbers": [], "metadata": {}}')


async def test_a_body_without_a_type_is_not_guessed(edge: Edge) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    assert (await edge.raw(head)).startswith(b"HTTP/1.1 415 ")
