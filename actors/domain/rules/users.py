"""What users ask for: start, stop, delete, and files of elsewhere. They change what is wanted, and so may be repeated."""

from actors.domain.commands import (
    Accepted,
    AttachFile,
    DeleteRecording,
    ExamineAgain,
    Refused,
    Reply,
    StartRecording,
    StopRecording,
)
from actors.domain.erasure_events import DeletionRequested, LateMediaFound
from actors.domain.events import RecordingRequested
from actors.domain.media_events import FileAttached
from actors.domain.model import Phase, Recording, Want
from actors.domain.projections import OVER_PHASES, erasure_of
from actors.domain.rules.draft import Draft
from actors.domain.rules.media import files_arrived
from actors.domain.rules.steps import open_attempt, request_stop


def start(draft: Draft, command: StartRecording) -> Reply:
    """One live recording per meeting. Beside an eviction it is accepted, and waits for its fence, but nobody waits for a day."""
    live = draft.meeting.live
    if live is not None:
        return Refused("recording_already_active", live.recording_id, retryable=live.want is Want.STOP)
    if command.barred is not None:
        return Refused(command.barred, retryable=True)
    longest_ms = draft.now_ms + draft.policy.resource_lifetime_ms + draft.policy.eviction_margin_ms
    fenced_at_ms = [min(e.until_ms, longest_ms) for e in draft.meeting.evictions if e.fenced_at_ms is None]
    begins_at_ms = max([draft.now_ms, *fenced_at_ms])
    draft.emit(
        RecordingRequested(
            recording_id=command.recording_id,
            spec=command.spec,
            prefix=command.prefix,
            started_by=command.by.id,
            deadline_at_ms=begins_at_ms + draft.policy.starting_deadline_ms,
        )
    )
    open_attempt(draft)
    return Accepted(command.recording_id)


def stop(draft: Draft, command: StopRecording) -> Reply:
    """The live recording ends. What is ending, or is over and named by its id, is answered as it is.

    An older recording that is still being processed is not what a stop is about once a newer one is over.
    """
    live = draft.meeting.live
    if command.recording_id is not None and (live is None or live.recording_id != command.recording_id):
        return Accepted(command.recording_id)
    if live is None:
        last = _last(draft)
        if last is None or last.phase is not Phase.PROCESSING:
            return Refused("no_active_recording")
        return Accepted(last.recording_id)
    if live.want is Want.RECORD:
        request_stop(draft, live, command.by.id, command.reason)
    return Accepted(live.recording_id)


def delete(draft: Draft, command: DeleteRecording) -> Reply:
    """Only what is settled can be deleted: what is not may still get files."""
    recording = draft.meeting.recording(command.recording_id)
    if recording is None:
        return Refused("not_found")
    if recording.phase not in (*OVER_PHASES, Phase.DELETING):
        return Refused("recording_live", recording.recording_id)
    if erasure_of(recording) is None:
        _begin_to_delete(draft, command, recording)
    return Accepted(recording.recording_id)


def examine_again(draft: Draft, command: ExamineAgain) -> Reply:
    """Whoever has seen files that the proof does not know."""
    recording = draft.meeting.recording(command.recording_id)
    if recording is None:
        return Refused("not_found")
    files_arrived(draft, recording, "more lies in storage than was proven")
    return Accepted(recording.recording_id)


def _begin_to_delete(draft: Draft, command: DeleteRecording, recording: Recording) -> None:
    if recording.phase is not Phase.DELETED:
        draft.emit(DeletionRequested(recording_id=recording.recording_id, by=command.by.id, check_at_ms=draft.now_ms))
    elif command.late:
        draft.emit(LateMediaFound(recording_id=recording.recording_id, check_at_ms=draft.now_ms))


def attach(draft: Draft, command: AttachFile) -> Reply:
    """A file belongs to what was recorded, be it that nothing of it was found until now. What is not over proves itself."""
    recording = draft.meeting.recording(command.recording_id)
    if recording is None:
        return Refused("not_found")
    if erasure_of(recording) is not None:
        return Refused("recording_deleted", recording.recording_id)
    match recording.phase:
        case Phase.COMPLETED | Phase.FAILED | Phase.REPROVING:
            draft.emit(
                FileAttached(
                    recording_id=recording.recording_id,
                    key=command.key,
                    file_size=command.file_size,
                    by=command.by.id,
                    check_at_ms=draft.now_ms,
                )
            )
            return Accepted(recording.recording_id)
        case Phase.ABORTED:
            return Refused("recording_aborted", recording.recording_id)
        case Phase.DELETING | Phase.DELETED:
            return Refused("recording_deleted", recording.recording_id)
        case _:
            return Refused("recording_live", recording.recording_id)


def _last(draft: Draft) -> Recording | None:
    """The meeting's last recording, unless it is settled."""
    latest = draft.meeting.latest
    return None if latest is None else draft.meeting.recording(latest)
