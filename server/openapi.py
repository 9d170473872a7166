"""The OpenAPI 3.1 document, made from the models that validate and the table of errors that answers."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from actors.domain.model import Completeness, EndReason, FailureCode, State, Status, StorageStatus
from server.errors import ERRORS
from server.schemas import (
    HistoryParameters,
    ListParameters,
    NoParameters,
    OperatorListParameters,
    PlaybackParameters,
    StartBody,
    StopBody,
)

ALWAYS = ("bad_request", "unauthenticated", "not_found", "validation_failed", "internal", "database_unavailable")
COMMAND = (
    "forbidden",
    "idempotency_key_reused",
    "payload_too_large",
    "unsupported_media_type",
    "overloaded",
    "draining",
)
REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as the document tells it. `answers` maps status to a schema's name, None for no body."""

    method: str
    path: str
    summary: str
    answers: dict[int, str | None]
    problems: tuple[str, ...] = ()
    query: type[BaseModel] = NoParameters
    body: type[BaseModel] | None = None
    security: str = "bearer"
    media_type: str = "application/json"


MEETING, RECORDING = "/api/v1/meetings/{meetingId}", "/api/v1/recordings/{id}"
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "post",
        f"{MEETING}/recording/start",
        "Start recording a meeting",
        {201: "Recording", 202: "Recording"},
        (
            *COMMAND,
            "recording_already_active",
            "recording_aborted",
            "provider_rejected",
            "provider_unauthorized",
            "storage_unavailable",
            "meeting_quarantined",
        ),
        body=StartBody,
    ),
    Operation(
        "post",
        f"{MEETING}/recording/stop",
        "Stop what is being recorded",
        {200: "Recording", 202: "Recording"},
        (*COMMAND, "no_active_recording", "meeting_quarantined"),
        body=StopBody,
    ),
    Operation("post", f"{MEETING}/end", "The meeting is over", {200: "Ended"}, COMMAND, body=StopBody),
    Operation("get", f"{MEETING}/recording", "The live recording", {200: "Recording"}, ("no_active_recording",)),
    Operation("get", f"{MEETING}/recordings", "A meeting's recordings", {200: "RecordingList"}, query=ListParameters),
    Operation("get", f"{MEETING}/events", "A meeting's events", {200: "Event"}, media_type="text/event-stream"),
    Operation("get", RECORDING, "One recording", {200: "Recording", 304: None}),
    Operation(
        "post",
        f"{RECORDING}/stop",
        "Stop this recording",
        {200: "Recording", 202: "Recording"},
        COMMAND,
        body=StopBody,
    ),
    Operation(
        "get", f"{RECORDING}/history", "Every stored event", {200: "History"}, ("forbidden",), query=HistoryParameters
    ),
    Operation(
        "get",
        f"{RECORDING}/playback",
        "Signed URLs to play",
        {200: "Playback"},
        ("forbidden", "recording_not_ready", "no_media", "recording_deleted"),
        query=PlaybackParameters,
    ),
    Operation(
        "delete", RECORDING, "Delete the media", {204: None, 202: None}, ("forbidden", "recording_live", "draining")
    ),
    Operation(
        "get", "/api/v1/recordings", "All recordings", {200: "RecordingList"}, ("forbidden",), OperatorListParameters
    ),
    Operation("get", "/api/v1/events", "All events", {200: "Event"}, ("forbidden",), media_type="text/event-stream"),
    Operation(
        "post",
        "/api/v1/webhooks/agora",
        "A notification of Agora",
        {200: "Nothing"},
        ("invalid_signature", "payload_too_large", "provider_unavailable"),
        security="signature",
    ),
    Operation(
        "get",
        "/media/{key}",
        "A file of local storage",
        {200: None, 206: None},
        ("forbidden",),
        security="none",
        media_type="application/octet-stream",
    ),
    Operation("get", "/healthz", "The process is alive", {200: "Alive"}, security="none"),
    Operation("get", "/readyz", "Whether it can work", {200: "Readiness", 503: "Readiness"}, security="none"),
    Operation("get", "/metrics", "Metrics", {200: None}, security="none", media_type="text/plain"),
    Operation("get", "/openapi.json", "This document", {200: "Document"}, security="none"),
    Operation("get", "/errors/{code}", "What a code means", {200: None}, security="none", media_type="text/html"),
)


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
                "signature": {"type": "apiKey", "in": "header", "name": "Agora-Signature-V2"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": _operation_id(operation),
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation.query)],
        "responses": _responses(operation),
        "security": [] if operation.security == "none" else [{operation.security: []}],
    }
    if operation.method == "post" and operation.security == "bearer":
        described["parameters"] += _COMMAND_HEADERS
    if operation.body is not None:
        schema = {"$ref": f"{REFERENCE}{operation.body.__name__}"}
        described["requestBody"] = {"required": False, "content": {"application/json": {"schema": schema}}}
    return described


