"""AsyncAPI: whole in itself, of the streams that are served, with examples that a stream may hold.

The specification's own parser (in another language) finds nothing in it; here its structure is held.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from server.documents.asyncapi import asyncapi
from server.openapi import document
from server.sockets import _CLOSE_CODES, FORBIDDEN
from server.streams.subscriber import End

STREAMS = asyncapi("http://127.0.0.1:3002")
STATES = ("starting", "active", "stopping", "processing", "updated", "completed", "failed", "aborted", "deleted")
API_TYPES = [
    *(f"recording.{state}" for state in STATES),
    *("recording.snapshot", "stream.reset", "stream.ready", "stream.heartbeat"),
]
"""Of api.md 4, those that can occur at this stage."""


def references(part: Any) -> Iterator[str]:
    """Every $ref below."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def found(reference: str) -> Any:
    """What a $ref names. Raises KeyError if there is nothing."""
    place: Any = STREAMS
    for name in reference.removeprefix("#/").split("/"):
        place = place[name]
    return place


def complaints(kind: str, event: Any) -> list[str]:
    """What a message's schema has against an event."""
    schema = {**STREAMS["components"]["messages"][kind]["payload"], "components": STREAMS["components"]}
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(schema).iter_errors(event)]


def test_all_that_it_refers_to_is_there() -> None:
    assert STREAMS["asyncapi"] == "3.0.0"
    assert all(found(each) for each in references(STREAMS))


def test_its_channels_are_the_streams() -> None:
    streams = {path for path, item in document()["paths"].items() if "Streams" in item.get("get", {}).get("tags", ())}
    assert {each["address"] for each in STREAMS["channels"].values()} == streams
    for name, channel in STREAMS["channels"].items():
        operation = STREAMS["operations"][f"send_{name}"]
        assert operation["channel"] == {"$ref": f"#/channels/{name}"}
        assert {each["$ref"].rpartition("/")[2] for each in operation["messages"]} == set(channel["messages"])
        assert set(channel.get("parameters", ())) == set(re.findall(r"\{(\w+)\}", channel["address"]))
        assert set(channel["bindings"]["ws"]["query"]["properties"]) == {"cursor", "heartbeat", "access_token"}


def test_it_knows_every_type_and_close_code() -> None:
    assert set(API_TYPES) <= set(STREAMS["components"]["messages"])
    assert "stream.ready" not in STREAMS["channels"]["meeting"]["messages"]
    codes = {end.value[0] for end in End} | set(_CLOSE_CODES.values()) | {FORBIDDEN}
    assert {int(code) for code in STREAMS["channels"]["meeting"]["x-close-codes"]} == codes


@pytest.mark.parametrize("kind", API_TYPES)
def test_examples_are_events_of_their_type(kind: str) -> None:
    (example,) = STREAMS["components"]["messages"][kind]["examples"]
    assert complaints(kind, example["payload"]) == []
    other = "stream.reset" if kind != "stream.reset" else "stream.ready"
    assert complaints(other, example["payload"])


def test_its_shapes_are_those_of_openapi() -> None:
    schemas = document()["components"]["schemas"]
    assert all(schemas[name] == each for name, each in STREAMS["components"]["schemas"].items())
    for each in schemas.values():
        Draft202012Validator.check_schema(each)
