"""The command line tells every event that a history can hold, in a sentence that is made of the event's own fields."""

from dataclasses import fields
from string import Formatter

import pytest
from pydantic.alias_generators import to_camel

from actors.domain.codec import EVENT_TYPES
from server.console.story import TOLD

SHOWN = {"length": "duration", "size": "fileSize"}


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_an_event_is_told_of_its_own_fields(kind: str) -> None:
    present = {field.name.removesuffix("_ms").removesuffix("_seconds") for field in fields(EVENT_TYPES[kind])}
    used = {name.partition("[")[0] for _, name, _, _ in Formatter().parse(TOLD[kind]) if name}
    assert {SHOWN.get(name, name) for name in used} <= {to_camel(name) for name in present} | (
        {"fileSize"} if "bytes" in present else set()
    )
