"""What events change of a meeting's evictions: the part of `evolve` that is about attempts that were given up on."""

from dataclasses import replace
from typing import assert_never

from actors.domain.attempting import missed, moved
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
from actors.domain.model import Attempt, Ban, Eviction, Meeting, Recording
from actors.domain.transitions import IllegalTransition

EvictionEvent = (
    EvicteeFound
    | EvictionDeferred
    | EvictionHeld
    | RecorderBanned
    | BanDeferred
    | EvictionFenced
    | EvicteeLooked
    | EvictionEnded
)


def add_eviction(meeting: Meeting, recording: Recording, attempt: Attempt, event: EvictionBegan, at_ms: int) -> Meeting:
    """The meeting with one more attempt that is being evicted."""
    eviction = Eviction(
        recording_id=recording.recording_id,
        channel_name=recording.spec.channel_name,
        attempt=replace(attempt, check_at_ms=at_ms, tries=0),
        began_at_ms=at_ms,
        until_ms=event.until_ms,
        ban_at_ms=event.ban_at_ms,
        ban_seconds=event.ban_seconds,
    )
    return _added(meeting, eviction)


def add_stray(meeting: Meeting, event: StrayFound, at_ms: int) -> Meeting:
    """The meeting with a recorder that nobody wants. It begins beside the present attempt, also by a clock that is behind."""
    opened_at_ms = meeting.live.attempt.opened_at_ms if meeting.live is not None and meeting.live.attempt else at_ms
    eviction = Eviction(
        recording_id=event.recording_id,
        channel_name=event.channel_name,
        attempt=replace(event.stray, check_at_ms=at_ms, tries=0, missing_since_ms=None, misses=0),
        began_at_ms=max(at_ms, opened_at_ms),
        until_ms=event.until_ms,
        ban_at_ms=at_ms,
        ban_seconds=event.ban_seconds,
    )
    return _added(meeting, eviction)


def change_eviction(meeting: Meeting, event: EvictionEvent, at_ms: int) -> Meeting:
    """The meeting after an event of one of its evictions. Raises IllegalTransition if it has no such eviction."""
    eviction = meeting.eviction(event.recording_id, event.attempt)
    if eviction is None:
        raise IllegalTransition(f"{event.kind} without its eviction")
    changed = _changed(eviction, event, at_ms)
    kept = (changed if item is eviction else item for item in meeting.evictions)
    return replace(meeting, evictions=tuple(item for item in kept if item is not None))


def _added(meeting: Meeting, eviction: Eviction) -> Meeting:
    if meeting.eviction(eviction.recording_id, eviction.attempt.number) is not None:
        raise IllegalTransition("that attempt is being evicted already")
    return replace(meeting, evictions=(*meeting.evictions, eviction))


def _changed(eviction: Eviction, event: EvictionEvent, at_ms: int) -> Eviction | None:
    match event:
        case EvicteeFound():
            return _found(eviction, event, at_ms)
        case EvictionDeferred():
            return _deferred(eviction, event, at_ms)
        case RecorderBanned():
            return _banned(eviction, event, at_ms)
        case BanDeferred():
            return replace(eviction, ban_tries=eviction.ban_tries + 1, ban_at_ms=event.ban_at_ms)
        case EvictionHeld():
            return replace(eviction, until_ms=event.until_ms, look_at_ms=event.look_at_ms)
        case EvictionFenced():
            fenced = replace(eviction, fenced_at_ms=at_ms, look_at_ms=event.look_at_ms)
            return replace(fenced, watched_until_ms=event.watched_until_ms, absent_since_ms=None, absences=0)
        case EvicteeLooked():
            return _looked(eviction, event, at_ms)
        case EvictionEnded():
            return None
        case _:
            assert_never(event)


def _deferred(eviction: Eviction, event: EvictionDeferred, at_ms: int) -> Eviction:
    attempt = eviction.attempt
    if not event.missed:
        tried = replace(attempt, tries=attempt.tries + 1, check_at_ms=event.check_at_ms)
        return replace(eviction, attempt=tried)
    return replace(eviction, attempt=missed(attempt, event.check_at_ms, at_ms))


def _found(eviction: Eviction, event: EvicteeFound, at_ms: int) -> Eviction:
    """It lives, so whatever spoke for its absence, or would have kept it out, is void, and it is told to stop at once."""
    attempt = eviction.attempt
    there = attempt if event.uid is None else moved(attempt, event.uid, event.moved_at_ms)
    found = replace(there, sid=event.sid, check_at_ms=at_ms, tries=0, missing_since_ms=None, misses=0)
    seen = replace(eviction, attempt=found, fence_at_ms=None, absent_since_ms=None, absences=0)
    kept = replace(seen, until_ms=event.until_ms, watched_until_ms=event.until_ms)
    return kept if event.uid is None else replace(kept, ban_at_ms=at_ms)


def _banned(eviction: Eviction, event: RecorderBanned, at_ms: int) -> Eviction:
    bans = (*eviction.bans, Ban(event.uid, event.rule_id, at_ms))
    whole = {ban.uid for ban in bans}.issuperset(eviction.attempt.uids)
    return replace(eviction, bans=bans, ban_tries=0, fence_at_ms=event.fence_at_ms if whole else None)


def _looked(eviction: Eviction, event: EvicteeLooked, at_ms: int) -> Eviction:
    watched_until_ms = max(eviction.watched_until_ms, event.watched_until_ms)
    looked = replace(eviction, look_at_ms=event.look_at_ms, until_ms=event.until_ms, watched_until_ms=watched_until_ms)
    if event.seen is None:
        return looked
    if event.seen:
        seen = replace(looked, absent_since_ms=None, absences=0)
        return replace(seen, bans=(), ban_at_ms=at_ms) if event.again else seen
    since = at_ms if eviction.absent_since_ms is None else eviction.absent_since_ms
    return replace(looked, absent_since_ms=since, absences=eviction.absences + 1)
