"""`/docs`: the whole interface as one page, made from the OpenAPI and AsyncAPI documents."""

from functools import cache
from typing import Any
from xml.etree.ElementTree import Element

from server.documents.asyncapi import CLOSE_CODES, asyncapi
from server.documents.error_pages import error_table
from server.documents.html import Child, element, link, page, prose, table
from server.documents.operation_parts import operation_part, shown
from server.documents.schema_tables import members, schema_id, type_of
from server.openapi import document

CHAPTERS = ("Commands", "Reading", "Streams", "Server")


@cache
def reference(expires_seconds_max: int, public_url: str) -> str:
    """The page. The arguments are those of the two documents."""
    calls, streams = document(expires_seconds_max), asyncapi(public_url)
    return page(
        "The interface",
        element("h1", "Tapedeck: the interface"),
        *_paragraphs(calls["info"]["description"]),
        element("p", link("/openapi.json", "openapi.json"), " · ", link("/asyncapi.json", "asyncapi.json")),
        _contents(calls),
        *(part for chapter in CHAPTERS for part in _chapter(chapter, calls)),
        *_events(streams),
        element("h2", "Errors", id="errors"),
        error_table(),
        element("h2", "Shapes", id="shapes"),
        *(_shape(name, schema) for name, schema in calls["components"]["schemas"].items()),
    )


def _paragraphs(text: str) -> list[Element]:
    return [element("p", *prose(" ".join(each.split()))) for each in text.split("\n\n")]


def _contents(calls: dict[str, Any]) -> Element:
    chapters: list[Child] = []
    for chapter in CHAPTERS:
        entries = [
            element("li", link(f"#{each['operationId']}", f"{method.upper()} {path}"), f" {each['summary']}")
            for method, path, each in _operations(calls, chapter)
        ]
        chapters += [element("li", link(f"#{chapter.lower()}", chapter), element("ul", *entries))]
    rest = (("events", "Events"), ("errors", "Errors"), ("shapes", "Shapes"))
    chapters += [element("li", link(f"#{anchor}", title)) for anchor, title in rest]
    return element("nav", element("ul", *chapters), aria_label="Contents")


def _operations(calls: dict[str, Any], chapter: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, each)
        for path, item in calls["paths"].items()
        for method, each in item.items()
        if chapter in each["tags"]
    ]


def _chapter(chapter: str, calls: dict[str, Any]) -> list[Element]:
    parts = [operation_part(method, path, each, calls) for method, path, each in _operations(calls, chapter)]
    return [element("h2", chapter, id=chapter.lower()), *parts]


def _events(streams: dict[str, Any]) -> list[Element]:
    codes = table(["Close code", "Meaning"], [[[str(code)], [meaning]] for code, meaning in CLOSE_CODES.items()])
    messages = streams["components"]["messages"].values()
    return [
        element("h2", "Events", id="events"),
        *_paragraphs(streams["info"]["description"]),
        element("h3", "Close codes of a WebSocket"),
        codes,
        element("h3", "Types"),
        *(_message(each) for each in messages),
    ]


def _message(message: dict[str, Any]) -> Element:
    head = element("summary", element("code", message["name"]), element("span", message["summary"], class_="said"))
    parts: list[Child] = [element("p", *type_of(message["payload"]["allOf"][0]))]
    parts += [shown(each["payload"]) for each in message.get("examples", ())]
    return element("details", head, *parts, class_="operation")


def _shape(name: str, schema: dict[str, Any]) -> Element:
    parts: list[Child] = [element("p", *prose(schema.get("description", "")), id=schema_id(name))]
    parts.append(members(schema) if schema.get("properties") else element("p", *type_of(schema)))
    return element("details", element("summary", element("code", name)), *parts, class_="operation")
