"""Answers of the provider. Each names its attempt; those that no longer fit are dropped."""

from typing import assert_never

from actors.domain.commands import AcquireAnswered, QueryAnswered, StartAnswered, StopAnswered
from actors.domain.events import AttemptClosed, CallDeferred, ResourceAcquired
from actors.domain.model import Attempt, Failure, FailureCode, Phase, Recording, StorageStatus, Want
from actors.domain.outcomes import (
    AlreadyRunning,
    Ambiguous,
    Done,
    Leaving,
    NotFound,
    NothingRecorded,
    Rejected,
    ResourceUnusable,
    RetryLater,
    Seen,
    StartAnswer,
    Started,
    StopAnswer,
    Stopped,
)
from actors.domain.projections import attempt_numbered
from actors.domain.rules.draft import Draft
from actors.domain.rules.eviction import evict, start_of_evicting, stop_of_evicting
from actors.domain.rules.keys import rekey_at_ms
from actors.domain.rules.losing import miss, next_attempt_at_ms, see
from actors.domain.rules.steps import accept, finish, leave, open_attempt, prove, upload

CAPTURING = (4, 5)
"""Statuses of a session that records (reference 4.1)."""
COMING_UP = (0, 1, 2, 3)

UNAVAILABLE = Failure(FailureCode.PROVIDER_UNAVAILABLE, "The provider did not answer clearly.", retryable=True)


def acquire_answered(draft: Draft, command: AcquireAnswered) -> None:
    """A lost acquire is simply sent again: a resource that nobody uses expires (reference 2)."""
    recording, attempt = draft.attempt_of(command.recording_id, command.attempt, Phase.ACQUIRING)
    if recording is None or attempt is None:
        return
    match command.outcome:
        case Done(value):
            draft.emit(
                ResourceAcquired(
                    recording_id=recording.recording_id,
                    attempt=attempt.number,
                    resource_id=value.resource_id,
                    until_ms=draft.now_ms + draft.policy.resource_lifetime_ms,
                    rekey_at_ms=rekey_at_ms(draft, value.keys_end_at_ms),
                )
            )
        case Rejected(failure):
            finish(draft, recording, "the acquire was refused", failure)
        case Ambiguous() | RetryLater() as outcome:
            _defer(draft, recording, attempt, "acquire", outcome, draft.policy.acquire_delays_ms)
        case _:
            assert_never(command.outcome)


def start_answered(draft: Draft, command: StartAnswered) -> None:
    """The heart of it: an answer that is not clear is followed by the same resource and uid again, never by new ones."""
    recording, attempt = draft.attempt_of(command.recording_id, command.attempt, Phase.STARTING)
    if recording is None or attempt is None:
        start_of_evicting(draft, command)
        return
    match command.outcome:
        case Done(answer):
            _on_start(draft, recording, attempt, answer)
        case Rejected(failure):
            _give_up_start(draft, recording, attempt, failure)
        case Ambiguous() | RetryLater() as outcome:
            _defer(draft, recording, attempt, "start", outcome, draft.policy.start_delays_ms)
        case _:
            assert_never(command.outcome)


def query_answered(draft: Draft, command: QueryAnswered) -> None:
    """Statuses 4 and 5 are proof of capture; "not found" is proof of nothing until it lasts."""
    recording, attempt = draft.attempt_of(command.recording_id, command.attempt, Phase.CONFIRMING, Phase.ACTIVE)
    if recording is None or attempt is None or recording.want is Want.STOP:
        return
    match command.outcome:
        case Done(Seen(status, slice_started_at_ms)):
            _on_status(draft, recording, attempt, status, slice_started_at_ms or draft.now_ms)
        case Done(NotFound()):
            miss(draft, recording, attempt, "query: not found")
        case Ambiguous() | RetryLater() | Rejected() as outcome:
            _defer(draft, recording, attempt, "query", outcome, draft.policy.confirm_delays_ms)


def stop_answered(draft: Draft, command: StopAnswered) -> None:
    """Repeated until there is proof that the recorder is gone."""
    recording, attempt = draft.attempt_of(command.recording_id, command.attempt, Phase.CONFIRMING, Phase.ACTIVE)
    if recording is None or attempt is None:
        stop_of_evicting(draft, command)
    else:
        _stop_of_the_present(draft, recording, attempt, command)
    recording = draft.meeting.recording(command.recording_id)
    if recording is not None:
        _uploaded(draft, recording, command)


def _stop_of_the_present(draft: Draft, recording: Recording, attempt: Attempt, command: StopAnswered) -> None:
    match command.outcome:
        case Done(answer):
            _on_stop(draft, recording, attempt, answer)
        case Ambiguous() | RetryLater() | Rejected() as outcome:
            _defer(draft, recording, attempt, "stop", outcome, draft.policy.stop_delays_ms)
        case _:
            assert_never(command.outcome)


