"""The shapes of what is answered, for the OpenAPI document. `server.render` makes them; tests hold the two together."""

from typing import Any

from actors.domain.model import Completeness, EndReason, FailureCode, State, Status, StorageStatus
from server.errors import ERRORS

REFERENCE = "#/components/schemas/"


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
_RECORDING["properties"]["playback"] = {
    "$ref": f"{REFERENCE}Playback",
    "description": "in lists with include=playback; no items where there is nothing to play, or not yet",
}

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
_PROBLEM["properties"]["outcome"] = {"type": "string", "enum": ["unknown"], "description": "repeat with the same key"}

ANSWERS: dict[str, Any] = {
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
    "Notification": {
        "type": "object",
        "properties": {"noticeId": _TEXT, "eventType": _INTEGER, "payload": _ANY_OBJECT},
        "required": ["noticeId"],
    },
    "Document": _ANY_OBJECT,
}