def _operation_id(operation: Operation) -> str:
    words = [word.strip("{}") for word in operation.path.split("/") if word not in ("", "api", "v1")]
    return "_".join([operation.method, *words]).replace(".", "_")


_COMMAND_HEADERS = [
    {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"}},
    {"name": "Prefer", "in": "header", "schema": {"type": "string"}, "example": "wait=5"},
]
_PATH_SCHEMAS = {
    "meetingId": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"},
    "id": {"type": "string", "format": "uuid"},
}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMAS.get(name, {"type": "string"})}
        for name in names
    ]


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=REFERENCE + "{model}")
    return [
        {"name": name, "in": "query", "required": False, "schema": each}
        for name, each in schema.get("properties", {}).items()
    ]


def _responses(operation: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, schema in operation.answers.items():
        responses[str(status)] = {"description": operation.summary, **_content(operation, schema)}
    common = ALWAYS if operation.security == "bearer" else ("bad_request", "not_found", "internal")
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*common, *operation.problems)):
        # What is not there answers 404 to a look, and 409 to a command that needs it.
        status = 404 if (operation.method, code) == ("get", "no_active_recording") else ERRORS[code].status
        by_status.setdefault(status, []).append(code)
    for status, codes in sorted(by_status.items()):
        if status not in operation.answers:
            problem = {"application/problem+json": {"schema": {"$ref": f"{REFERENCE}Problem"}}}
            responses[str(status)] = {"description": ", ".join(codes), "content": problem}
    return responses


def _content(operation: Operation, schema: str | None) -> dict[str, Any]:
    if schema is not None:
        return {"content": {operation.media_type: {"schema": {"$ref": REFERENCE + schema}}}}
    return {} if operation.media_type == "application/json" else {"content": {operation.media_type: {}}}


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = dict(_ANSWERS)
    for model in (StartBody, StopBody, ListParameters):
        made = model.model_json_schema(by_alias=True, ref_template=REFERENCE + "{model}")
        schemas.update(made.pop("$defs", {}))
        schemas[model.__name__] = made
    return schemas


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _one_of(values: Any) -> dict[str, Any]:
    return {"type": "string", "enum": [value.value for value in values]}


_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_TIME = {"type": "string", "format": "date-time"}
_TIME_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
_INTEGER = {"type": "integer"}
_NUMBER_OR_NULL = {"type": ["number", "null"]}
_ANY_OBJECT = {"type": "object"}
_OBJECT_OR_NULL = {"type": ["object", "null"]}
_RECORDING_REFERENCE = {"$ref": f"{REFERENCE}Recording"}
_RECORDING_OR_NULL = {"anyOf": [_RECORDING_REFERENCE, {"type": "null"}]}

