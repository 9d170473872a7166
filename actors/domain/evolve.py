"""state + event -> state. Total over the transition table, and the only place that changes a state."""

from dataclasses import replace
from typing import assert_never

from actors.domain.attempting import apply_proof, apply_to_attempt
from actors.domain.erasing import apply_erasure
from actors.domain.erasure_events import (
    DeletionDeferred,
    DeletionRefused,
    DeletionRequested,
    ErasureBegan,
    LateMediaErased,
    LateMediaFound,
    MediaListed,
    MediaRemoved,
    RecordingDeleted,
)
from actors.domain.events import (
    AnyEvent,
    AttemptClosed,
    AttemptOpened,
    CallDeferred,
    CaptureProven,
    RecorderAccepted,
    RecorderExited,
    RecorderLost,
    RecorderMissed,
    RecorderMoved,
    RecorderReplaced,
    RecorderSeen,
    RecorderTroubled,
    RecordingRequested,
    ResourceAcquired,
    RoomLooked,
    StopRequested,
)
from actors.domain.evicting import add_eviction, add_stray, change_eviction
from actors.domain.eviction_events import (
    BanDeferred,
    EvicteeFound,
    EvicteeLooked,
    EvictionBegan,
    EvictionDeferred,
    EvictionEnded,
    EvictionFenced,
    EvictionHeld,
    RecorderBanned,
    StrayFound,
)
from actors.domain.ids import RecordingId
from actors.domain.key_events import RecorderRekeyed, RekeyDeferred
from actors.domain.media_events import (
    FileAttached,
    FilesArrived,
    ManifestWritten,
    MediaAwaited,
    RecordingAborted,
    RecordingCompleted,
    RecordingFailed,
    RecordingReproven,
    SealDeferred,
    UploadReported,
)
from actors.domain.model import LOST, Attempt, Gap, Meeting, Phase, Recording, State, StorageStatus, Want
from actors.domain.projections import LIVE_PHASES, attempt_numbered, attempts_of, is_unsettled, upload_of
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
        case EvicteeFound(recording_id=recording_id, attempt=attempt, sid=sid):
            after = _learn(change_eviction(meeting, event, at_ms), recording_id, attempt, sid)
        case EvictionDeferred() | EvictionHeld() | RecorderBanned() | BanDeferred() | EvicteeLooked():
            after = change_eviction(meeting, event, at_ms)
        case EvictionFenced() | EvictionEnded():
            after = _settling(change_eviction(meeting, event, at_ms), event.recording_id, at_ms)
        case StrayFound(recording_id=recording_id, attempt=attempt, stray=stray):
            after = _learn(add_stray(meeting, event, at_ms), recording_id, attempt, stray.sid)
        case EvictionBegan():
            after = _evict(meeting, event, at_ms)
        case _:
            recording = meeting.recording(event.recording_id)
            if recording is None:
                raise IllegalTransition(f"{event.kind} for an unknown recording")
            after = _place(meeting, _evolve_recording(recording, event, at_ms))
    public = 1 if event.public else 0
    return replace(after, seq=meeting.seq + 1, sequence=meeting.sequence + public)


def inherit(meeting: Meeting) -> Meeting:
    """The meeting as its next owner has to see it: its start may have been sent, and nobody has heard the answer."""
    live = meeting.live
    if live is None or live.attempt is None or live.phase is not Phase.STARTING:
        return meeting
    return replace(meeting, live=replace(live, attempt=replace(live.attempt, ambiguous=True)))


def recall(meeting: Meeting, recording: Recording) -> Meeting:
    """The meeting with a settled recording back in its `finishing` part, so that a command can be about it."""
    return replace(meeting, finishing={**meeting.finishing, recording.recording_id: recording})


def prune(meeting: Meeting) -> Meeting:
    """The meeting without the recordings that it has nothing left to do for; their rows are enough."""
    finishing = {key: item for key, item in meeting.finishing.items() if is_unsettled(item)}
    return meeting if len(finishing) == len(meeting.finishing) else replace(meeting, finishing=finishing)


def _learn(meeting: Meeting, recording_id: RecordingId, number: int, sid: str | None) -> Meeting:
    """The recording knows whose files will be there."""
    recording = meeting.recording(recording_id)
    attempt = None if recording is None else attempt_numbered(recording, number)
    if recording is None or attempt is None or attempt.sid is not None:
        return meeting
    first = not _has_sid(recording) and recording.phase is Phase.PROCESSING
    learnt = _with_attempt(recording, replace(attempt, sid=sid))
    return _place(meeting, replace(learnt, stored_at_ms=None) if first else learnt)


