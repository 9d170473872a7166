"""Steps that several rules take: open an attempt, ask for the stop, record proof, exit and end."""

from actors.domain.events import (
    AttemptOpened,
    CaptureProven,
    RecorderAccepted,
    RecorderExited,
    RecorderReplaced,
    StopRequested,
)
from actors.domain.media_events import RecordingAborted, RecordingFailed, UploadReported
from actors.domain.model import Attempt, EndReason, Failure, FailureCode, Phase, Recording, StorageStatus, Want
from actors.domain.projections import LIVE_PHASES, attempts_of, has_session
from actors.domain.rules.draft import Draft

SYSTEM = "tapedeck"
"""Who stops a recording when a limit does."""
NEVER_STARTED = Failure(FailureCode.NEVER_STARTED, "The recorder was not seen to start in time.", retryable=True)
ABORTED = Failure(FailureCode.ABORTED, "It was stopped before anything was recorded.", retryable=True)


def open_attempt(draft: Draft) -> None:
    """Open the next attempt of the live recording, if one is wanted, it is time, and no other may still come up."""
    recording = draft.meeting.live
    if recording is None or recording.phase is not Phase.ACCEPTED or recording.want is Want.STOP:
        return
    if not draft.meeting.fenced or draft.now_ms < recording.check_at_ms:
        return
    if recording.fruitless >= draft.policy.attempts_max:
        failure = recording.trouble or NEVER_STARTED
        finish(draft, recording, f"{recording.fruitless} attempts in a row came to nothing", failure)
        return
    first = recording.attempts == 0
    deadline_at_ms = draft.now_ms + draft.policy.starting_deadline_ms if first else recording.deadline_at_ms
    draft.emit(
        AttemptOpened(
            recording_id=recording.recording_id,
            attempt=recording.attempts + 1,
            uid=draft.moment.uid,
            deadline_at_ms=deadline_at_ms or draft.now_ms,
        )
    )


def finish(draft: Draft, recording: Recording, evidence: str, failure: Failure | None = None) -> None:
    """End it now that no recorder is left: with the files there are, as one that failed, or as one that never began."""
    if has_session(recording):
        _exit(draft, recording, evidence, stopped_at_ms=_lost_at_ms(recording) or draft.now_ms, trouble=failure)
    elif failure is None:
        abort(draft, recording, evidence)
    else:
        fail(draft, recording, failure, evidence)


def fail(draft: Draft, recording: Recording, failure: Failure, evidence: str) -> None:
    """End it without anything to play."""
    draft.emit(
        RecordingFailed(
            recording_id=recording.recording_id,
            failure=failure,
            end_reason=recording.end_reason
            or (EndReason.NEVER_STARTED if recording.started_at_ms is None else EndReason.PROVIDER_ERROR),
            evidence=evidence,
        )
    )


def abort(draft: Draft, recording: Recording, evidence: str, failure: Failure = ABORTED) -> None:
    """End it as one that was given up on before anything was captured."""
    draft.emit(
        RecordingAborted(
            recording_id=recording.recording_id,
            failure=failure,
            end_reason=recording.end_reason or EndReason.STOP_REQUESTED,
            evidence=evidence,
        )
    )


def request_stop(draft: Draft, recording: Recording, by: str, reason: EndReason) -> None:
    """Want it to end. Where nothing can be recording yet, it is over at once."""
    draft.emit(
        StopRequested(
            recording_id=recording.recording_id,
            by=by,
            reason=reason,
            deadline_at_ms=draft.now_ms + draft.policy.stopping_deadline_ms,
            check_at_ms=draft.now_ms,
        )
    )
    if recording.phase in (Phase.ACCEPTED, Phase.ACQUIRING):
        finish(draft, draft.again(recording), "stopped while no recorder was known to run")


def accept(draft: Draft, recording: Recording, attempt: Attempt, sid: str, evidence: str) -> None:
    """The sid is known. A stop that waited for it can follow now."""
    stop = recording.want is Want.STOP
    draft.emit(
        RecorderAccepted(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            sid=sid,
            evidence=evidence,
            check_at_ms=draft.now_ms + (0 if stop else draft.policy.confirm_delays_ms[0]),
            until_ms=None if stop else draft.now_ms + draft.policy.confirm_limit_ms,
        )
    )


