"""state + event -> state. Total over the transition table, and the only place that changes a state."""

from dataclasses import replace
from typing import assert_never

from actors.domain.events import (
    AnyEvent,
    AttemptClosed,
    AttemptOpened,
    CallDeferred,
    CaptureProven,
    DeletionDeferred,
    DeletionRequested,
    EvicteeFound,
    EvictionBegan,
    EvictionDeferred,
    EvictionEnded,
    MediaAwaited,
    RecorderAccepted,
    RecorderExited,
    RecorderMissed,
    RecorderSeen,
    RecorderTroubled,
    RecordingAborted,
    RecordingCompleted,
    RecordingDeleted,
    RecordingFailed,
    RecordingRequested,
    ResourceAcquired,
    StopRequested,
    UploadReported,
)
from actors.domain.model import (
    LIVE_PHASES,
    Attempt,
    Eviction,
    Meeting,
    Phase,
    Recording,
    State,
    StorageStatus,
    Want,
)
from actors.domain.transitions import IllegalTransition, next_phase
from actors.domain.update_events import RecorderUpdated, RecordingUpdated, UpdateDeferred, UpdateRefused
from actors.domain.updating import apply_update


def evolve(meeting: Meeting, event: AnyEvent, at_ms: int) -> Meeting:
    """The meeting after the event. Raises IllegalTransition for an event that has no place in the state."""
    match event:
        case RecordingRequested():
            if meeting.live is not None:
                raise IllegalTransition("a second live recording")
            after = replace(_place(meeting, _requested(meeting, event, at_ms)), latest=event.recording_id)
        case EvicteeFound() | EvictionDeferred() | EvictionEnded():
            after = replace(meeting, evicting=_evolve_eviction(meeting, event, at_ms))
        case EvictionBegan():
            after = _evict(meeting, event, at_ms)
        case _:
            recording = meeting.recording(event.recording_id)
            if recording is None:
                raise IllegalTransition(f"{event.kind} for an unknown recording")
            after = _place(meeting, _evolve_recording(recording, event, at_ms))
    public = 1 if event.public else 0
    return replace(after, seq=meeting.seq + 1, sequence=meeting.sequence + public)


def recall(meeting: Meeting, recording: Recording) -> Meeting:
    """The meeting with a settled recording back in its `finishing` part, so that a command can be about it."""
    return replace(meeting, finishing={**meeting.finishing, recording.recording_id: recording})


def prune(meeting: Meeting) -> Meeting:
    """The meeting without its settled recordings; their rows are enough."""
    unsettled = (Phase.PROCESSING, Phase.DELETING)
    finishing = {key: item for key, item in meeting.finishing.items() if item.phase in unsettled}
    return meeting if len(finishing) == len(meeting.finishing) else replace(meeting, finishing=finishing)


def _place(meeting: Meeting, recording: Recording) -> Meeting:
    key = recording.recording_id
    if recording.phase in LIVE_PHASES:
        return replace(meeting, live=recording)
    live = meeting.live
    if live is not None and live.recording_id == key:
        live = None
    return replace(meeting, live=live, finishing={**meeting.finishing, key: recording})


def _requested(meeting: Meeting, event: RecordingRequested, at_ms: int) -> Recording:
    return Recording(
        recording_id=event.recording_id,
        meeting_id=meeting.meeting_id,
        spec=event.spec,
        prefix=event.prefix,
        phase=Phase.ACCEPTED,
        want=Want.RECORD,
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
        started_by=event.started_by,
        deadline_at_ms=event.deadline_at_ms,
        version=1,
    )


def _evict(meeting: Meeting, event: EvictionBegan, at_ms: int) -> Meeting:
    recording = meeting.recording(event.recording_id)
    if recording is None or recording.attempt is None or meeting.evicting is not None:
        raise IllegalTransition("there is no attempt to evict, or one is being evicted already")
    attempt = replace(recording.attempt, check_at_ms=at_ms, tries=0)
    eviction = Eviction(recording.recording_id, recording.spec.channel_name, attempt, event.until_ms)
    phase = next_phase(recording.phase, event)
    kept = recording.attempt if phase is Phase.PROCESSING else None
    return replace(_place(meeting, replace(recording, phase=phase, attempt=kept)), evicting=eviction)


def _evolve_eviction(
    meeting: Meeting, event: EvicteeFound | EvictionDeferred | EvictionEnded, at_ms: int
) -> Eviction | None:
    eviction = meeting.evicting
    if eviction is None or eviction.attempt.number != event.attempt:
        raise IllegalTransition(f"{event.kind} without its eviction")
    match event:
        case EvicteeFound():
            return replace(eviction, attempt=replace(eviction.attempt, sid=event.sid, check_at_ms=at_ms, tries=0))
        case EvictionDeferred():
            return replace(eviction, attempt=_missed(eviction.attempt, event.check_at_ms, at_ms, missed=event.missed))
        case EvictionEnded():
            return None


def _evolve_recording(recording: Recording, event: AnyEvent, at_ms: int) -> Recording:
    after = replace(_apply(recording, event, at_ms), phase=next_phase(recording.phase, event))
    if event.public or event.visible:
        after = replace(after, version=recording.version + 1, updated_at_ms=at_ms)
    return after


