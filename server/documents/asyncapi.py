"""The event streams as AsyncAPI 3: both of them, over both transports, with the same shapes as the OpenAPI document."""

from functools import cache
from typing import Any
from urllib.parse import urlsplit

from server.documents import examples
from server.openapi_answers import ANSWERS
from server.openapi_events import CONTROL_TYPES, EVENTS, RECORDING_TYPES, SNAPSHOT
from server.openapi_prose import SECURITY
from server.openapi_shapes import reference
from server.routes.streams import StreamQuery

INTRODUCTION = """
Two streams of CloudEvents 1.0 as JSON: one meeting's, and all meetings' for operators. Each has one URL and two transports:
with `Upgrade: websocket` a WebSocket, each text frame one event; otherwise Server-Sent Events (`text/event-stream`), whose
`data:` is one event and whose `id:` is its cursor. There is no `event:` line, so `onmessage` sees every type. The client
sends nothing but pongs.

Joining without a cursor: one `recording.snapshot`, then events; operators get one snapshot for each live recording, then
`stream.ready`, then events. Resuming with a cursor (`Last-Event-ID`, which wins, or `?cursor=`): all missed events in order,
none twice. A cursor that cannot be served, because it is too old, garbled or of another stream, is answered with
`stream.reset` and then snapshots: there is no silent gap. Cursors hold for seven days at least.

`sequence` is gapless per meeting. The indicator is a function of `data.live` alone: an older recording may still be
processing when the next one is active. A meeting's stream is the same for everybody in it: no `metadata`, no `externalId`.

A subscriber that reads too slowly is cut off, and resumes by its cursor. A stream ends when its token expires. The server
pings WebSockets every 20 s and sends SSE a comment every 15 s; `retry:` has jitter, so that not all come back at once. A
refused WebSocket is accepted and closed with a code, since a page cannot see a status; refused SSE has a status and
problem+json.
"""
CLOSE_CODES = {
    1000: "the end",
    1012: "the server restarts: reconnect with the last cursor",
    1013: "try again later",
    4008: "read too slowly: reconnect with the last cursor",
    4401: "the token is missing, bad or expired: get a new one",
    4403: "not for this token or from this origin, or not allowed as it stands: the reason is the problem's code",
}
"""Of WebSockets; SSE ends, or is refused by its status."""
_MEETING, _ALL = "meeting", "everything"
_WORDS = {
    "stream.reset": "The cursor could not be served. Snapshots follow.",
    "stream.ready": "All snapshots were sent. Operators only.",
    "stream.heartbeat": "Nothing has happened for as long as `heartbeat` says. It has no cursor.",
    SNAPSHOT: "A meeting as it is now.",
}
_ADDRESSES = {_MEETING: "/api/v1/meetings/{meetingId}/events", _ALL: "/api/v1/events"}


@cache
def asyncapi(public_url: str) -> dict[str, Any]:
    """The whole document, for a server that is reached at `public_url`."""
    types = {_MEETING: [each for each in _all_types() if each != "stream.ready"], _ALL: _all_types()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Tapedeck's event streams", "version": "1", "description": INTRODUCTION.strip()},
        "defaultContentType": "application/json",
        "servers": _servers(public_url),
        "channels": {name: _channel(name, types[name]) for name in types},
        "operations": {f"send_{name}": _operation(name, types[name]) for name in types},
        "components": {
            "messages": {each: _message(each) for each in _all_types()},
            "schemas": {"Recording": ANSWERS["Recording"], **EVENTS},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": SECURITY["bearer"],
                },
                "accessToken": {
                    "type": "httpApiKey",
                    "in": "query",
                    "name": "access_token",
                    "description": SECURITY["accessToken"],
                },
            },
        },
    }


def _all_types() -> list[str]:
    return [SNAPSHOT, *RECORDING_TYPES, *CONTROL_TYPES]


def _servers(public_url: str) -> dict[str, Any]:
    parts = urlsplit(public_url)
    secure = "s" if parts.scheme == "https" else ""
    place = {"host": parts.netloc, "pathname": parts.path or "/"}
    return {
        "websocket": {**place, "protocol": f"ws{secure}"},
        "sse": {**place, "protocol": f"http{secure}", "description": "Server-Sent Events"},
    }


def _channel(name: str, types: list[str]) -> dict[str, Any]:
    query = StreamQuery.model_json_schema()
    made: dict[str, Any] = {
        "address": _ADDRESSES[name],
        "description": "One meeting's events." if name == _MEETING else "All meetings' events, for operators.",
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in types},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {"type": "object", "properties": query["properties"]},
                "bindingVersion": "0.1.0",
            }
        },
        "x-close-codes": {str(code): meaning for code, meaning in CLOSE_CODES.items()},
    }
    if name == _MEETING:
        made["parameters"] = {"meetingId": {"description": "The application's own id of the meeting."}}
    return made


def _operation(name: str, types: list[str]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{each}"} for each in types],
        "security": [{"$ref": f"#/components/securitySchemes/{each}"} for each in ("bearer", "accessToken")],
        "bindings": {"http": {"method": "GET", "bindingVersion": "0.3.0"}},
    }


def _message(kind: str) -> dict[str, Any]:
    shape = {SNAPSHOT: "SnapshotEvent"}.get(kind, "ControlEvent" if kind in CONTROL_TYPES else "RecordingEvent")
    made: dict[str, Any] = {
        "name": kind,
        "summary": _WORDS.get(kind, f"The recording is {kind.partition('.')[2]}."),
        "payload": {"allOf": [reference(shape), {"properties": {"type": {"const": kind}}}]},
    }
    shown = examples.events().get(kind)
    return made if shown is None else {**made, "examples": [{"payload": shown}]}
