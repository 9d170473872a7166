"""The OpenAPI 3.1 document, made from the models that validate and the table of errors that answers."""

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from server.documents import examples
from server.errors import ERRORS
from server.openapi_answers import ANSWERS
from server.openapi_operation import Access, Operation
from server.openapi_prose import (
    ANSWER_HEADERS,
    DESCRIPTIONS,
    INTRODUCTION,
    PATH_PARAMETERS,
    QUERY_PARAMETERS,
    REQUEST_HEADERS,
    SECURITY,
)
from server.openapi_routes import COMMAND_SENDS, OPERATIONS
from server.openapi_shapes import REFERENCE, reference
from server.settings import PlaybackSettings

COMMON = (
    "bad_request",
    "payload_too_large",
    "uri_too_long",
    "unsupported_media_type",
    "headers_too_large",
    "internal",
)
"""What every request may meet before its handler."""
KEPT = frozenset({"recording_aborted", "provider_rejected", "provider_unauthorized"})
"""Problems that tell of a recording which the command made: as its good answers, they are repeated under its key."""
_TEXT: dict[str, Any] = {"type": "string"}
_VISIBLE = {"type": "string", "pattern": "^[!-~]{1,255}$"}
_REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {**_VISIBLE, "examples": ["01a202b2-start"]},
    "Prefer": {"type": "string", "examples": ["wait=5", "respond-async"]},
    "Range": {"type": "string", "examples": ["bytes=0-1023"]},
}
_ANSWER_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,128}$"},
    "Location": {"type": "string", "format": "uri-reference"},
    "ETag": {"type": "string", "pattern": '^"[^"]+"$'},
    "Idempotent-Replayed": {"type": "string", "enum": ["true"]},
    "Retry-After": {"type": "integer", "minimum": 1},
}
_PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "meetingId": {"type": "string", "pattern": "^(?!\\.{1,2}$)[A-Za-z0-9_.:-]{1,64}$", "examples": ["standup"]},
    "id": {"type": "string", "format": "uuid", "examples": ["01a202b2-c57b-7c4e-9d3a-5b1f0e6a7c21"]},
    "code": {"type": "string", "enum": sorted(ERRORS)},
}
_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.BEARER: [{"bearer": []}],
    Access.STREAM: [{"bearer": []}, {"accessToken": []}],
    Access.SIGNATURE: [{"signature": []}],
    Access.NONE: [],
}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "accessToken": {"type": "apiKey", "in": "query", "name": "access_token"},
    "signature": {"type": "apiKey", "in": "header", "name": "Agora-Signature-V2"},
}
_ALWAYS = ("X-Request-ID", "Location", "ETag")
_MORE_HEADERS = {401: ("WWW-Authenticate",), 409: ("Retry-After",), 429: ("Retry-After",), 503: ("Retry-After",)}


class _Untitled(GenerateJsonSchema):
    """Titles would only repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@cache
def document(expires_seconds_max: int = PlaybackSettings().expires_seconds_max) -> dict[str, Any]:
    """The whole document. The longest life of a playback URL is a setting."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    _limit_playback(paths["/api/v1/recordings/{id}/playback"]["get"], expires_seconds_max)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tapedeck",
            "version": "1",
            "summary": "A recording control plane for meetings on Agora",
            "description": INTRODUCTION.strip(),
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "examples": {f"{of}.{name}": {"value": value} for (of, name), value in examples.every().items()},
            "securitySchemes": {name: {**each, "description": SECURITY[name]} for name, each in _SCHEMES.items()},
        },
    }


def _limit_playback(operation: dict[str, Any], seconds_max: int) -> None:
    for parameter in operation["parameters"]:
        if parameter["name"] == "expiresIn":
            parameter["schema"]["maximum"] = seconds_max


def _operation(operation: Operation) -> dict[str, Any]:
    named = operation_id(operation)
    described: dict[str, Any] = {
        "summary": operation.summary,
        "description": _who(operation) + DESCRIPTIONS.get(named, ""),
        "operationId": named,
        "tags": [operation.tag],
        "parameters": [
            *_path_parameters(operation.path),
            *_query_parameters(operation.query),
            *_header_parameters(operation),
        ],
        "responses": {**_answers(operation), **_problems(operation)},
        "security": _SECURITY[operation.access],
    }
    if operation.body is not None:
        described["requestBody"] = _body(operation.body.__name__, required=False)
    elif operation.access is Access.SIGNATURE:
        described["requestBody"] = _body("Notification", required=True)
    return described


def operation_id(operation: Operation) -> str:
    """The method and the words of the path."""
    words = [word.strip("{}") for word in operation.path.split("/") if word not in ("", "api", "v1")]
    return "_".join([operation.method, *words]).replace(".", "_")