def _apply(recording: Recording, event: AnyEvent, at_ms: int) -> Recording:
    """The fields that the event changes, apart from phase and version."""
    match event:
        case AttemptOpened():
            return replace(
                recording,
                attempt=Attempt(number=event.attempt, uids=(event.uid,), opened_at_ms=at_ms, check_at_ms=at_ms),
                attempts=event.attempt,
                recorder_uids=(*recording.recorder_uids, event.uid),
                deadline_at_ms=event.deadline_at_ms,
            )
        case (
            ResourceAcquired()
            | CallDeferred()
            | RecorderAccepted()
            | RecorderSeen()
            | RecorderMissed()
            | RecorderTroubled()
        ):
            return _apply_to_attempt(recording, event, at_ms)
        case RecordingUpdated() | RecorderUpdated() | UpdateDeferred() | UpdateRefused():
            return apply_update(recording, event, at_ms)
        case AttemptClosed():
            return replace(recording, attempt=None)
        case CaptureProven():
            return replace(
                recording,
                attempt=replace(_attempt(recording), proven_at_ms=at_ms, check_at_ms=event.check_at_ms, tries=0),
                started_at_ms=event.started_at_ms,
                deadline_at_ms=event.deadline_at_ms,
            )
        case StopRequested():
            attempt = recording.attempt and replace(recording.attempt, check_at_ms=event.check_at_ms, tries=0)
            return replace(
                recording,
                want=Want.STOP,
                stopped_by=event.by,
                stop_requested_at_ms=at_ms,
                end_reason=event.reason,
                deadline_at_ms=event.deadline_at_ms,
                attempt=attempt,
            )
        case RecorderExited():
            return replace(
                recording,
                want=Want.STOP,
                stopped_at_ms=event.stopped_at_ms,
                end_reason=event.end_reason,
                nothing_recorded=event.nothing_recorded,
                deadline_at_ms=event.deadline_at_ms,
                check_at_ms=at_ms,
            )
        case UploadReported():
            return replace(
                recording,
                storage_status=event.storage_status,
                stored_at_ms=at_ms if event.storage_status is StorageStatus.STORED else recording.stored_at_ms,
                deadline_at_ms=event.deadline_at_ms or recording.deadline_at_ms,
                check_at_ms=event.check_at_ms,
                checks=0,
            )
        case MediaAwaited():
            return replace(
                recording,
                checks=recording.checks + 1,
                check_at_ms=event.check_at_ms,
                trouble=event.trouble or recording.trouble,
            )
        case RecordingCompleted() | RecordingFailed() | RecordingAborted():
            return _settled(recording, event, at_ms)
        case DeletionRequested():
            return replace(recording, check_at_ms=event.check_at_ms, checks=0)
        case DeletionDeferred():
            return replace(recording, check_at_ms=event.check_at_ms, checks=recording.checks + 1)
        case RecordingDeleted():
            return replace(recording, deleted_at_ms=at_ms, storage_status=StorageStatus.DELETED, files=())
        case RecordingRequested() | EvictionBegan() | EvicteeFound() | EvictionDeferred() | EvictionEnded():
            raise IllegalTransition(f"{event.kind} is not about one recording's fields")
        case _:
            assert_never(event)


_AttemptEvent = ResourceAcquired | CallDeferred | RecorderAccepted | RecorderSeen | RecorderMissed | RecorderTroubled


def _apply_to_attempt(recording: Recording, event: _AttemptEvent, at_ms: int) -> Recording:
    attempt = _attempt(recording)
    match event:
        case ResourceAcquired():
            acquired = replace(attempt, resource_id=event.resource_id, acquired_at_ms=at_ms)
            return replace(recording, attempt=replace(acquired, check_at_ms=at_ms, tries=0))
        case CallDeferred():
            deferred = replace(attempt, tries=attempt.tries + 1, check_at_ms=event.check_at_ms)
            deferred = replace(deferred, ambiguous=attempt.ambiguous or event.ambiguous)
            return replace(recording, attempt=deferred, trouble=event.trouble or recording.trouble)
        case RecorderAccepted():
            accepted = replace(attempt, sid=event.sid, check_at_ms=event.check_at_ms, tries=0)
            return replace(recording, sid=event.sid, attempt=accepted)
        case RecorderSeen():
            seen = replace(attempt, proven_at_ms=at_ms, missing_since_ms=None, misses=0)
            return replace(recording, attempt=replace(seen, tries=attempt.tries + 1, check_at_ms=event.check_at_ms))
        case RecorderMissed():
            return replace(recording, attempt=_missed(attempt, event.check_at_ms, at_ms, missed=True))
        case RecorderTroubled():
            return replace(recording, trouble=event.trouble)


def _settled(
    recording: Recording, event: RecordingCompleted | RecordingFailed | RecordingAborted, at_ms: int
) -> Recording:
    settled = replace(recording, completed_at_ms=at_ms, deadline_at_ms=None, trouble=None, want=Want.STOP)
    match event:
        case RecordingCompleted():
            return replace(
                settled,
                outcome=State.COMPLETED,
                completeness=event.completeness,
                duration_seconds=event.duration_seconds,
                file_size=event.file_size,
                files=event.files,
                gaps=event.gaps,
                started_at_ms=event.started_at_ms,
                stopped_at_ms=event.stopped_at_ms,
                storage_status=StorageStatus.STORED,
            )
        case RecordingFailed() | RecordingAborted():
            return replace(
                settled,
                outcome=State.FAILED if isinstance(event, RecordingFailed) else State.ABORTED,
                error=event.failure,
                end_reason=event.end_reason,
                storage_status=StorageStatus.MISSING,
            )


def _attempt(recording: Recording) -> Attempt:
    if recording.attempt is None:
        raise IllegalTransition("there is no attempt")
    return recording.attempt


def _missed(attempt: Attempt, check_at_ms: int, at_ms: int, *, missed: bool) -> Attempt:
    since = attempt.missing_since_ms
    return replace(
        attempt,
        tries=attempt.tries + 1,
        check_at_ms=check_at_ms,
        misses=attempt.misses + 1 if missed else attempt.misses,
        missing_since_ms=(at_ms if since is None else since) if missed else since,
    )
