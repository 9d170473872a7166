"""The documents as they are served: OpenAPI, AsyncAPI, the page of the interface, a page for each code."""

import re
from collections import Counter

import pytest
from openapi_spec_validator import validate

from server.errors import ERRORS, Problem
from server.openapi import document
from server.routes.documents import DocumentRoutes
from tests.unit.server.conftest import Edge, Serve
from tests.unit.server.documented import assert_documented


@pytest.fixture
async def edge(serve: Serve) -> Edge:
    return await serve(DocumentRoutes(7200, "https://here.example/base").add_to)


async def text_of(edge: Edge, path: str) -> str:
    """A page."""
    async with edge.client.get(path) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        return await response.text()


async def test_the_document_is_valid_and_knows_the_settings(edge: Edge) -> None:
    async with edge.client.get("/openapi.json") as response:
        served = await response.json()
    validate(served)
    parameters = served["paths"]["/api/v1/recordings/{id}/playback"]["get"]["parameters"]
    (schema,) = (each["schema"] for each in parameters if each["name"] == "expiresIn")
    assert schema == {"type": "integer", "minimum": 60, "maximum": 7200}
    assert document()["paths"].keys() == served["paths"].keys()


async def test_asyncapi_names_this_server(edge: Edge) -> None:
    async with edge.client.get("/asyncapi.json") as response:
        assert_documented("GET", "/asyncapi.json", response.status, await response.json(), response.headers)
        servers = (await response.json())["servers"]
    assert servers["websocket"] == {"host": "here.example", "pathname": "/base", "protocol": "wss"}
    assert servers["sse"]["protocol"] == "https"


async def test_the_page_tells_of_everything_and_its_links_lead_somewhere(edge: Edge) -> None:
    page = await text_of(edge, "/docs")
    ids = re.findall(r' id="([^"]+)"', page)
    operations = [each for item in document()["paths"].values() for each in item.values()]
    assert {each["operationId"] for each in operations} <= set(ids)
    assert not [name for name, count in Counter(ids).items() if count > 1]
    assert {f"schema-{name}" for name in document()["components"]["schemas"]} <= set(ids)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert {f"/errors/{code}" for code in ERRORS} <= set(re.findall(r'href="([^"#]+)"', page))


async def test_pages_load_nothing_of_others_and_run_nothing(edge: Edge) -> None:
    for path in ("/docs", "/errors/draining"):
        page = await text_of(edge, path)
        assert not re.findall(r"<(?:script|style|iframe|img)|\s(?:style|on\w+)=", page)
        loaded = re.findall(r'<link[^>]*href="([^"]+)"', page)
        assert loaded == ["/assets/favicon.svg", "/assets/page.css", "/assets/docs.css"]


@pytest.mark.parametrize("code", ERRORS)
async def test_every_code_has_a_page_where_its_type_leads(code: str, edge: Edge) -> None:
    page = await text_of(edge, Problem(code).body("r-1")["type"])
    error = ERRORS[code]
    assert f"<code>{code}</code>, status {error.status}" in page
    assert 'href="/docs#errors"' in page
    assert error.advice in page
    assert ("A repeat may help" in page) is error.retryable
    assert ("Nothing answers with it yet." in page) is error.reserved


@pytest.mark.parametrize("code", ["nonsense", "%3Cscript%3E", "Draining", "internal%0a"])
async def test_what_is_no_code_has_none(code: str, edge: Edge) -> None:
    async with edge.client.get(f"/errors/{code}") as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (404, "not_found")
