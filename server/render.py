"""Domain values as the JSON of api.md: recordings, events, history. One place, so that every call and stream agrees."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic.alias_generators import to_camel

from actors.domain.codec import encode_event
from actors.domain.event import public_type
from actors.domain.events import JournalEvent
from actors.domain.model import Failure, Gap, Layout, MediaFile, Phase, Recording, Subscription, Video
from actors.domain.projections import is_live, state_of, status_of
from actors.reading import Snapshot
from server.playback import main_file


def rfc3339(at_ms: int | None) -> str | None:
    """Unix milliseconds as `2026-11-22T10:00:00.123Z`."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at_ms % 1000:03d}Z"


class ObjectUrls(Protocol):
    """URLs that name objects and open nothing."""

    def storage_url(self, key: str) -> str: ...


class Renderer:
    """Knows how the URLs of objects begin, which a recording's `storageUrl` needs."""

    def __init__(self, urls: ObjectUrls) -> None:
        self._urls = urls

    def recording(self, recording: Recording, *, private: bool) -> dict[str, Any]:
        """A recording; without `private` it has no `metadata` and no `externalId`, which not every role may see."""
        main = main_file(recording)
        body = {
            "id": recording.recording_id,
            "meetingId": recording.meeting_id,
            "channelName": recording.spec.channel_name,
            "live": is_live(recording),
            "status": status_of(recording).value,
            "state": state_of(recording).value,
            "agoraRecordingId": recording.sid,
            "recorderUids": list(recording.recorder_uids),
            **_spec(recording),
            "startedBy": recording.started_by,
            "stoppedBy": recording.stopped_by,
            **_times(recording),
            "duration": recording.duration_seconds,
            "fileSize": recording.file_size,
            "storageUrl": None if main is None else self._urls.storage_url(main.key),
            "storageKey": None if main is None else main.key,
            "storageStatus": recording.storage_status.value,
            "endReason": None if recording.end_reason is None else recording.end_reason.value,
            "completeness": recording.completeness.value,
            "gaps": [_gap(gap) for gap in recording.gaps],
            "files": [_file(file) for file in recording.files],
            "error": _failure(recording.error),
            "version": recording.version,
        }
        if private:
            body["externalId"] = recording.spec.external_id
            body["metadata"] = dict(recording.spec.metadata)
        return body

    def event(self, stored: JournalEvent, private: bool) -> dict[str, Any]:
        """A public event as a CloudEvent, without its cursor."""
        assert stored.recording is not None, "public events carry their recording"
        live = None if stored.live is None else {"id": stored.live.recording_id, "state": stored.live.state.value}
        return {
            "specversion": "1.0",
            "id": f"{stored.meeting_id}/{stored.sequence}",
            "source": f"/meetings/{stored.meeting_id}",
            "type": public_type(stored.event),
            "time": rfc3339(stored.at_ms),
            "subject": stored.event.recording_id,
            "datacontenttype": "application/json",
            "sequence": stored.sequence,
            "data": {
                "recording": self.recording(stored.recording, private=private),
                "live": live,
                "actor": _actor(stored),
            },
        }

    def snapshot(self, snapshot: Snapshot, private: bool) -> dict[str, Any]:
        """A meeting as it is now, as a CloudEvent, without its cursor."""
        live = snapshot.live
        return {
            "specversion": "1.0",
            "id": f"{snapshot.meeting_id}/{snapshot.sequence}/snapshot",
            "source": f"/meetings/{snapshot.meeting_id}",
            "type": "recording.snapshot",
            # A meeting in which nothing has happened yet is as it is now.
            "time": rfc3339(snapshot.at_ms or time.time_ns() // 1_000_000),
            **({} if live is None else {"subject": live.recording_id}),
            "datacontenttype": "application/json",
            "sequence": snapshot.sequence,
            "data": {
                "recording": None if live is None else self.recording(live, private=private),
                "live": None if live is None else {"id": live.recording_id, "state": state_of(live).value},
                "actor": {"kind": "system", "id": "tapedeck"},
            },
        }


def history_item(stored: JournalEvent) -> dict[str, Any]:
    """A stored event, internal ones too, with its evidence. `sequence` is null for those that no stream shows.

    `type` is its own name, which says more than the type that streams give it. What was asked for at the start is left out:
    it stands in the recording, but for the changes, which are told.
    """
    data = {name: value for name, value in encode_event(stored.event).items() if name not in ("recording_id", "spec")}
    if data.get("subscribe") is not None:
        data["subscribe"] = {medium: _selection(uids) for medium, uids in data["subscribe"].items()}
    if "stray" in data:
        data["stray"] = {name: data["stray"][name] for name in ("sid", "uids")}
    return {
        "seq": stored.seq,
        "sequence": stored.sequence,
        "type": stored.event.kind,
        "time": rfc3339(stored.at_ms),
        "actor": _actor(stored),
        "data": _named(data),
    }


def _named(value: Any) -> Any:
    """The domain's fields as the interface names them: camelCase, times as text, durations without their unit.

    An event of before may not have had a time yet: it is 0.
    """
    if isinstance(value, list):
        return [_named(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        to_camel(name.removesuffix("_ms").removesuffix("_seconds")): rfc3339(item or None)
        if name.endswith("_ms")
        else _named(item)
        for name, item in value.items()
    }


def _actor(stored: JournalEvent) -> dict[str, str]:
    return {"kind": stored.actor.kind.value, "id": stored.actor.id}


def _spec(recording: Recording) -> dict[str, Any]:
    spec = recording.spec
    return {
        "streams": spec.streams,
        "outputs": list(spec.outputs),
        "channelType": spec.channel_type,
        "video": _video(spec.video),
        "layout": _layout(spec.layout),
        "subscribe": _subscription(spec.subscribe, with_video=spec.streams == "audio_video"),
        "maxDuration": spec.max_duration_seconds,
        "maxIdleTime": spec.max_idle_seconds,
    }


def _times(recording: Recording) -> dict[str, str | None]:
    settled = recording.phase in (Phase.DELETED, Phase.DELETING)
    return {
        "createdAt": rfc3339(recording.created_at_ms),
        "startedAt": rfc3339(recording.started_at_ms),
        "stopRequestedAt": rfc3339(recording.stop_requested_at_ms),
        "stoppedAt": rfc3339(recording.stopped_at_ms),
        "completedAt": rfc3339(recording.completed_at_ms),
        "updatedAt": rfc3339(recording.updated_at_ms),
        "deletedAt": rfc3339(recording.deleted_at_ms),
        "deadlineAt": None if settled else rfc3339(recording.deadline_at_ms),
    }


def _video(video: Video | None) -> dict[str, int] | None:
    if video is None:
        return None
    return {"width": video.width, "height": video.height, "fps": video.fps, "bitrate": video.bitrate}


def _layout(layout: Layout | None) -> dict[str, Any] | None:
    if layout is None:
        return None
    return {
        "template": layout.template,
        "maxResolutionUid": layout.max_resolution_uid,
        "backgroundColor": layout.background_color,
    }


def _subscription(subscription: Subscription, *, with_video: bool) -> dict[str, Any]:
    shown = {"audio": _selection(subscription.audio)}
    if with_video:
        shown["video"] = _selection(subscription.video)
    return shown


def _selection(uids: Sequence[str] | None) -> str | list[str]:
    return "all" if uids is None else list(uids)


def _gap(gap: Gap) -> dict[str, Any]:
    return {"from": rfc3339(gap.from_ms), "to": rfc3339(gap.to_ms), "reason": gap.reason}


def _file(file: MediaFile) -> dict[str, Any]:
    return {
        "kind": file.kind,
        "key": file.key,
        "fileSize": file.file_size,
        "duration": file.duration_seconds,
        "part": file.part,
        "checked": file.checked,
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {"code": failure.code.value, "message": failure.message, "retryable": failure.retryable}
