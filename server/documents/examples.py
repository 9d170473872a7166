"""What the documents show as examples: what the server itself renders of recordings that the rules have made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel

from actors.domain.events import JournalEvent
from actors.domain.media import Checked, Finding, Verification
from actors.domain.model import Recording
from actors.reading import FeedPosition, Snapshot
from server.documents.example_life import BEGIN_MS, MEETING_ID, START, Life, whole_media
from server.errors import ERRORS, Problem, invalid
from server.playback import UrlSigner, playback_items
from server.render import Renderer, history_item
from server.routes.verification import verification_item
from server.schemas import AttachBody, StartBody, StopBody, UpdateBody
from server.streams.frames import Frame, Wire
from server.streams.observer import StreamObserver
from server.streams.press import Press, Render, meeting_source

REQUEST_ID = "0f3a8c1e5b7d4a9692c8e1d3f4b5a607"
_SIGNER = UrlSigner(b"the examples' own", "https://tapedeck.example.com")
_RENDERER = Renderer(_SIGNER)
Named = Mapping[str, Any]
"""Examples by name."""


class _Clock:
    def now_ms(self) -> int:
        return BEGIN_MS


@dataclass(frozen=True)
class _Lives:
    """One recording in each state that it may be shown in, and the journals of all; the first is the whole way."""

    recordings: Mapping[str, Recording]
    journals: Sequence[Sequence[JournalEvent]]


@cache
def _lives() -> _Lives:
    whole, changed, failed, aborted = Life(), Life(), Life(), Life()
    for life in (changed, failed, aborted):
        life.start()
    found = {"starting": whole.start(), "accepted": whole.accept(), "active": whole.capture()}
    found["stopping"] = whole.stop()
    found["processing"] = whole.leave()
    found["completed"] = whole.prove(whole_media(found["active"].started_at_ms or 0))
    found |= {"deleted": whole.delete(), "failed": failed.reject(), "aborted": aborted.stop(after_seconds=1)}
    changed.accept()
    changed.capture()
    found["changed"] = changed.change()
    return _Lives(found, (whole.log, changed.log, failed.log, aborted.log))


def recordings() -> Mapping[str, Recording]:
    """Recordings by state; `accepted` is one in `starting` whose recorder is accepted, `changed` an active one."""
    return _lives().recordings


def recording(name: str) -> Any:
    """The recording of that name as hosts and operators see it."""
    return _RENDERER.recording(recordings()[name], private=True)


@cache
def every() -> Mapping[tuple[str, str], Any]:
    """All examples by schema and name."""
    bodies = {model.__name__: named for model, named in BODIES.items()}
    found = {**bodies, "Notification": {"started": NOTIFICATION}, **_answers()}
    return {(schema, name): value for schema, named in found.items() for name, value in named.items()}


def _answers() -> Mapping[str, Named]:
    shown = {state: recording(state) for state in recordings()}
    completed = recordings()["completed"]
    items = playback_items(completed, completed.files, _SIGNER, (completed.completed_at_ms or 0) // 1000 + 900)
    page = {"items": [shown["completed"]], "total": 1, "limit": 50, "offset": 0, "nextCursor": None}
    return {
        "Recording": shown,
        "RecordingList": {"one": page},
        "History": {"whole": {"items": [history_item(each) for each in _lives().journals[0]], "nextCursor": None}},
        "Playback": {"both": {"items": items}},
        "Verification": {"altered": verification_item(_verification(completed))},
        "Ended": {"stopped": {"recording": shown["completed"]}, "nothing_was_live": {"recording": None}},
        "Readiness": READINESS,
        "Preflight": PREFLIGHT,
        "Sweep": SWEEP,
        "Alive": {"alive": {"status": "alive"}},
        "Nothing": {"taken": {}},
        "Problem": {
            "no_active_recording.404": problem("no_active_recording", 404),
            **{code: problem(code, error.status) for code, error in ERRORS.items()},
        },
    }


def _verification(completed: Recording) -> Verification:
    """One of its files is not what it was."""
    same, altered = completed.files[0], completed.files[1]
    return Verification(
        (
            Checked(f"{'/'.join(completed.prefix)}/manifest.json", 1_904, Finding.SAME),
            Checked(same.key, same.file_size, Finding.SAME),
            Checked(altered.key, altered.file_size, Finding.ALTERED, "its bytes are others"),
        ),
        3,
        None,
    )


_SINCE = "2026-11-22T09:59:58.004Z"
_CHECKS: Named = {
    "database": {"ok": True, "detail": "answers", "since": _SINCE},
    "redis": {"ok": True, "detail": "answers", "since": _SINCE},
    "agora": {"ok": True, "detail": "answers", "since": _SINCE},
    "storage": {
        "ok": True,
        "detail": "a file was written, read and deleted; 81604378624 bytes free",
        "since": _SINCE,
    },
}
_MODE = {"agora": "simulated", "storage": "local", "database": "embedded", "redis": "embedded"}
_AWAY = {"ok": False, "detail": "no answer within 2 s", "since": "2026-11-22T10:00:00.123Z"}
READINESS: Named = {
    "ready": {"status": "ready", "ready": True, "mode": _MODE, "checks": _CHECKS},
    "degraded": {"status": "degraded", "ready": True, "mode": _MODE, "checks": {**_CHECKS, "redis": _AWAY}},
    "unready": {"status": "unready", "ready": False, "mode": _MODE, "checks": {**_CHECKS, "database": _AWAY}},
}
_AGORA = {
    "name": "agora",
    "ok": True,
    "detail": "answers, and takes the credentials",
    "since": _SINCE,
    "severity": "error",
}
_STORAGE = {
    "name": "storage",
    "detail": "an object was written with the recorder's keys, read, opened by its URL and deleted",
    "since": _SINCE,
    "severity": "error",
}
_DENIED = {
    "detail": "the recorder's keys cannot write: the store refused: the keys do not allow it (AccessDenied)",
    "advice": "Let the recorder's keys do s3:PutObject on the bucket, and see that bucket, region and keys are right.",
}
PREFLIGHT: Named = {
    "well": {"ok": True, "checks": [{**_AGORA, "advice": None}, {**_STORAGE, "ok": True, "advice": None}]},
    "troubled": {"ok": False, "checks": [{**_AGORA, "advice": None}, {**_STORAGE, "ok": False, **_DENIED}]},
}
_FOUND = {"firstSeenAt": "2026-11-22T09:00:00.000Z", "objects": 8, "bytes": 2_193_500}
_ORPHAN = {"kind": "media", "key": "tapedeck/01a202b2c57b7c4e9d3a5b1f0e6a7c99/", **_FOUND}
_FOREIGN = {"kind": "foreign", "key": "tapedeck/notes/", **_FOUND}
SWEEP: Named = {
    "told": {"items": [{**_ORPHAN, "action": "reported"}, {**_FOREIGN, "action": "reported"}], "more": False},
    "removed": {"items": [{**_ORPHAN, "action": "deleted"}, {**_FOREIGN, "action": "reported"}], "more": False},
}
START_BODIES: Named = {
    "nothing": {},
    "audio": START.model_dump(mode="json", by_alias=True, exclude_unset=True),
    "video": {
        "streams": "audio_video",
        "video": {"width": 1280, "height": 720, "fps": 15},
        "layout": {"template": "vertical", "maxResolutionUid": "42"},
        "subscribe": {"audio": "all", "video": ["42"]},
        "maxDuration": 3600,
        "onBehalfOf": "user-1",
    },
}
BODIES: Mapping[type[BaseModel], Named] = {
    StartBody: START_BODIES,
    UpdateBody: {
        "layout": {"layout": {"template": "floating"}},
        "subscription": {"subscribe": {"audio": ["42"], "video": "all"}},
    },
    AttachBody: {"from_elsewhere": {"url": "https://backup.example.com/38f8e3cf_standup_20261122100000323.ts"}},
    StopBody: {"nothing": {}, "for_a_user": {"onBehalfOf": "user-1"}},
}
NOTIFICATION: Mapping[str, Any] = {
    "noticeId": "2000001428:4330:107",
    "productId": 3,
    "eventType": 40,
    "notifyMs": 1795341601400,
    "payload": {
        "cname": "standup",
        "sid": "38f8e3cfdc474cd56fc1ceba380d7e1a",
        "uid": "812345678",
        "sequence": 0,
        "sendts": 1795341601323,
        "serviceType": 2,
        "details": {"msgName": "recorder_started", "status": 0},
    },
}


@cache
def events() -> Named:
    """One event of each type that a stream may hold at this stage, as a meeting's stream has it."""
    frames = [*_opening(), *(frame for journal in _lives().journals for frame in _published(journal))]
    return {event["type"]: event for event in (_read(frame) for frame in frames)}


