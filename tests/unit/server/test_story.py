"""Command line and page tell every event that a history can hold, in sentences that are made of the event's own fields."""

import re
from dataclasses import fields
from string import Formatter

import pytest
from pydantic.alias_generators import to_camel

from actors.domain.codec import EVENT_TYPES
from server.console.story import TOLD
from server.routes.assets import FOLDERS

SHOWN = {
    "length": "duration",
    "size": "fileSize",
    "company": "people",
    "presence": "seen",
    "amount": "objects",
    "lock": "until",
}
PAGE = next(path for folder in FOLDERS for path in folder.iterdir() if path.name == "story.js").read_text("utf-8")
TOLD_BY_PAGE = dict(re.findall(r"^  '([\w.]+)': (.*?)(?=^  '|^\})", PAGE, re.MULTILINE | re.DOTALL))


def fields_of(kind: str) -> set[str]:
    """As the interface names them."""
    names = {field.name.removesuffix("_ms").removesuffix("_seconds") for field in fields(EVENT_TYPES[kind])}
    return {to_camel(name) for name in names}


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_an_event_is_told_of_its_own_fields(kind: str) -> None:
    present = fields_of(kind)
    used = {name.partition("[")[0] for _, name, _, _ in Formatter().parse(TOLD[kind]) if name}
    assert {SHOWN.get(name, name) for name in used} <= present | ({"fileSize"} if "bytes" in present else set())


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_the_page_tells_it_of_its_own_fields_too(kind: str) -> None:
    assert set(re.findall(r"\bd\.(\w+)", TOLD_BY_PAGE[kind])) <= fields_of(kind)
