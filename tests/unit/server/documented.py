"""Holds answers to the OpenAPI document: what a call was answered with must stand there, its status, body and headers."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from server.openapi import document

OUR_HEADERS = ("Location", "ETag", "Idempotent-Replayed", "Preference-Applied", "Retry-After", "X-Request-ID")


def complaints(value: Any, schema: dict[str, Any]) -> list[str]:
    """What a schema of the document has against a value."""
    validator = Draft202012Validator({**schema, "components": document()["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def assert_documented(method: str, path: str, status: int, body: Any, headers: Mapping[str, str]) -> None:
    """Fails if the document does not tell of this answer. `path` without its query."""
    responses = operation_of(method, path)["responses"]
    assert str(status) in responses, f"{method} {path} answered {status}"
    response = responses[str(status)]
    assert not {name for name in OUR_HEADERS if name in headers} - set(response["headers"])
    assert not [name for name, each in response["headers"].items() if each["required"] and name not in headers]
    if body is None:
        assert "content" not in response
        return
    media_type = headers["Content-Type"].partition(";")[0]
    found = complaints(body, response["content"][media_type]["schema"])
    assert not found, f"{method} {path} answered {status}: {found}"


def operation_of(method: str, path: str) -> dict[str, Any]:
    """The operation whose template fits the path."""
    for pattern, item in _templates():
        if pattern.fullmatch(path):
            operation: dict[str, Any] = item[method.lower()]
            return operation
    raise AssertionError(f"{path} is not in the document")


@cache
def _templates() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item) for path, item in document()["paths"].items()]
