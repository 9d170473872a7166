"""The shapes of what streams carry: CloudEvents 1.0 (api.md 4). OpenAPI and AsyncAPI both tell of them."""

from typing import get_args

from actors.domain.event import public_type
from actors.domain.events import AnyEvent
from actors.domain.model import ActorKind, State
from server.openapi_shapes import (
    ID,
    TEXT,
    TIME,
    Schema,
    an_object,
    or_null,
    reference,
    said,
    words,
)

SNAPSHOT = "recording.snapshot"
RECORDING_TYPES = tuple(sorted({public_type(kind) for kind in get_args(AnyEvent) if kind.public}))
"""Of events that the journal holds and streams show."""
CONTROL_TYPES = ("stream.reset", "stream.ready", "stream.heartbeat")
_HEAD = {
    "specversion": {"const": "1.0"},
    "id": said(TEXT, "one event has one id, on all streams"),
    "source": said(TEXT, "/meetings/ and the meeting's id; /meetings for all"),
    "time": TIME,
}
_CURSOR = said(TEXT, "opaque; give it back to resume behind this event")
_SEQUENCE: Schema = {"type": "integer", "minimum": 0, "description": "gapless per meeting"}
_DATA = an_object(
    recording=said(reference("Recording"), "as it was after the event; on a meeting's stream without private members"),
    live=said(or_null(reference("Live")), "the meeting's live recording; the indicator is a function of it alone"),
    actor=reference("Actor"),
)


def _cloud_event(types: tuple[str, ...], data: Schema, **members: Schema) -> Schema:
    return an_object(**_HEAD, type=words(types), **members, data=data)


_JSON = {"datacontenttype": {"const": "application/json"}}
_RECORDING_EVENT = _cloud_event(
    RECORDING_TYPES, _DATA, subject=said(ID, "the recording's id"), **_JSON, sequence=_SEQUENCE, cursor=_CURSOR
)
_SNAPSHOT_EVENT = _cloud_event(
    (SNAPSHOT,),
    an_object(
        recording=said(or_null(reference("Recording")), "the live one"),
        live=or_null(reference("Live")),
        actor=reference("Actor"),
    ),
    **_JSON,
    sequence=said(_SEQUENCE, "of the last event that the snapshot contains"),
    cursor=_CURSOR,
)
_CONTROL_EVENT = _cloud_event(CONTROL_TYPES, {"type": "object"})
_CONTROL_EVENT["properties"]["cursor"] = said(_CURSOR, "opaque; a heartbeat has none")

EVENTS: dict[str, Schema] = {
    "Actor": said(
        an_object(kind=words(ActorKind), id=said(TEXT, "of users the token's sub or its onBehalfOf")), "who caused it"
    ),
    "Live": an_object(id=ID, state=words(State)),
    "RecordingEvent": said(_RECORDING_EVENT, "something happened to a recording"),
    "SnapshotEvent": said(_SNAPSHOT_EVENT, "a meeting as it is now, for those who join without a cursor"),
    "ControlEvent": said(_CONTROL_EVENT, "about the stream itself"),
    "Event": {
        "description": "One event. Types may be added; overlook those that you do not know.",
        "oneOf": [reference("RecordingEvent"), reference("SnapshotEvent"), reference("ControlEvent")],
    },
}
