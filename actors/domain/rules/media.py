"""After the recorder: the proof of what there is to play, and its manifest."""

from dataclasses import replace

from actors.domain.commands import MediaExamined, MediaSealed
from actors.domain.evidence import Nothing, NotYet, Proven, judge, judge_again
from actors.domain.media_events import (
    FilesArrived,
    ManifestWritten,
    MediaAwaited,
    RecordingCompleted,
    RecordingReproven,
    SealDeferred,
)
from actors.domain.model import (
    Completeness,
    EndReason,
    Failure,
    FailureCode,
    Meeting,
    Phase,
    Recording,
    State,
    StorageStatus,
)
from actors.domain.outcomes import Ambiguous, Done, Rejected, RetryLater
from actors.domain.projections import erasure_of
from actors.domain.rules.draft import Draft
from actors.domain.rules.eviction import find_in_storage
from actors.domain.rules.steps import NEVER_STARTED, abort, fail

OF_STORAGE = (FailureCode.STORAGE_DENIED, FailureCode.STORAGE_UNAVAILABLE)


def examined(draft: Draft, command: MediaExamined) -> None:
    """`completed` needs proof; what is not there by the deadline is named, not waited for."""
    recording = draft.meeting.recording(command.recording_id)
    if recording is not None and recording.phase is Phase.REPROVING:
        _examined_again(draft, recording, command)
    if recording is None or recording.phase is not Phase.PROCESSING:
        return
    match command.outcome:
        case Done(report):
            find_in_storage(draft, recording, report)
            recording = draft.again(recording)
            waits = None if _is_overdue(draft, recording) else _waiting(draft.meeting, recording)
            _conclude(draft, recording, waits or judge(report, recording, draft.policy, draft.now_ms))
        case Ambiguous(why):
            _await(draft, recording, why, Failure(FailureCode.STORAGE_UNAVAILABLE, why, retryable=True))
        case RetryLater(why, failure):
            _await(draft, recording, why, failure)
        case Rejected(failure):
            _await(draft, recording, failure.message, failure)


def sealed(draft: Draft, command: MediaSealed) -> None:
    """A manifest is tried for until it is there: nothing waits for it but a later verification."""
    recording = draft.meeting.recording(command.recording_id)
    if recording is None or recording.phase is not Phase.COMPLETED or recording.seal_at_ms is None:
        return
    if erasure_of(recording) is not None:
        return
    match command.outcome:
        case Done(manifest):
            draft.emit(
                ManifestWritten(
                    recording_id=recording.recording_id,
                    objects=manifest.objects,
                    bytes=manifest.bytes,
                    sha256=manifest.sha256,
                )
            )
        case Ambiguous(why) | RetryLater(why) | Rejected(Failure(message=why)):
            pause_ms = draft.pause_ms(draft.policy.seal_delays_ms, recording.seal_tries)
            draft.emit(SealDeferred(recording_id=recording.recording_id, why=why, check_at_ms=draft.now_ms + pause_ms))


def files_arrived(draft: Draft, recording: Recording, evidence: str) -> None:
    """What was called partial may be complete by now, unless somebody is deleting it."""
    partial = recording.phase is Phase.COMPLETED and recording.completeness is Completeness.PARTIAL
    if partial and erasure_of(recording) is None:
        draft.emit(
            FilesArrived(recording_id=recording.recording_id, evidence=evidence, check_at_ms=draft.now_ms),
        )


def _examined_again(draft: Draft, recording: Recording, command: MediaExamined) -> None:
    """What was proven once stays proven: a file that fits nothing does not make a recording worse."""
    match command.outcome:
        case Done(report):
            _conclude_again(draft, recording, judge_again(report, recording, draft.policy, draft.now_ms))
        case Ambiguous(why) | RetryLater(why) | Rejected(Failure(message=why)):
            _look_later(draft, recording, why)


def _conclude_again(draft: Draft, recording: Recording, found: Proven | None) -> None:
    if found is None and recording.outcome is State.FAILED:
        failure = recording.error or NEVER_STARTED
        fail(draft, recording, failure, "there is nothing to play in what was added either")
        return
    draft.emit(_proof_of(recording, found))