_RECORDING = _object(
    id={"type": "string", "format": "uuid"},
    meetingId=_TEXT,
    channelName=_TEXT,
    live={"type": "boolean"},
    status=_one_of(Status),
    state=_one_of(State),
    agoraRecordingId=_TEXT_OR_NULL,
    recorderUids={"type": "array", "items": _TEXT},
    streams=_TEXT,
    outputs={"type": "array", "items": _TEXT},
    channelType=_TEXT,
    video=_OBJECT_OR_NULL,
    layout=_OBJECT_OR_NULL,
    subscribe=_ANY_OBJECT,
    maxDuration=_INTEGER,
    maxIdleTime=_INTEGER,
    startedBy=_TEXT,
    stoppedBy=_TEXT_OR_NULL,
    createdAt=_TIME,
    startedAt=_TIME_OR_NULL,
    stopRequestedAt=_TIME_OR_NULL,
    stoppedAt=_TIME_OR_NULL,
    completedAt=_TIME_OR_NULL,
    updatedAt=_TIME,
    deletedAt=_TIME_OR_NULL,
    deadlineAt=_TIME_OR_NULL,
    duration=_NUMBER_OR_NULL,
    fileSize={"type": ["integer", "null"]},
    storageUrl=_TEXT_OR_NULL,
    storageKey=_TEXT_OR_NULL,
    storageStatus=_one_of(StorageStatus),
    endReason={"anyOf": [_one_of(EndReason), {"type": "null"}]},
    completeness=_one_of(Completeness),
    gaps={"type": "array", "items": _object(**{"from": _TIME, "to": _TIME, "reason": _TEXT})},
    files={
        "type": "array",
        "items": _object(
            kind=_TEXT,
            key=_TEXT,
            fileSize=_INTEGER,
            duration=_NUMBER_OR_NULL,
            part=_INTEGER,
            checked={"type": "boolean"},
        ),
    },
    error={
        "anyOf": [
            _object(code=_one_of(FailureCode), message=_TEXT, retryable={"type": "boolean"}),
            {"type": "null"},
        ]
    },
    version=_INTEGER,
)
_RECORDING["properties"]["externalId"] = {**_TEXT_OR_NULL, "description": "HOST, CO_HOST and operators only"}
_RECORDING["properties"]["metadata"] = {**_ANY_OBJECT, "description": "HOST, CO_HOST and operators only"}

_PROBLEM = _object(
    type=_TEXT,
    title=_TEXT,
    status=_INTEGER,
    detail=_TEXT,
    code={"type": "string", "enum": sorted(ERRORS)},
    requestId=_TEXT,
    retryable={"type": "boolean"},
)
_PROBLEM["properties"]["errors"] = {"type": "array", "items": _object(pointer=_TEXT, detail=_TEXT)}
_PROBLEM["properties"]["recording"] = _RECORDING_REFERENCE

_ANSWERS: dict[str, Any] = {
    "Recording": _RECORDING,
    "Problem": _PROBLEM,
    "RecordingList": _object(
        items={"type": "array", "items": _RECORDING_REFERENCE},
        total=_INTEGER,
        limit=_INTEGER,
        offset=_INTEGER,
        nextCursor=_TEXT_OR_NULL,
    ),
    "History": _object(
        items={
            "type": "array",
            "items": _object(
                seq=_INTEGER,
                sequence={"type": ["integer", "null"]},
                type=_TEXT,
                time=_TIME,
                actor=_object(kind=_TEXT, id=_TEXT),
                data=_ANY_OBJECT,
            ),
        },
        nextCursor=_TEXT_OR_NULL,
    ),
    "Playback": _object(
        items={
            "type": "array",
            "items": _object(
                kind=_TEXT,
                part={"type": ["integer", "null"]},
                url=_TEXT,
                contentType=_TEXT,
                fileSize=_INTEGER,
                duration=_NUMBER_OR_NULL,
                expiresAt=_TIME,
            ),
        }
    ),
    "Ended": _object(recording=_RECORDING_OR_NULL),
    "Event": _object(specversion=_TEXT, id=_TEXT, source=_TEXT, type=_TEXT, time=_TIME, cursor=_TEXT, data=_ANY_OBJECT),
    "Readiness": _object(status=_TEXT, ready={"type": "boolean"}, mode=_ANY_OBJECT, checks=_ANY_OBJECT),
    "Alive": _object(status=_TEXT),
    "Nothing": {"type": "object", "properties": {}},
    "Document": _ANY_OBJECT,
}
