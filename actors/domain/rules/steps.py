"""Steps that several rules take: open an attempt, give one up, ask for the stop, record the exit."""

from actors.domain.events import (
    AttemptOpened,
    CaptureProven,
    EvictionBegan,
    RecorderAccepted,
    RecorderExited,
    RecorderMissed,
    RecordingAborted,
    RecordingFailed,
    StopRequested,
    UploadReported,
)
from actors.domain.model import (
    Attempt,
    EndReason,
    Failure,
    FailureCode,
    Phase,
    Recording,
    StorageStatus,
    Want,
)
from actors.domain.rules.draft import Draft

NEVER_STARTED = Failure(FailureCode.NEVER_STARTED, "The recorder was not seen to start in time.", retryable=True)
ABORTED = Failure(FailureCode.ABORTED, "It was stopped before anything was recorded.", retryable=True)


def open_attempt(draft: Draft) -> None:
    """Open the next attempt of the live recording, if one is wanted and none is being evicted."""
    recording = draft.meeting.live
    if recording is None or recording.phase is not Phase.ACCEPTED or recording.want is Want.STOP:
        return
    if draft.meeting.evicting is not None:
        return
    if recording.attempts >= draft.policy.attempts_max:
        fail(draft, recording, recording.trouble or NEVER_STARTED, f"{recording.attempts} attempts came to nothing")
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


def evict(draft: Draft, recording: Recording, attempt: Attempt, why: str) -> None:
    """Give the attempt up without proof of its end: a one-way door, through which only its end comes back.

    A start that was sent can still be acted on while its resource lives (reference 2); a session whose sid is known is told
    to stop for as long as the policy says.
    """
    policy = draft.policy
    if attempt.sid is not None:
        until_ms = draft.now_ms + policy.eviction_limit_ms
    else:
        until_ms = (attempt.acquired_at_ms or draft.now_ms) + policy.resource_lifetime_ms + policy.eviction_margin_ms
    draft.emit(EvictionBegan(recording_id=recording.recording_id, attempt=attempt.number, why=why, until_ms=until_ms))


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
        abort(draft, draft.again(recording), "no start had been sent")


def accept(draft: Draft, recording: Recording, attempt: Attempt, sid: str, evidence: str) -> None:
    """The sid is known. A stop that waited for it can follow now."""
    pause_ms = 0 if recording.want is Want.STOP else draft.policy.confirm_delays_ms[0]
    draft.emit(
        RecorderAccepted(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            sid=sid,
            evidence=evidence,
            check_at_ms=draft.now_ms + pause_ms,
        )
    )


def prove(draft: Draft, recording: Recording, attempt: Attempt, evidence: str, started_at_ms: int) -> None:
    """Capture is proven. While a stop is wanted that is not news: the public state never goes back."""
    if recording.phase is not Phase.CONFIRMING or recording.want is Want.STOP:
        return
    draft.emit(
        CaptureProven(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            evidence=evidence,
            started_at_ms=started_at_ms,
            check_at_ms=draft.now_ms + draft.policy.verify_interval_ms,
            deadline_at_ms=started_at_ms + recording.spec.max_duration_seconds * 1000,
        )
    )


def miss(draft: Draft, recording: Recording, attempt: Attempt, evidence: str) -> None:
    """The session was not found. Only a series of misses that outlasts a failover proves that it is over."""
    policy = draft.policy
    draft.emit(
        RecorderMissed(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            evidence=evidence,
            check_at_ms=draft.now_ms + draft.pause_ms(policy.miss_delays_ms, attempt.misses),
        )
    )
    recording = draft.again(recording)
    assert recording.attempt is not None
    if gone_for_good(draft, recording.attempt):
        leave(draft, recording, recording.attempt, f"{evidence}, {recording.attempt.misses} times in a row")


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
    """The recorder is gone. `at_ms`: when it left, by the evidence; else the earliest time that nothing contradicts."""
    known_ms = recording.stop_requested_at_ms or attempt.missing_since_ms or draft.now_ms
    lost = EndReason.NEVER_STARTED if recording.started_at_ms is None else EndReason.PROVIDER_ERROR
    backup, policy = recording.storage_status is StorageStatus.BACKUP, draft.policy
    draft.emit(
        RecorderExited(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            evidence=evidence,
            stopped_at_ms=known_ms if at_ms is None else at_ms,
            end_reason=recording.end_reason or reason or lost,
            nothing_recorded=nothing_recorded,
            deadline_at_ms=draft.now_ms + (policy.backup_deadline_ms if backup else policy.processing_deadline_ms),
        )
    )


_UPLOAD_ORDER = (StorageStatus.PENDING, StorageStatus.UPLOADING, StorageStatus.BACKUP, StorageStatus.STORED)


def upload(draft: Draft, recording: Recording, status: StorageStatus, evidence: str) -> None:
    """The provider's word on the upload; it never goes back."""
    if _UPLOAD_ORDER.index(status) <= _UPLOAD_ORDER.index(recording.storage_status):
        return
    backup = status is StorageStatus.BACKUP and recording.phase is Phase.PROCESSING
    draft.emit(
        UploadReported(
            recording_id=recording.recording_id,
            storage_status=status,
            evidence=evidence,
            deadline_at_ms=draft.now_ms + draft.policy.backup_deadline_ms if backup else None,
            check_at_ms=draft.now_ms,
        )
    )
