"""The shapes of what is answered, for the OpenAPI document. `server.render` makes them; tests hold the two together."""

from actors.domain.media import Finding
from actors.domain.model import Completeness, EndReason, FailureCode, State, Status, StorageStatus
from server.errors import ERRORS
from server.openapi_events import EVENTS
from server.openapi_shapes import (
    ANY_OBJECT,
    BOOLEAN,
    BYTES,
    ID,
    INTEGER,
    SECONDS_OR_NULL,
    TEXT,
    TIME,
    Schema,
    a_list,
    an_object,
    or_null,
    reference,
    said,
    words,
)
from server.sweep.findings import Action, Kind

_SELECTION: Schema = {"anyOf": [{"const": "all"}, a_list(TEXT)]}
_VIDEO = an_object(
    width=said(INTEGER, "pixels"),
    height=said(INTEGER, "pixels"),
    fps=said(INTEGER, "frames a second"),
    bitrate=said(INTEGER, "kbit/s"),
)
_LAYOUT = an_object(
    template=words(["floating", "best_fit", "vertical"]), maxResolutionUid=or_null(TEXT), backgroundColor=TEXT
)
_SUBSCRIBE: Schema = {
    "type": "object",
    "properties": {"audio": _SELECTION, "video": said(_SELECTION, "with audio_video only")},
    "required": ["audio"],
}
_FAILURE = an_object(
    code=words(FailureCode), message=TEXT, retryable=said(BOOLEAN, "whether a new start may fare better")
)
_FILE = an_object(
    kind=words(["hls", "mp4"]),
    key=said(TEXT, "its name in storage"),
    fileSize=BYTES,
    duration=SECONDS_OR_NULL,
    part=said(INTEGER, "which recorder made it, counted from 1"),
    checked=said(BOOLEAN, "it was opened, and what stands in it agrees with the rest"),
)
_GAP = an_object(
    **{"from": TIME, "to": said(or_null(TIME), "null while a lost recorder is being replaced"), "reason": TEXT}
)
_RECORDING = an_object(
    id=said(ID, "UUIDv7"),
    meetingId=TEXT,
    channelName=said(TEXT, "Agora's channel"),
    live=said(BOOLEAN, "in starting, active, paused or stopping: it takes the meeting's one live place"),
    status=said(words(Status), "the coarse word"),
    state=said(words(State), "the precise word; it never goes back"),
    agoraRecordingId=said(or_null(TEXT), "Agora's sid, of the last part"),
    recorderUids=said(a_list(TEXT), "every uid that a recorder of it had in the channel"),
    streams=words(["audio", "audio_video"]),
    outputs=a_list(words(["hls", "mp4"])),
    channelType=words(["communication", "live_broadcasting"]),
    video=or_null(_VIDEO),
    layout=or_null(_LAYOUT),
    subscribe=said(_SUBSCRIBE, "whose streams are recorded, by uid"),
    maxDuration=said(INTEGER, "seconds"),
    maxIdleTime=said(INTEGER, "seconds with nobody in the channel that end it"),
    startedBy=said(TEXT, "the token's sub, or its onBehalfOf"),
    stoppedBy=or_null(TEXT),
    createdAt=TIME,
    startedAt=said(or_null(TIME), "when capture began, by the evidence; null if no recorder ever captured"),
    stopRequestedAt=or_null(TIME),
    stoppedAt=said(or_null(TIME), "when capture ended, by the evidence"),
    completedAt=said(or_null(TIME), "when it became terminal, also by failing"),
    updatedAt=TIME,
    deletedAt=or_null(TIME),
    deadlineAt=said(or_null(TIME), "when the present state ends at the latest"),
    duration=said(SECONDS_OR_NULL, "seconds captured, without gaps and pauses"),
    fileSize=said(or_null(BYTES), "bytes of all objects"),
    storageUrl=said(or_null(TEXT), "names the main playable object and opens nothing; playback gives URLs that play"),
    storageKey=said(or_null(TEXT), "of the MP4 if there is one, else of the playlist"),
    storageStatus=words(StorageStatus),
    endReason=or_null(words(EndReason)),
    completeness=said(words(Completeness), "whether what there is to play is all that was captured"),
    gaps=said(a_list(_GAP), "stretches of which nothing is to be played; the last one may be open"),
    files=said(a_list(_FILE), "playlists and MP4s, never slices"),
    error=or_null(_FAILURE),
    version=said(INTEGER, "grows with every visible change; a part of the ETag"),
)
_RECORDING["properties"]["externalId"] = said(or_null(TEXT), "the application's own id; HOST, CO_HOST, operators only")
_RECORDING["properties"]["metadata"] = said(ANY_OBJECT, "HOST, CO_HOST, operators only")

