"""The OpenAPI 3.1 document, made from the models that validate and the table of errors that answers."""

from functools import cache
from typing import Any

from pydantic import BaseModel

from server.errors import ERRORS
from server.openapi_answers import ANSWERS, REFERENCE
from server.openapi_routes import COMMAND_SENDS, OPERATIONS, Access, Operation
from server.schemas import StartBody, StopBody, UpdateBody

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
_REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {"type": "string", "description": "comes back in the answer if it is 1-128 of A-Z a-z 0-9 _ . : -"},
    "Idempotency-Key": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "Prefer": {"type": "string", "examples": ["wait=5", "respond-async"]},
    "If-None-Match": _TEXT,
    "Last-Event-ID": _TEXT,
    "Range": {"type": "string", "examples": ["bytes=0-1023"]},
}
_ANSWER_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": _TEXT,
    "Location": {"type": "string", "format": "uri-reference"},
    "ETag": {"type": "string", "description": 'the id and the version: "<id>.<version>"'},
    "Idempotent-Replayed": {"type": "string", "enum": ["true"]},
    "Preference-Applied": _TEXT,
    "Retry-After": {"type": "integer", "description": "seconds"},
    "WWW-Authenticate": _TEXT,
}
_PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "meetingId": {"type": "string", "pattern": "^(?!\\.{1,2}$)[A-Za-z0-9_.:-]{1,64}$"},
    "id": {"type": "string", "format": "uuid"},
    "code": {"type": "string", "enum": sorted(ERRORS)},
}
_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.BEARER: [{"bearer": []}],
    Access.STREAM: [{"bearer": []}, {"accessToken": []}],
    Access.SIGNATURE: [{"signature": []}],
    Access.NONE: [],
}


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tapedeck", "version": "1", "summary": "A recording control plane for meetings on Agora"},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "accessToken": {"type": "apiKey", "in": "query", "name": "access_token"},
                "signature": {"type": "apiKey", "in": "header", "name": "Agora-Signature-V2"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": _operation_id(operation),
        "parameters": [
            *_path_parameters(operation.path),
            *_query_parameters(operation.query),
            *(_parameter(name, "header", _REQUEST_HEADERS[name]) for name in ("X-Request-ID", *operation.headers)),
        ],
        "responses": {**_answers(operation), **_problems(operation)},
        "security": _SECURITY[operation.access],
    }
    if operation.body is not None:
        described["requestBody"] = _body({"$ref": REFERENCE + operation.body.__name__}, required=False)
    elif operation.access is Access.SIGNATURE:
        described["requestBody"] = _body({"$ref": f"{REFERENCE}Notification"}, required=True)
    return described


def _operation_id(operation: Operation) -> str:
    words = [word.strip("{}") for word in operation.path.split("/") if word not in ("", "api", "v1")]
    return "_".join([operation.method, *words]).replace(".", "_")


def _body(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    return [_parameter(name, "path", _PATH_SCHEMAS.get(name, _TEXT)) for name in names]


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """The token of a stream is left out: it stands among the security schemes."""
    properties = model.model_json_schema(ref_template=REFERENCE + "{model}").get("properties", {})
    return [_parameter(name, "query", schema) for name, schema in properties.items() if name != "access_token"]


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
        return {"content": {operation.media_type: {"schema": {"$ref": REFERENCE + schema}}}}
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
    schema = {"allOf": [{"$ref": f"{REFERENCE}Problem"}, {"properties": {"code": {"enum": codes}}}]}
    more = {401: ("WWW-Authenticate",), 409: ("Retry-After",), 503: ("Retry-After",)}.get(status, ())
    kept = () if KEPT.isdisjoint(codes) else (name for name in COMMAND_SENDS if name in sends)
    return {
        "description": ", ".join(codes),
        "headers": _headers("X-Request-ID", *more, *kept),
        "content": {"application/problem+json": {"schema": schema}},
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"schema": _ANSWER_HEADERS[name]} for name in names}


def _schemas() -> dict[str, Any]:
    """The models that validate, and every model that the queries refer to, beside the shapes of the answers."""
    schemas: dict[str, Any] = dict(ANSWERS)
    for model in (StartBody, StopBody, UpdateBody):
        schemas[model.__name__] = _taken_apart(model, schemas)
    for operation in OPERATIONS:
        _taken_apart(operation.query, schemas)
    return schemas


def _taken_apart(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    """The model's own schema; those that it refers to go among `schemas`."""
    made = model.model_json_schema(by_alias=True, ref_template=REFERENCE + "{model}")
    schemas.update(made.pop("$defs", {}))
    return made
