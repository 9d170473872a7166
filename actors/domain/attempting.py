"""What events change of a recording's present attempt: the part of `evolve` that is about one recorder."""

from dataclasses import replace
from typing import assert_never

from actors.domain.events import (
    CallDeferred,
    CaptureProven,
    RecorderAccepted,
    RecorderMissed,
    RecorderMoved,
    RecorderReplaced,
    RecorderSeen,
    ResourceAcquired,
    RoomLooked,
)
from actors.domain.key_events import RecorderRekeyed, RekeyDeferred
from actors.domain.model import Attempt, Recording
from actors.domain.transitions import IllegalTransition

AttemptEvent = (
    ResourceAcquired
    | CallDeferred
    | RecorderAccepted
    | RecorderSeen
    | RecorderMissed
    | RecorderMoved
    | RoomLooked
    | RecorderRekeyed
    | RekeyDeferred
)


def apply_to_attempt(recording: Recording, event: AttemptEvent, at_ms: int) -> Recording:
    """The fields that the event changes. Raises IllegalTransition if there is no attempt."""
    attempt = _attempt(recording)
    match event:
        case ResourceAcquired():
            acquired = replace(
                attempt, resource_id=event.resource_id, acquired_at_ms=at_ms, rekey_at_ms=event.rekey_at_ms
            )
            return replace(recording, attempt=replace(acquired, until_ms=event.until_ms, check_at_ms=at_ms, tries=0))
        case CallDeferred():
            return replace(recording, attempt=_deferred(attempt, event), trouble=event.trouble or recording.trouble)
        case RecorderAccepted():
            accepted = replace(attempt, sid=event.sid, check_at_ms=event.check_at_ms, until_ms=event.until_ms, tries=0)
            return replace(recording, sid=event.sid, attempt=accepted)
        case RecorderSeen():
            seen = found_again(attempt, at_ms)
            return replace(recording, attempt=replace(seen, tries=attempt.tries + 1, check_at_ms=event.check_at_ms))
        case RecorderMissed():
            return replace(recording, attempt=missed(attempt, event.check_at_ms, at_ms))
        case RecorderMoved():
            there = replace(moved(attempt, event.uid, event.moved_at_ms), check_at_ms=event.check_at_ms)
            return replace(
                recording, attempt=found_again(there, at_ms), recorder_uids=(*recording.recorder_uids, event.uid)
            )
        case RoomLooked():
            return replace(recording, attempt=_looked(attempt, event, at_ms))
        case RecorderRekeyed():
            return replace(recording, attempt=replace(attempt, rekey_at_ms=event.rekey_at_ms, rekey_tries=0))
        case RekeyDeferred():
            tries = attempt.rekey_tries + 1
            return replace(recording, attempt=replace(attempt, rekey_at_ms=event.check_at_ms, rekey_tries=tries))
        case _:
            assert_never(event)


def apply_proof(recording: Recording, event: CaptureProven | RecorderReplaced, at_ms: int) -> Recording:
    """Capture is proven: its recorder lives, and is looked at again by and by."""
    attempt = replace(found_again(_attempt(recording), at_ms), until_ms=None, room_at_ms=event.room_at_ms)
    return replace(recording, attempt=replace(attempt, check_at_ms=event.check_at_ms, tries=0))


def found_again(attempt: Attempt, at_ms: int) -> Attempt:
    """It lives: a series of misses is over."""
    return replace(attempt, proven_at_ms=at_ms, missing_since_ms=None, misses=0)


def moved(attempt: Attempt, uid: str, moved_at_ms: int) -> Attempt:
    """It is known under another uid. A move that is told of late was not the last: only the last uid's leaving is an exit."""
    if moved_at_ms < attempt.moved_at_ms:
        return replace(attempt, uids=(*attempt.uids[:-1], uid, attempt.uids[-1]))
    return replace(attempt, uids=(*attempt.uids, uid), moved_at_ms=moved_at_ms)


def missed(attempt: Attempt, check_at_ms: int, at_ms: int) -> Attempt:
    """One more answer that it was not found."""
    return replace(
        attempt,
        tries=attempt.tries + 1,
        check_at_ms=check_at_ms,
        misses=attempt.misses + 1,
        missing_since_ms=at_ms if attempt.missing_since_ms is None else attempt.missing_since_ms,
        room_at_ms=min(attempt.room_at_ms, at_ms) if attempt.missing_since_ms is None else attempt.room_at_ms,
    )


def _deferred(attempt: Attempt, event: CallDeferred) -> Attempt:
    deferred = replace(attempt, tries=attempt.tries + 1, check_at_ms=event.check_at_ms)
    return replace(
        deferred,
        ambiguous=attempt.ambiguous or event.ambiguous,
        running=attempt.running or event.until_ms is not None,
        until_ms=attempt.until_ms if attempt.running else event.until_ms or attempt.until_ms,
    )


def _looked(attempt: Attempt, event: RoomLooked, at_ms: int) -> Attempt:
    looked = replace(attempt, room_at_ms=event.check_at_ms)
    if event.people is None:
        return looked
    if event.people:
        return replace(looked, empty_since_ms=None, empty_looks=0)
    since = at_ms if attempt.empty_since_ms is None else attempt.empty_since_ms
    return replace(looked, empty_since_ms=since, empty_looks=attempt.empty_looks + 1)


def _attempt(recording: Recording) -> Attempt:
    if recording.attempt is None:
        raise IllegalTransition("there is no attempt")
    return recording.attempt