_PROBLEM = an_object(
    type=said({"type": "string", "format": "uri-reference"}, "the page that explains the code"),
    title=said(TEXT, "for people; its words may change"),
    status=INTEGER,
    detail=said(TEXT, "for people; its words may change"),
    code=said(words(sorted(ERRORS)), "what programs decide by"),
    requestId=said(TEXT, "X-Request-ID; finds the request in the log"),
    retryable=said(BOOLEAN, "whether the same request may fare better later"),
)
_PROBLEM["properties"] |= {
    "errors": said(
        a_list(an_object(pointer=said(TEXT, "a JSON pointer into the body, or / and a parameter's name"), detail=TEXT)),
        "of validation_failed: what is wrong where",
    ),
    "recording": said(reference("Recording"), "the one that explains the refusal"),
    "limit": said(
        an_object(name=said(TEXT, "a setting"), value=said({"type": "number"}, "what it is set to")),
        "of recording_capacity_exhausted: the limit that is reached",
    ),
    "outcome": said(words(["unknown"]), "of database_unavailable: it may be stored; repeat with the same key"),
}
_LISTED_PLAYBACK = said(
    reference("Playback"), "with include=playback; no items where there is nothing to play, or not yet"
)
_ITEMS = {"nextCursor": said(or_null(TEXT), "for the parameter cursor; null at the end")}

ANSWERS: dict[str, Schema] = {
    "Recording": _RECORDING,
    "Problem": said(_PROBLEM, "RFC 9457"),
    "RecordingList": an_object(
        items=a_list({"allOf": [reference("Recording")], "properties": {"playback": _LISTED_PLAYBACK}}),
        total=said(INTEGER, "how many there are on all pages"),
        limit=INTEGER,
        offset=INTEGER,
        **_ITEMS,
    ),
    "History": an_object(
        items=a_list(
            an_object(
                seq=said(INTEGER, "counts every stored event of the meeting"),
                sequence=said(or_null(INTEGER), "counts those that streams show; null for the others"),
                type=TEXT,
                time=TIME,
                actor=reference("Actor"),
                data=said(ANY_OBJECT, "what the event says, with its evidence"),
            )
        ),
        **_ITEMS,
    ),
    "Sweep": an_object(
        items=a_list(
            an_object(
                kind=words(Kind),
                key=said(
                    TEXT, "a folder or an object in storage; of a recording its id, of a session channel, uid and sid"
                ),
                firstSeenAt=said(TIME, "when a sweep found it first"),
                action=words(Action),
                objects=said(INTEGER, "how many lie there"),
                bytes=BYTES,
            )
        ),
        more=said(BOOLEAN, "there are more than `sweep.items_max`; as lines all of them come"),
    ),
    "Playback": an_object(
        items=a_list(
            an_object(
                kind=words(["hls", "mp4"]),
                part=said(or_null(INTEGER), "null: all parts in one"),
                url=said({"type": "string", "format": "uri"}, "plays until expiresAt, without a token"),
                contentType=TEXT,
                fileSize=BYTES,
                duration=SECONDS_OR_NULL,
                expiresAt=TIME,
            )
        )
    ),
    "Verification": an_object(
        items=a_list(
            an_object(
                key=said(TEXT, "its name in storage"),
                fileSize=said(or_null(BYTES), "null: it is not there"),
                finding=said(words(Finding), "foreign: it is there, and the manifest does not know it"),
                detail=said(or_null(TEXT), "what is other than it was"),
            )
        ),
        total=said(INTEGER, "how many there are in all calls together"),
        **_ITEMS,
    ),
    "Ended": an_object(recording=said(or_null(reference("Recording")), "what was live, or null")),
    "Readiness": an_object(
        status=words(["ready", "degraded", "unready"]),
        ready=said(BOOLEAN, "false: send nothing here"),
        mode=said(
            an_object(
                agora=words(["live", "simulated"]),
                storage=words(["s3", "local"]),
                database=words(["embedded", "external"]),
                redis=words(["embedded", "external"]),
            ),
            "what it runs on",
        ),
        checks={
            "type": "object",
            "additionalProperties": an_object(ok=BOOLEAN, detail=TEXT, since=said(TIME, "when it became so")),
        },
    ),
    "Preflight": an_object(
        ok=said(BOOLEAN, "no check fails but warnings"),
        checks=a_list(
            an_object(
                name=TEXT,
                ok=BOOLEAN,
                detail=said(TEXT, "what was found"),
                since=said(TIME, "when it became so"),
                severity=words(["error", "warning"]),
                advice=said(or_null(TEXT), "what to do; null while nothing is"),
            )
        ),
    ),
    "Alive": an_object(status=words(["alive"])),
    "Nothing": {"type": "object", "properties": {}},
    "Notification": {
        "type": "object",
        "description": "As Agora sends them. What is of another kind or shape is kept too, if it only has an id.",
        "properties": {
            "noticeId": {
                "type": ["string", "integer"],
                "pattern": "[^\\u0000]",
                "description": "the same for a repeated delivery",
            },
            "productId": said({}, "3: Cloud Recording"),
            "eventType": said({}, "a number, such as 40: the recorder has started"),
            "notifyMs": said({}, "when it was sent, Unix milliseconds"),
            "payload": said({}, "what the event says"),
        },
        "required": ["noticeId"],
    },
    "Document": ANY_OBJECT,
    **EVENTS,
}