def _on_start(draft: Draft, recording: Recording, attempt: Attempt, answer: StartAnswer) -> None:
    match answer:
        case Started(sid):
            accept(draft, recording, attempt, sid, "the answer to start")
        case AlreadyRunning(code):
            running = Ambiguous(f"code {code}: it runs already, and its sid is not told")
            until_ms = draft.now_ms + draft.policy.sid_wait_ms
            _defer(draft, recording, attempt, "start", running, draft.policy.start_delays_ms[-1:], until_ms)
        case ResourceUnusable(code, why, may_run):
            _give_up_resource(draft, recording, attempt, f"code {code}: {why}", may_run=may_run or attempt.ambiguous)
        case _:
            assert_never(answer)


def _on_status(draft: Draft, recording: Recording, attempt: Attempt, status: int, slice_at_ms: int) -> None:
    if status in CAPTURING and recording.phase is Phase.CONFIRMING:
        prove(draft, recording, attempt, f"query: status {status}", slice_at_ms)
    elif status in CAPTURING:
        see(draft, recording, attempt, f"query: status {status}", draft.now_ms + draft.policy.verify_interval_ms)
    elif status in COMING_UP:
        pause_ms = draft.pause_ms(draft.policy.confirm_delays_ms, attempt.tries + 1)
        see(draft, recording, attempt, f"query: status {status}", draft.now_ms + pause_ms)
    else:
        miss(draft, recording, attempt, f"query: status {status}")


def _on_stop(draft: Draft, recording: Recording, attempt: Attempt, answer: StopAnswer) -> None:
    match answer:
        case Stopped(uploading):
            leave(draft, recording, attempt, f"stop: answered, files {uploading}")
        case NothingRecorded():
            leave(draft, recording, attempt, "stop: code 435, nothing was recorded", nothing_recorded=True)
        case NotFound():
            miss(draft, recording, attempt, "stop: not found")
        case Leaving():
            leaving = Ambiguous("code 49: it is leaving already")
            _defer(draft, recording, attempt, "stop", leaving, draft.policy.stop_delays_ms)
        case _:
            assert_never(answer)


def _uploaded(draft: Draft, recording: Recording, command: StopAnswered) -> None:
    attempt = attempt_numbered(recording, command.attempt)
    if attempt is None:
        return
    match command.outcome:
        case Done(Stopped("uploaded")):
            upload(draft, recording, attempt, StorageStatus.STORED, "stop: all files are stored")
        case Done(Stopped("backuped")):
            upload(draft, recording, attempt, StorageStatus.BACKUP, "stop: some files are in the provider's backup")


def _defer(
    draft: Draft,
    recording: Recording,
    attempt: Attempt,
    call: str,
    outcome: Ambiguous | RetryLater | Rejected,
    schedule: tuple[int, ...],
    until_ms: int | None = None,
) -> None:
    pause_ms = draft.pause_ms(schedule, attempt.tries)
    match outcome:
        case Ambiguous(why):
            trouble = UNAVAILABLE
        case RetryLater(why, trouble, after_ms):
            pause_ms = max(pause_ms, after_ms or 0)
        case Rejected(trouble):
            why = f"refused: {trouble.message}"
    draft.emit(
        CallDeferred(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            call=call,
            why=why,
            ambiguous=call == "start" and isinstance(outcome, Ambiguous),
            check_at_ms=draft.now_ms + pause_ms,
            trouble=trouble,
            until_ms=until_ms,
        )
    )


def _give_up_resource(draft: Draft, recording: Recording, attempt: Attempt, why: str, *, may_run: bool) -> None:
    """A new attempt, unless a start with this resource may have worked: then that one is evicted first."""
    if may_run:
        evict(draft, recording, attempt, why)
    else:
        check_at_ms = next_attempt_at_ms(draft, recording)
        draft.emit(
            AttemptClosed(
                recording_id=recording.recording_id, attempt=attempt.number, reason=why, check_at_ms=check_at_ms
            )
        )
    recording = draft.again(recording)
    if recording.want is Want.STOP:
        finish(draft, recording, why)
    else:
        open_attempt(draft)


def _give_up_start(draft: Draft, recording: Recording, attempt: Attempt, failure: Failure) -> None:
    if attempt.ambiguous:
        evict(draft, recording, attempt, failure.message)
    else:
        draft.emit(AttemptClosed(recording_id=recording.recording_id, attempt=attempt.number, reason=failure.message))
    recording = draft.again(recording)
    stop = recording.want is Want.STOP
    finish(draft, recording, f"the start was refused: {failure.message}", None if stop else failure)