def _proof_of(recording: Recording, found: Proven | None) -> RecordingReproven:
    """What is found, but not below what was proven before."""
    kept = RecordingReproven(
        recording_id=recording.recording_id,
        completeness=recording.completeness,
        evidence="there is nothing to play now" if found is None else found.evidence,
        duration_seconds=recording.duration_seconds or 0.0,
        file_size=(recording.file_size or 0) if found is None else found.file_size,
        files=recording.files if found is None else found.files,
        gaps=recording.gaps,
        started_at_ms=recording.started_at_ms or recording.created_at_ms,
        stopped_at_ms=recording.stopped_at_ms or recording.created_at_ms,
    )
    if found is None or (recording.completeness is Completeness.COMPLETE is not found.completeness):
        return kept
    return replace(
        kept,
        completeness=found.completeness,
        duration_seconds=found.duration_seconds,
        gaps=found.gaps,
        started_at_ms=found.started_at_ms,
        stopped_at_ms=found.stopped_at_ms,
    )


def _waiting(meeting: Meeting, recording: Recording) -> NotYet | None:
    """Nothing is concluded while a recorder that was given up on may still capture: that would be lost."""
    out = any(e.recording_id == recording.recording_id and e.fenced_at_ms is None for e in meeting.evictions)
    return NotYet("a recorder that was given up on may still capture", FailureCode.NO_MEDIA) if out else None


def _is_overdue(draft: Draft, recording: Recording) -> bool:
    return recording.deadline_at_ms is not None and draft.now_ms >= recording.deadline_at_ms


def _conclude(draft: Draft, recording: Recording, verdict: Proven | NotYet | Nothing) -> None:
    match verdict:
        case Proven():
            draft.emit(
                RecordingCompleted(
                    recording_id=recording.recording_id,
                    completeness=verdict.completeness,
                    evidence=verdict.evidence,
                    duration_seconds=verdict.duration_seconds,
                    file_size=verdict.file_size,
                    files=verdict.files,
                    gaps=verdict.gaps,
                    started_at_ms=verdict.started_at_ms,
                    stopped_at_ms=verdict.stopped_at_ms,
                )
            )
        case NotYet(why, code):
            _await(draft, recording, why, _cause(recording, code, why))
        case Nothing(code, why):
            _without_media(draft, recording, code, why)


def _without_media(draft: Draft, recording: Recording, code: FailureCode, why: str) -> None:
    if recording.end_reason is EndReason.NEVER_STARTED:
        fail(draft, recording, _never_started(recording), why)
    elif recording.started_at_ms is None:
        abort(draft, recording, why)
    else:
        fail(draft, recording, _cause(recording, code, why), why)


def _cause(recording: Recording, code: FailureCode, why: str) -> Failure:
    """Why there is nothing to play. Where the recorder said that storage did not take its files, nothing explains it better."""
    trouble = recording.trouble
    return trouble if trouble is not None and trouble.code in OF_STORAGE else Failure(code, why, retryable=False)


def _never_started(recording: Recording) -> Failure:
    """What went wrong with its starts."""
    return recording.trouble or NEVER_STARTED


def _await(draft: Draft, recording: Recording, why: str, failure: Failure) -> None:
    if _is_overdue(draft, recording):
        never = recording.end_reason is EndReason.NEVER_STARTED
        fail(draft, recording, _never_started(recording) if never else failure, f"still at the deadline: {why}")
        return
    _look_later(draft, recording, why)


def _look_later(draft: Draft, recording: Recording, why: str) -> None:
    pause_ms = draft.pause_ms(draft.policy.examine_delays_ms, recording.checks)
    if recording.storage_status is StorageStatus.BACKUP:  # that may take a day, and event 31 tells when it is over
        pause_ms = max(pause_ms, draft.policy.backup_interval_ms)
    draft.emit(
        MediaAwaited(
            recording_id=recording.recording_id,
            why=why,
            check_at_ms=draft.now_ms + pause_ms,
        )
    )