def _opening() -> list[Frame[Any]]:
    """What no journal holds."""
    press, active = _press(), recordings()["active"]
    return [
        press.meeting_snapshot(Snapshot(MEETING_ID, 2, active, active.updated_at_ms)),
        press.meeting_reset(MEETING_ID, 5),
        press.feed_ready(FeedPosition(811, MEETING_ID, 5)),
        press.heartbeat(meeting_source(MEETING_ID)),
    ]


def _published(journal: Sequence[JournalEvent]) -> list[Frame[int]]:
    press = _press()
    return [press.meeting_event(each) for each in journal if each.sequence is not None]


def event_stream() -> str:
    """The beginning of an SSE answer, as it goes over the wire."""
    first, second = (frame.to(Wire.SSE_PLAIN).decode() for frame in _published(_lives().journals[0])[:2])
    return f"retry: 3012\n\n{first}:\n\n{second}"


def _press() -> Press:
    render = Render(_RENDERER.event, _RENDERER.snapshot)
    return Press(render, _Clock(), StreamObserver(), lambda: "7c1f5a0e")


def _read(frame: Frame[Any]) -> dict[str, Any]:
    event: dict[str, Any] = orjson.loads(frame.to(Wire.SSE_PLAIN).partition(b"data: ")[2])
    if event["type"].startswith("stream."):
        # Drawn anew for each event; the document must not change from process to process.
        event["id"] = f"{event['type']}/{UUID(int=BEGIN_MS, version=4)}"
    return event


def problem(code: str, status: int) -> Any:
    """The body of a problem with that code, with the members that come with it."""
    made = {
        "validation_failed": lambda: invalid("/maxDuration", "Input should be greater than or equal to 60"),
        "recording_already_active": lambda: _with("recording_already_active", "active"),
        "recording_aborted": lambda: _with("recording_aborted", "aborted"),
        "recording_live": lambda: _with("recording_live", "active"),
        "no_active_recording": lambda: Problem("no_active_recording", status=status),
        "provider_rejected": lambda: _with("provider_rejected", "failed"),
    }.get(code, lambda: Problem(code))()
    return made.body(REQUEST_ID)


def _with(code: str, state: str) -> Problem:
    shown = recording(state)
    detail = shown["error"]["message"] if code.startswith("provider_") else None
    return Problem(code, detail, extra={"recording": shown})