def _settling(meeting: Meeting, recording_id: RecordingId, at_ms: int) -> Meeting:
    """One of its recorders may have captured until now: what that left has as long to come as anything that is stored."""
    recording = meeting.finishing.get(recording_id)
    if recording is None or recording.stored_at_ms is None or recording.phase is not Phase.PROCESSING:
        return meeting
    return _place(meeting, replace(recording, stored_at_ms=at_ms))


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
    """The attempt leaves the recording, unless the recording is over and waits for its files."""
    recording = meeting.recording(event.recording_id)
    attempt = None if recording is None else attempt_numbered(recording, event.attempt)
    if recording is None or attempt is None:
        raise IllegalTransition("there is no such attempt to evict")
    phase = next_phase(recording.phase, event)
    doubted = _with_attempt(recording, replace(attempt, ambiguous=True))  # a start may have been sent, and have worked
    evicted = doubted if phase is Phase.PROCESSING else _close(doubted, event.attempt, at_ms)
    after = _place(meeting, replace(evicted, phase=phase))
    return add_eviction(after, recording, attempt, event, at_ms)


def _close(recording: Recording, number: int, at_ms: int) -> Recording:
    """The recording with that attempt, if it is the present one, among those of the past."""
    attempt = recording.attempt
    if attempt is None or attempt.number != number:
        return recording
    return replace(recording, attempt=None, past=(*recording.past, replace(attempt, closed_at_ms=at_ms)))


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
                fruitless=recording.fruitless + 1,
                recorder_uids=(*recording.recorder_uids, event.uid),
                deadline_at_ms=event.deadline_at_ms,
                storage_status=_unfinished(recording.storage_status),
                stored_at_ms=None,
            )
        case (
            ResourceAcquired()
            | CallDeferred()
            | RecorderAccepted()
            | RecorderSeen()
            | RecorderMissed()
            | RecorderMoved()
            | RoomLooked()
            | RecorderRekeyed()
            | RekeyDeferred()
        ):
            return apply_to_attempt(recording, event, at_ms)
        case RecorderTroubled():
            return replace(recording, trouble=event.trouble)
        case RecordingUpdated() | RecorderUpdated() | UpdateDeferred() | UpdateRefused():
            return apply_update(recording, event, at_ms)
        case AttemptClosed():
            return replace(_close(recording, event.attempt, at_ms), check_at_ms=event.check_at_ms)
        case CaptureProven():
            proven = replace(apply_proof(recording, event, at_ms), fruitless=0, started_at_ms=event.started_at_ms)
            return replace(proven, deadline_at_ms=event.deadline_at_ms)
        case RecorderReplaced():
            proven = replace(apply_proof(recording, event, at_ms), fruitless=0)
            return replace(proven, gaps=_closed(recording.gaps, event.resumed_at_ms))
        case RecorderLost():
            gap = Gap(event.lost_at_ms, None, LOST)
            lost = replace(_close(recording, event.attempt, at_ms), gaps=(*recording.gaps, gap))
            return replace(lost, check_at_ms=event.check_at_ms)
        case StopRequested():
            return replace(
                recording,
                want=Want.STOP,
                stopped_by=event.by,
                stop_requested_at_ms=at_ms,
                end_reason=event.reason,
                deadline_at_ms=event.deadline_at_ms,
                attempt=recording.attempt and _to_be_stopped(recording.attempt, event.check_at_ms),
            )
        case RecorderExited():
            return replace(
                recording,
                want=Want.STOP,
                attempt=recording.attempt and replace(recording.attempt, closed_at_ms=at_ms),
                gaps=_closed(recording.gaps, recording.stop_requested_at_ms or at_ms),
                stopped_at_ms=event.stopped_at_ms,
                end_reason=event.end_reason,
                nothing_recorded=event.nothing_recorded,
                trouble=event.trouble or recording.trouble,
                deadline_at_ms=event.deadline_at_ms,
                check_at_ms=at_ms,
                stored_at_ms=_stored_at_ms(recording, at_ms),
            )
        case UploadReported():
            return _uploaded(recording, event, at_ms)
        case MediaAwaited():
            return replace(
                recording,
                checks=recording.checks + 1,
                check_at_ms=event.check_at_ms,
            )
        case RecordingCompleted() | RecordingFailed() | RecordingAborted():
            return _settled(recording, event, at_ms)
        case ManifestWritten():
            return replace(recording, manifest_sha256=event.sha256, seal_at_ms=None, seal_tries=0)
        case SealDeferred():
            return replace(recording, seal_at_ms=event.check_at_ms, seal_tries=recording.seal_tries + 1)
        case FileAttached() | FilesArrived():
            return replace(recording, check_at_ms=event.check_at_ms, checks=0)
        case RecordingReproven():
            return _proven(replace(recording, error=None), event, at_ms)
        case (
            DeletionRequested()
            | MediaListed()
            | DeletionRefused()
            | ErasureBegan()
            | MediaRemoved()
            | DeletionDeferred()
            | RecordingDeleted()
            | LateMediaFound()
            | LateMediaErased()
        ):
            return apply_erasure(recording, event, at_ms)
        case (
            RecordingRequested()
            | EvictionBegan()
            | StrayFound()
            | EvicteeFound()
            | EvictionDeferred()
            | RecorderBanned()
            | BanDeferred()
            | EvictionFenced()
            | EvicteeLooked()
            | EvictionHeld()
            | EvictionEnded()
        ):
            raise IllegalTransition(f"{event.kind} is not about one recording's fields")
        case _:
            assert_never(event)


