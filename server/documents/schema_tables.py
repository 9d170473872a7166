"""JSON Schema in words and tables, for the page of the interface."""

from typing import Any
from xml.etree.ElementTree import Element

from server.documents.html import Child, element, link, prose, table
from server.openapi_shapes import REFERENCE

Schema = dict[str, Any]
_LIMITS = {
    "minimum": "from {}",
    "maximum": "to {}",
    "minLength": "{} or more characters",
    "maxLength": "{} characters at most",
    "minItems": "{} or more",
    "maxItems": "{} at most",
    "pattern": "like `{}`",
    "format": "{}",
}


def schema_id(name: str) -> str:
    """The anchor of a schema."""
    return f"schema-{name}"


def type_of(schema: Schema) -> list[Child]:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REFERENCE)
        return [link(f"#{schema_id(name)}", name)]
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return _joined([type_of(each) for each in schema[union]])
    if "enum" in schema:
        return _joined([[element("code", _plain(each))] for each in schema["enum"]])
    if "const" in schema:
        return [element("code", _plain(schema["const"]))]
    if "items" in schema:
        return ["list of ", *type_of(schema["items"])]
    kinds = schema.get("type", "anything")
    name = " or ".join(kinds) if isinstance(kinds, list) else kinds
    inner = ", ".join(f"`{member}`" for member in schema.get("properties", ()))
    return prose(f"{name} with {inner}" if inner else name)


def limits_of(schema: Schema) -> str:
    """What else holds for it."""
    whole = {**(schema["anyOf"][0] if "anyOf" in schema else {}), **schema}
    return ", ".join(words.format(_plain(whole[name])) for name, words in _LIMITS.items() if name in whole)


def members(schema: Schema) -> Element:
    """A table of an object's members."""
    required = schema.get("required", ())
    rows = [_member(name, each, name in required) for name, each in schema.get("properties", {}).items()]
    return table(["Member", "Value", "Meaning"], rows)


def described(schema: Schema) -> list[Child]:
    """Its description, its limits and its default."""
    words = [schema.get("description", ""), limits_of(schema)]
    if schema.get("default") not in (None, [], {}):
        words.append(f"default `{_plain(schema['default'])}`")
    return prose("; ".join(each for each in words if each))


def _member(name: str, schema: Schema, is_required: bool) -> list[list[Child]]:
    named: list[Child] = [element("code", name)] if is_required else [element("code", name), " (may be absent)"]
    return [named, type_of(schema), described(schema)]


def _joined(parts: list[list[Child]]) -> list[Child]:
    found: list[Child] = []
    for at, part in enumerate(parts):
        found += [" or ", *part] if at else part
    return found


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
