"""A recorder that is missing, has moved, or is gone although it is wanted; and who takes its place."""

from actors.domain.events import AttemptClosed, RecorderLost, RecorderMissed, RecorderMoved, RecorderSeen
from actors.domain.model import Attempt, EndReason, Phase, Recording, Want
from actors.domain.policy import delay
from actors.domain.rules.draft import Draft
from actors.domain.rules.eviction import evict
from actors.domain.rules.steps import gone_for_good, leave, open_attempt, within

VACANT_LOOKS_MIN = 2


def miss(draft: Draft, recording: Recording, attempt: Attempt, evidence: str) -> None:
    """The session was not found. Only a series of misses that outlasts a failover proves that it is over."""
    draft.emit(
        RecorderMissed(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            evidence=evidence,
            check_at_ms=draft.now_ms + draft.pause_ms(draft.policy.miss_delays_ms, attempt.misses),
        )
    )
    recording = draft.again(recording)
    assert recording.attempt is not None
    if gone_for_good(draft, recording.attempt):
        evidence = f"{evidence}, {recording.attempt.misses} times in a row"
        lose(draft, recording, recording.attempt, evidence, proven=False)


def see(draft: Draft, recording: Recording, attempt: Attempt, evidence: str, check_at_ms: int) -> None:
    """It lives."""
    draft.emit(
        RecorderSeen(
            recording_id=recording.recording_id, attempt=attempt.number, evidence=evidence, check_at_ms=check_at_ms
        )
    )


def move(draft: Draft, recording: Recording, attempt: Attempt, uid: str, evidence: str, at_ms: int) -> None:
    """The session goes on under another uid."""
    draft.emit(
        RecorderMoved(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            uid=uid,
            evidence=evidence,
            moved_at_ms=at_ms,
            check_at_ms=min(attempt.check_at_ms, draft.now_ms + draft.policy.confirm_delays_ms[0]),
        )
    )


def lose(
    draft: Draft,
    recording: Recording,
    attempt: Attempt,
    evidence: str,
    *,
    proven: bool,
    at_ms: int | None = None,
    reason: EndReason | None = None,
) -> None:
    """The recorder is gone. A recording that is wanted goes on with another, unless everybody had left.

    `proven`: nothing can be left of it. Else it is told to stop once more, and no other begins before it has ended.
    """
    if recording.want is Want.STOP or reason is EndReason.PROVIDER_IDLE:
        leave(draft, recording, attempt, evidence, at_ms=at_ms, reason=reason)
    elif attempt.empty_looks >= VACANT_LOOKS_MIN:
        leave(draft, recording, attempt, f"{evidence}; nobody was there", at_ms=at_ms, reason=EndReason.PROVIDER_IDLE)
        if not proven:
            evict(draft, draft.again(recording), attempt, evidence)
    else:
        _replace(draft, recording, attempt, evidence, proven=proven, at_ms=at_ms)


def _replace(
    draft: Draft, recording: Recording, attempt: Attempt, evidence: str, *, proven: bool, at_ms: int | None
) -> None:
    check_at_ms = next_attempt_at_ms(draft, recording)
    if recording.phase is Phase.ACTIVE:
        lost_at_ms = (attempt.missing_since_ms or draft.now_ms) if at_ms is None else at_ms
        draft.emit(
            RecorderLost(
                recording_id=recording.recording_id,
                attempt=attempt.number,
                evidence=evidence,
                lost_at_ms=within(draft, attempt, lost_at_ms),
                check_at_ms=check_at_ms,
            )
        )
    elif proven:
        draft.emit(
            AttemptClosed(
                recording_id=recording.recording_id, attempt=attempt.number, reason=evidence, check_at_ms=check_at_ms
            )
        )
    if not proven:
        evict(draft, recording, attempt, evidence)
    open_attempt(draft)


def next_attempt_at_ms(draft: Draft, recording: Recording) -> int:
    """Recorders that keep dying, or are never to be had, are replaced ever more slowly."""
    since_ms = draft.now_ms - draft.policy.restart_window_ms
    lost = sum(1 for earlier in recording.past if (earlier.closed_at_ms or 0) > since_ms)
    return draft.now_ms + delay(draft.policy.restart_delays_ms, lost)
