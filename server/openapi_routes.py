"""Every route as the OpenAPI document tells it: what it takes and what it may answer. A test holds it to what is served."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from server.openapi_operation import Access, Operation
from server.routes.streams import StreamQuery
from server.schemas import (
    AttachBody,
    AttachParameters,
    HistoryParameters,
    ListParameters,
    OperatorListParameters,
    PlaybackParameters,
    StartBody,
    StopBody,
    SweepParameters,
    UpdateBody,
    VerifyParameters,
)


class MediaParameters(BaseModel):
    """The query of a signed URL, for the document only: it is verified as the raw text that it was made as."""

    parts: Literal["all"] | None = None
    recording: str | None = None
    expires: Annotated[str, Field(pattern="^[0-9]{1,15}$")] | None = None
    signature: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


MEETING, RECORDING = "/api/v1/meetings/{meetingId}", "/api/v1/recordings/{id}"
COMMAND_HEADERS = ("Idempotency-Key", "Prefer")
COMMAND_SENDS = ("Idempotent-Replayed", "Preference-Applied")
RUNS = ("database_unavailable", "overloaded", "draining", "meeting_quarantined")
"""What a command may meet in the actor system."""
READS = ("database_unavailable",)
ONE = ("not_found", "validation_failed")
COMMAND = (*ONE, "forbidden", "idempotency_key_reused", *RUNS)
STREAM = (*READS, "validation_failed", "overloaded", "draining")

HOSTS = ("HOST", "CO_HOST")
MEMBERS = (*HOSTS, "PARTICIPANT", "operator")
CONTROLLERS = (*HOSTS, "operator")

COMMANDS = (
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
            "recording_capacity_exhausted",
        ),
        body=StartBody,
        headers=COMMAND_HEADERS,
        sends=("Location", "ETag", *COMMAND_SENDS),
        who=HOSTS,
        shows={201: ("accepted", "active"), 202: ("starting",)},
    ),
    Operation(
        "post",
        f"{MEETING}/recording/stop",
        "Stop what is being recorded",
        {200: "Recording", 202: "Recording"},
        (*COMMAND, "no_active_recording"),
        body=StopBody,
        headers=COMMAND_HEADERS,
        sends=("ETag", *COMMAND_SENDS),
        who=HOSTS,
        shows={200: ("completed", "processing", "aborted"), 202: ("stopping",)},
    ),
    Operation(
        "patch",
        f"{MEETING}/recording",
        "Change the layout or the subscription of what is being recorded",
        {200: "Recording", 202: "Recording"},
        (
            *ONE,
            "forbidden",
            *RUNS,
            "no_active_recording",
            "recording_not_active",
            "provider_rejected",
            "provider_unauthorized",
        ),
        body=UpdateBody,
        headers=("Prefer",),
        sends=("ETag", "Preference-Applied"),
        who=HOSTS,
        shows={200: ("changed",), 202: ("changed",)},
    ),
    Operation(
        "post",
        f"{MEETING}/end",
        "The meeting is over",
        {200: "Ended"},
        COMMAND,
        body=StopBody,
        headers=COMMAND_HEADERS,
        sends=COMMAND_SENDS,
        who=HOSTS,
    ),
    Operation(
        "post",
        f"{RECORDING}/stop",
        "Stop this recording",
        {200: "Recording", 202: "Recording"},
        COMMAND,
        body=StopBody,
        headers=COMMAND_HEADERS,
        sends=("ETag", *COMMAND_SENDS),
        who=CONTROLLERS,
        shows={200: ("completed", "processing", "aborted"), 202: ("stopping",)},
    ),
    Operation(
        "delete",
        RECORDING,
        "Delete the media",
        {204: None, 202: None},
        (*ONE, "forbidden", "recording_live", "recording_locked", *RUNS),
        who=("HOST", "operator"),
    ),
    Operation(
        "post",
        f"{RECORDING}/verify",
        "Hold the files against their manifest",
        {200: "Verification"},
        (
            *(*ONE, *READS, "forbidden"),
            *("recording_not_ready", "no_media", "recording_deleted", "storage_unavailable"),
        ),
        query=VerifyParameters,
        who=("operator",),
    ),
    Operation(
        "post",
        f"{RECORDING}/files",
        "Add a file to a recording that is over",
        {201: "Recording", 202: "Recording"},
        (
            *COMMAND,
            *("recording_live", "recording_aborted", "recording_deleted"),
            *("payload_too_large", "unsupported_media_type", "storage_unavailable"),
        ),
        query=AttachParameters,
        body=AttachBody,
        headers=COMMAND_HEADERS,
        sends=("ETag", *COMMAND_SENDS),
        who=("operator",),
        shows={201: ("completed",), 202: ("completed",)},
    ),
    Operation(
        "post",
        "/api/v1/preflight",
        "Look at everything that recordings need",
        {200: "Preflight"},
        ("validation_failed", "forbidden"),
        headers=("Idempotency-Key",),
        who=("operator",),
        shows={200: ("well", "troubled")},
    ),
    Operation(
        "post",
        "/api/v1/sweep",
        "Look for what belongs to nobody",
        {200: "Sweep"},
        ("forbidden", "validation_failed", "sweep_running", "storage_unavailable", *READS),
        query=SweepParameters,
        headers=("Idempotency-Key", "Accept"),
        who=("operator",),
    ),
)

READING = (
    Operation(
        "get",
        f"{MEETING}/recording",
        "The live recording",
        {200: "Recording", 304: None},
        (*ONE, *READS, "no_active_recording"),
        headers=("If-None-Match",),
        sends=("ETag",),
        who=MEMBERS,
        shows={200: ("active",)},
    ),
    Operation(
        "get",
        f"{MEETING}/recordings",
        "A meeting's recordings",
        {200: "RecordingList"},
        (*ONE, *READS, "forbidden"),
        query=ListParameters,
        who=MEMBERS,
    ),
    Operation(
        "get",
        "/api/v1/recordings",
        "All recordings",
        {200: "RecordingList"},
        (*READS, "validation_failed", "forbidden"),
        query=OperatorListParameters,
        who=("operator",),
    ),
    Operation(
        "get",
        RECORDING,
        "One recording",
        {200: "Recording", 304: None},
        (*ONE, *READS),
        headers=("If-None-Match",),
        sends=("ETag",),
        who=MEMBERS,
    ),
    Operation(
        "get",
        f"{RECORDING}/history",
        "Every stored event",
        {200: "History"},
        (*ONE, *READS, "forbidden"),
        query=HistoryParameters,
        who=CONTROLLERS,
    ),
    Operation(
        "get",
        f"{RECORDING}/playback",
        "Signed URLs to play",
        {200: "Playback"},
        (
            *(*ONE, *READS, "forbidden"),
            *("recording_not_ready", "no_media", "recording_deleted", "storage_unavailable"),
        ),
        query=PlaybackParameters,
        who=MEMBERS,
    ),
)

STREAMS = (
    Operation(
        "get",
        f"{MEETING}/events",
        "A meeting's events",
        {101: None, 200: "Event"},
        ("not_found", *STREAM),
        query=StreamQuery,
        access=Access.STREAM,
        media_type="text/event-stream",
        headers=("Last-Event-ID",),
        who=MEMBERS,
    ),
    Operation(
        "get",
        "/api/v1/events",
        "All events",
        {101: None, 200: "Event"},
        ("forbidden", *STREAM),
        query=StreamQuery,
        access=Access.STREAM,
        media_type="text/event-stream",
        headers=("Last-Event-ID",),
        who=("operator",),
    ),
)

OTHERS = (
    Operation(
        "post",
        "/api/v1/webhooks/agora",
        "A notification of Agora",
        {200: "Nothing"},
        ("invalid_signature", "provider_unavailable", "database_unavailable"),
        access=Access.SIGNATURE,
    ),
    Operation(
        "get",
        "/media/{key}",
        "A file of local storage",
        {200: None, 206: None, 304: None, 416: None},
        ("forbidden", "not_found", "recording_deleted", "storage_unavailable"),
        query=MediaParameters,
        access=Access.NONE,
        media_type="application/octet-stream",
        headers=("Range",),
    ),
    Operation(
        "get",
        "/healthz",
        "The process is alive",
        {200: "Alive"},
        access=Access.NONE,
    ),
    Operation(
        "get",
        "/readyz",
        "Whether it can work",
        {200: "Readiness", 503: "Readiness"},
        access=Access.NONE,
        shows={200: ("ready", "degraded"), 503: ("unready",)},
    ),
    Operation(
        "get",
        "/metrics",
        "Metrics",
        {200: None},
        access=Access.NONE,
        media_type="text/plain",
    ),
    Operation(
        "get",
        "/openapi.json",
        "This document",
        {200: "Document"},
        access=Access.NONE,
    ),
    Operation(
        "get",
        "/asyncapi.json",
        "The streams",
        {200: "Document"},
        access=Access.NONE,
    ),
    Operation(
        "get",
        "/docs",
        "This interface as a page",
        {200: None},
        access=Access.NONE,
        media_type="text/html",
    ),
    Operation(
        "get",
        "/errors/{code}",
        "What a code means",
        {200: None},
        ("not_found",),
        access=Access.NONE,
        media_type="text/html",
    ),
    Operation(
        "get",
        "/",
        "The operators' page",
        {200: None, 304: None},
        access=Access.NONE,
        media_type="text/html",
        headers=("If-None-Match",),
        sends=("ETag",),
    ),
    Operation(
        "get",
        "/assets/{name}",
        "A file that a page is made of",
        {200: None, 304: None},
        ("not_found",),
        access=Access.NONE,
        media_type="*/*",
        headers=("If-None-Match",),
        sends=("ETag",),
    ),
)

OPERATIONS: tuple[Operation, ...] = (*COMMANDS, *READING, *STREAMS, *OTHERS)