def _has_sid(recording: Recording) -> bool:
    """Whether there is a session of which the provider can say what became of its files."""
    return any(attempt.sid is not None for attempt in attempts_of(recording))


def _stored_at_ms(recording: Recording, at_ms: int) -> int | None:
    """Since when no more files are to be expected of a recording whose last recorder is gone by then."""
    if not _has_sid(recording):
        return at_ms
    return (recording.stored_at_ms or at_ms) if upload_of(recording) is StorageStatus.STORED else None


def _unfinished(status: StorageStatus) -> StorageStatus:
    """With another part to come, not all is stored."""
    return StorageStatus.UPLOADING if status is StorageStatus.STORED else status


def _to_be_stopped(attempt: Attempt, check_at_ms: int) -> Attempt:
    """One whose session is known need not come any further now."""
    until_ms = attempt.until_ms if attempt.sid is None else None
    return replace(attempt, check_at_ms=check_at_ms, tries=0, until_ms=until_ms)


def _uploaded(recording: Recording, event: UploadReported, at_ms: int) -> Recording:
    """The recording is stored when its last part is, and no earlier one waits in the provider's backup."""
    attempt = attempt_numbered(recording, event.attempt)
    after = recording if attempt is None else _with_attempt(recording, replace(attempt, upload=event.storage_status))
    more = after.phase in LIVE_PHASES and after.attempt is not None and after.attempt.sid is None
    status = _unfinished(upload_of(after)) if more else upload_of(after)
    over = after.phase is Phase.PROCESSING
    return replace(
        after,
        storage_status=status,
        stored_at_ms=at_ms if status is StorageStatus.STORED else None,
        deadline_at_ms=event.deadline_at_ms or recording.deadline_at_ms,
        check_at_ms=event.check_at_ms if over else recording.check_at_ms,
        checks=0 if over else recording.checks,
    )


def _with_attempt(recording: Recording, changed: Attempt) -> Recording:
    """The recording with that attempt, present or past, as it is now."""
    attempts = [changed if attempt.number == changed.number else attempt for attempt in attempts_of(recording)]
    present = recording.attempt and attempts.pop()
    return replace(recording, attempt=present, past=tuple(attempts))


def _closed(gaps: tuple[Gap, ...], at_ms: int) -> tuple[Gap, ...]:
    """The gaps with the open one ended; one that has not even begun by then is none."""
    ended = (replace(gap, to_ms=max(at_ms, gap.from_ms)) if gap.to_ms is None else gap for gap in gaps)
    return tuple(gap for gap in ended if gap.to_ms != gap.from_ms)


def _settled(
    recording: Recording, event: RecordingCompleted | RecordingFailed | RecordingAborted, at_ms: int
) -> Recording:
    settled = replace(recording, completed_at_ms=at_ms, deadline_at_ms=None, trouble=None, want=Want.STOP)
    match event:
        case RecordingCompleted():
            return _proven(settled, event, at_ms)
        case RecordingFailed() | RecordingAborted():
            return replace(
                settled,
                outcome=State.FAILED if isinstance(event, RecordingFailed) else State.ABORTED,
                error=event.failure,
                end_reason=event.end_reason,
                storage_status=StorageStatus.MISSING,
            )


def _proven(recording: Recording, event: RecordingCompleted | RecordingReproven, at_ms: int) -> Recording:
    return replace(
        recording,
        outcome=State.COMPLETED,
        completeness=event.completeness,
        duration_seconds=event.duration_seconds,
        file_size=event.file_size,
        files=event.files,
        gaps=event.gaps,
        started_at_ms=event.started_at_ms,
        stopped_at_ms=event.stopped_at_ms,
        storage_status=StorageStatus.STORED,
        seal_at_ms=at_ms,
    )
