"""Small pieces of JSON Schema that the shapes of answers are put together from."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

REFERENCE = "#/components/schemas/"
Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}
ANY_OBJECT: Schema = {"type": "object"}
TIME: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "format": "uuid"}
BYTES: Schema = {"type": "integer", "minimum": 0, "description": "bytes"}
SECONDS_OR_NULL: Schema = {"type": ["number", "null"], "minimum": 0, "description": "seconds"}


def an_object(**properties: Schema) -> Schema:
    """An object that has all of these members. Others may come with a later version, so it is not closed."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def words(values: Iterable[str | StrEnum]) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": [str(value) for value in values]}


def a_list(of: Schema) -> Schema:
    """A list of such values."""
    return {"type": "array", "items": of}


def reference(name: str) -> Schema:
    """The schema of that name."""
    return {"$ref": REFERENCE + name}


def or_null(schema: Schema) -> Schema:
    """Such a value or null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def said(schema: Schema, description: str) -> Schema:
    """The schema with a description."""
    return {**schema, "description": description}