def _who(operation: Operation) -> str:
    return f"For {', '.join(operation.who)}. " if operation.who else ""


def _body(schema: str, *, required: bool) -> dict[str, Any]:
    content = {"schema": reference(schema), "examples": _examples(schema)}
    return {"required": required, "content": {"application/json": content}}


def _examples(schema: str, *names: str) -> dict[str, Any]:
    """The schema's examples of those names, or all."""
    known = [name for of, name in examples.every() if of == schema]
    return {name: {"$ref": f"#/components/examples/{schema}.{name}"} for name in names or known}


def _parameter(name: str, place: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    made = {"name": name, "in": place, "required": place == "path", "schema": schema}
    return {**made, "description": description} if description else made


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    return [_parameter(name, "path", _PATH_SCHEMAS.get(name, _TEXT), PATH_PARAMETERS.get(name, "")) for name in names]


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """The token of a stream is left out: it stands among the security schemes."""
    properties = _schema_of(model).get("properties", {})
    return [
        _parameter(name, "query", _in_a_query(schema), schema.get("description") or QUERY_PARAMETERS.get(name, ""))
        for name, schema in properties.items()
        if name != "access_token"
    ]


def _in_a_query(schema: dict[str, Any]) -> dict[str, Any]:
    """A query cannot say null: what may be null may be left out."""
    kept = {name: value for name, value in schema.items() if name not in ("description", "anyOf")}
    if "anyOf" not in schema:
        return kept
    del kept["default"]
    return {**schema["anyOf"][0], **kept}


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = ("X-Request-ID", *operation.headers)
    return [_parameter(name, "header", _REQUEST_HEADERS.get(name, _TEXT), REQUEST_HEADERS[name]) for name in names]


def _answers(operation: Operation) -> dict[str, Any]:
    return {
        str(status): {
            "description": operation.summary,
            "headers": _headers("X-Request-ID", *operation.sends),
            **_content(operation, status, schema),
        }
        for status, schema in operation.answers.items()
    }


def _content(operation: Operation, status: int, schema: str | None) -> dict[str, Any]:
    if schema is not None:
        shown = _examples(schema, *operation.shows.get(status, ()))
        return {"content": {operation.media_type: {"schema": reference(schema), "examples": shown}}}
    if operation.access is Access.STREAM and status == 200:
        return {"content": {operation.media_type: {"schema": _TEXT, "example": examples.event_stream()}}}
    has_body = operation.media_type != "application/json" and status in (200, 206)
    return {"content": {operation.media_type: {}}} if has_body else {}


def _problems(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    token = ("unauthenticated",) if operation.access in (Access.BEARER, Access.STREAM) else ()
    for code in dict.fromkeys((*COMMON, *token, *operation.problems)):
        # What is not there answers 404 to a look, and 409 to a command that needs it.
        status = 404 if (operation.method, code) == ("get", "no_active_recording") else ERRORS[code].status
        by_status.setdefault(status, []).append(code)
    return {
        str(status): _problem(status, codes, operation.sends)
        for status, codes in sorted(by_status.items())
        if status not in operation.answers
    }


def _problem(status: int, codes: list[str], sends: tuple[str, ...]) -> dict[str, Any]:
    schema = {"allOf": [reference("Problem"), {"properties": {"code": {"enum": codes}}}]}
    shown = _examples("Problem", *(code if ERRORS[code].status == status else f"{code}.{status}" for code in codes))
    kept = () if KEPT.isdisjoint(codes) else (name for name in COMMAND_SENDS if name in sends)
    waits = ("Retry-After",) if all(ERRORS[code].retry_after_seconds for code in codes) else ()
    return {
        "description": ", ".join(codes),
        "headers": _headers("X-Request-ID", *_MORE_HEADERS.get(status, ()), *kept, always=waits),
        "content": {"application/problem+json": {"schema": schema, "examples": shown}},
    }


def _headers(*names: str, always: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        name: {
            "description": ANSWER_HEADERS[name],
            "required": name in (*_ALWAYS, *always),
            "schema": _ANSWER_HEADERS.get(name, _TEXT),
        }
        for name in names
    }


def _schemas() -> dict[str, Any]:
    """The models that validate, and every model that the queries refer to, beside the shapes of the answers."""
    schemas: dict[str, Any] = dict(ANSWERS)
    for model in {operation.body: None for operation in OPERATIONS if operation.body is not None}:
        schemas[model.__name__] = _taken_apart(model, schemas)
    for operation in OPERATIONS:
        _taken_apart(operation.query, schemas)
    return schemas


def _taken_apart(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    """The model's own schema; those that it refers to go among `schemas`."""
    made = _schema_of(model)
    schemas.update(made.pop("$defs", {}))
    return made


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True, ref_template=REFERENCE + "{model}", schema_generator=_Untitled)