def prove(draft: Draft, recording: Recording, attempt: Attempt, evidence: str, started_at_ms: int) -> None:
    """Capture is proven. While a stop is wanted that is not news: the public state never goes back."""
    if recording.phase is not Phase.CONFIRMING or recording.want is Want.STOP:
        return
    check_at_ms = draft.now_ms + draft.policy.verify_interval_ms
    room_at_ms = draft.now_ms + draft.policy.room_interval_ms
    began_at_ms = within(draft, attempt, started_at_ms)
    if recording.started_at_ms is None:
        limit_ms = began_at_ms + recording.spec.max_duration_seconds * 1000
        draft.emit(
            CaptureProven(
                recording_id=recording.recording_id,
                attempt=attempt.number,
                evidence=evidence,
                started_at_ms=began_at_ms,
                check_at_ms=check_at_ms,
                deadline_at_ms=min(limit_ms, recording.created_at_ms + draft.policy.max_age_ms),
                room_at_ms=room_at_ms,
            )
        )
    else:
        draft.emit(
            RecorderReplaced(
                recording_id=recording.recording_id,
                attempt=attempt.number,
                evidence=evidence,
                resumed_at_ms=began_at_ms,
                check_at_ms=check_at_ms,
                room_at_ms=room_at_ms,
            )
        )


def within(draft: Draft, attempt: Attempt, at_ms: int) -> int:
    """A time that the provider tells, kept within the attempt's life: its clock is not to be relied on."""
    return min(max(at_ms, attempt.opened_at_ms), draft.now_ms)


def gone_for_good(draft: Draft, attempt: Attempt) -> bool:
    """Whether the misses are many enough, and span more than a move to another machine takes (reference 4.3)."""
    if attempt.missing_since_ms is None or attempt.misses < draft.policy.misses_min:
        return False
    return draft.now_ms - attempt.missing_since_ms > draft.policy.failover_window_ms


def leave(
    draft: Draft,
    recording: Recording,
    attempt: Attempt,
    evidence: str,
    *,
    at_ms: int | None = None,
    reason: EndReason | None = None,
    nothing_recorded: bool = False,
) -> None:
    """The last recorder is gone. `at_ms`: when it left, by the evidence; else the earliest time that nothing contradicts."""
    known_ms = recording.stop_requested_at_ms or attempt.missing_since_ms or draft.now_ms
    _exit(
        draft,
        recording,
        evidence,
        stopped_at_ms=known_ms if at_ms is None else within(draft, attempt, at_ms),
        reason=reason,
        nothing_recorded=nothing_recorded and not any(earlier.sid for earlier in recording.past),
    )


def _exit(
    draft: Draft,
    recording: Recording,
    evidence: str,
    *,
    stopped_at_ms: int,
    reason: EndReason | None = None,
    nothing_recorded: bool = False,
    trouble: Failure | None = None,
) -> None:
    lost = EndReason.NEVER_STARTED if recording.started_at_ms is None else EndReason.PROVIDER_ERROR
    backup = any(attempt.upload is StorageStatus.BACKUP for attempt in attempts_of(recording))
    policy = draft.policy
    draft.emit(
        RecorderExited(
            recording_id=recording.recording_id,
            attempt=recording.attempts,
            evidence=evidence,
            stopped_at_ms=stopped_at_ms,
            end_reason=recording.end_reason or reason or lost,
            nothing_recorded=nothing_recorded,
            deadline_at_ms=draft.now_ms + (policy.backup_deadline_ms if backup else policy.processing_deadline_ms),
            trouble=trouble,
        )
    )


def _lost_at_ms(recording: Recording) -> int | None:
    """When the recorder was lost that has not been replaced."""
    return recording.gaps[-1].from_ms if recording.gaps and recording.gaps[-1].to_ms is None else None


_UPLOAD_ORDER = (StorageStatus.PENDING, StorageStatus.UPLOADING, StorageStatus.BACKUP, StorageStatus.STORED)


def upload(draft: Draft, recording: Recording, attempt: Attempt, status: StorageStatus, evidence: str) -> None:
    """The provider's word on the files of one session; it never goes back, and what is settled is settled."""
    if recording.phase not in LIVE_PHASES and recording.phase is not Phase.PROCESSING:
        return
    if _UPLOAD_ORDER.index(status) <= _UPLOAD_ORDER.index(attempt.upload):
        return
    backup = status is StorageStatus.BACKUP and recording.phase is Phase.PROCESSING
    draft.emit(
        UploadReported(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            storage_status=status,
            evidence=evidence,
            deadline_at_ms=draft.now_ms + draft.policy.backup_deadline_ms if backup else None,
            check_at_ms=draft.now_ms,
        )
    )
