"""What must be in flight, and when the meeting must be looked at again: functions of state alone.

That is why recovery needs no code of its own: the first look at a loaded state starts what a crash cut off.
"""

from collections.abc import Iterator

from actors.domain.effects import (
    AgoraAcquire,
    AgoraBan,
    AgoraMembers,
    AgoraQuery,
    AgoraRekey,
    AgoraStart,
    AgoraStop,
    AgoraUpdate,
    AgoraUpdateLayout,
    Effect,
    StorageErase,
    StorageExamine,
    StorageSeal,
    StorageSurvey,
)
from actors.domain.erasure import Erasure
from actors.domain.ids import RecordingId
from actors.domain.model import Attempt, Eviction, Layout, Meeting, Phase, Recording, Want
from actors.domain.projections import erasure_of, is_told


def pending_effects(meeting: Meeting, now_ms: int) -> tuple[Effect, ...]:
    """The calls that are due now."""
    return tuple(effect for due_at_ms, effect in _scheduled(meeting) if due_at_ms <= now_ms)


def verification(meeting: Meeting) -> Effect | None:
    """What a new owner asks first: whether what was recording still is. Much may have happened while nobody looked."""
    live = meeting.live
    if live is None or live.attempt is None or live.phase is not Phase.ACTIVE or live.want is Want.STOP:
        return None
    return _call(live, live.attempt)


def next_wakeup(meeting: Meeting) -> int | None:
    """When to look again, in Unix milliseconds. None only if nothing is left to do."""
    times = [due_at_ms for due_at_ms, _ in _scheduled(meeting)]
    if meeting.live is not None:
        times += _limits(meeting.live)
        if meeting.live.phase is Phase.ACCEPTED and meeting.fenced:
            times.append(max(meeting.live.updated_at_ms, meeting.live.check_at_ms))
    for eviction in meeting.evictions:
        times += _ends(eviction)
    return min(times, default=None)


def _limits(live: Recording) -> Iterator[int]:
    """When a live recording, or its attempt, is given up on as it is."""
    yield live.deadline_at_ms or live.updated_at_ms
    if live.attempt is not None and live.attempt.until_ms is not None:
        yield live.attempt.until_ms


def _ends(eviction: Eviction) -> Iterator[int]:
    """When an eviction comes a step further by itself."""
    if eviction.fenced_at_ms is not None:
        yield eviction.watched_until_ms
        return
    yield eviction.until_ms
    if eviction.fence_at_ms is not None:
        yield eviction.fence_at_ms


def unbanned(eviction: Eviction) -> str | None:
    """The first of its uids that no kicking rule keeps out."""
    banned = {ban.uid for ban in eviction.bans}
    return next((uid for uid in eviction.attempt.uids if uid not in banned), None)


def _scheduled(meeting: Meeting) -> Iterator[tuple[int, Effect]]:
    live = meeting.live
    if live is not None and live.attempt is not None:
        yield live.attempt.check_at_ms, _call(live, live.attempt)
        if live.attempt.sid is not None and live.want is Want.RECORD:
            yield from _rekeying(live, live.attempt)
            yield from _updates(live, live.attempt)
        if live.phase is Phase.ACTIVE and live.want is Want.RECORD:
            yield live.attempt.room_at_ms, _look(live.recording_id, live.spec.channel_name, live.attempt)
    for eviction in meeting.evictions:
        yield from _evicting(eviction)
    for recording in meeting.finishing.values():
        if recording.phase is Phase.PROCESSING:
            due_at_ms = min(recording.check_at_ms, recording.deadline_at_ms or recording.check_at_ms)
            yield due_at_ms, StorageExamine(recording_id=recording.recording_id, prefix=recording.prefix)
        elif (erasure := erasure_of(recording)) is not None:
            yield recording.check_at_ms, _erasing(recording, erasure)
        elif recording.phase is Phase.COMPLETED and recording.seal_at_ms is not None:
            yield recording.seal_at_ms, StorageSeal(recording_id=recording.recording_id, prefix=recording.prefix)
        elif recording.phase is Phase.REPROVING:
            examine = StorageExamine(recording_id=recording.recording_id, prefix=recording.prefix)
            yield recording.check_at_ms, examine


def _erasing(recording: Recording, erasure: Erasure) -> StorageSurvey | StorageErase:
    """Nothing is removed before it is listed: the receipt is durable first."""
    if erasure.listed:
        return StorageErase(recording_id=recording.recording_id, prefix=recording.prefix)
    return StorageSurvey(recording_id=recording.recording_id, prefix=recording.prefix, after=erasure.after)


def _evicting(eviction: Eviction) -> Iterator[tuple[int, Effect]]:
    """It is told to stop as soon as it can be, kept out by rules, and looked for once these hold, or cannot be had."""
    attempt = eviction.attempt
    if attempt.sid is not None:
        yield attempt.check_at_ms, _stop(eviction.recording_id, eviction.channel_name, attempt)
    uid = unbanned(eviction)
    if uid is not None:
        yield (
            eviction.ban_at_ms,
            AgoraBan(
                recording_id=eviction.recording_id,
                attempt=attempt.number,
                channel_name=eviction.channel_name,
                uid=uid,
                seconds=eviction.ban_seconds,
            ),
        )
    if eviction.ban_tries > 0 or eviction.look_at_ms > 0:
        yield eviction.look_at_ms, _look(eviction.recording_id, eviction.channel_name, attempt)


def _look(recording_id: RecordingId, channel_name: str, attempt: Attempt) -> AgoraMembers:
    return AgoraMembers(recording_id=recording_id, attempt=attempt.number, channel_name=channel_name)


def _call(live: Recording, attempt: Attempt) -> Effect:
    if attempt.resource_id is None:
        return AgoraAcquire(
            recording_id=live.recording_id,
            attempt=attempt.number,
            channel_name=live.spec.channel_name,
            uid=attempt.uids[0],
        )
    if attempt.sid is None:
        return AgoraStart(
            recording_id=live.recording_id,
            attempt=attempt.number,
            channel_name=live.spec.channel_name,
            uid=attempt.uids[0],
            resource_id=attempt.resource_id,
            spec=live.spec,
            prefix=live.prefix,
        )
    if live.want is Want.STOP:
        return _stop(live.recording_id, live.spec.channel_name, attempt)
    return AgoraQuery(
        recording_id=live.recording_id, attempt=attempt.number, resource_id=attempt.resource_id, sid=attempt.sid
    )


def _rekeying(live: Recording, attempt: Attempt) -> Iterator[tuple[int, Effect]]:
    assert attempt.resource_id is not None, "a session has a resource"
    assert attempt.sid is not None, "a session has a sid"
    if attempt.rekey_at_ms is not None:
        yield (
            attempt.rekey_at_ms,
            AgoraRekey(
                recording_id=live.recording_id,
                attempt=attempt.number,
                channel_name=live.spec.channel_name,
                uid=attempt.uids[0],
                resource_id=attempt.resource_id,
                sid=attempt.sid,
                prefix=live.prefix,
            ),
        )


def _updates(live: Recording, attempt: Attempt) -> Iterator[tuple[int, Effect]]:
    """One after the other: none is sent before the last was answered (reference 5)."""
    update = attempt.update
    if not is_told(live):
        yield update.check_at_ms, _update(live, attempt, of_streams=update.subscribe is not None)
    elif update.subscribe_again or update.layout_again:
        due_at_ms = max(update.check_at_ms, update.sure_at_ms)
        yield due_at_ms, _update(live, attempt, of_streams=update.subscribe_again)


def _update(live: Recording, attempt: Attempt, *, of_streams: bool) -> AgoraUpdate | AgoraUpdateLayout:
    assert attempt.resource_id is not None, "a session has a resource"
    assert attempt.sid is not None, "a session has a sid"
    if of_streams:
        return AgoraUpdate(
            recording_id=live.recording_id,
            attempt=attempt.number,
            channel_name=live.spec.channel_name,
            uid=attempt.uids[0],
            resource_id=attempt.resource_id,
            sid=attempt.sid,
            streams=live.spec.streams,
            subscribe=live.spec.subscribe,
        )
    return AgoraUpdateLayout(
        recording_id=live.recording_id,
        attempt=attempt.number,
        channel_name=live.spec.channel_name,
        uid=attempt.uids[0],
        resource_id=attempt.resource_id,
        sid=attempt.sid,
        layout=live.spec.layout or Layout(),
    )


def _stop(recording_id: RecordingId, channel_name: str, attempt: Attempt) -> AgoraStop:
    assert attempt.resource_id is not None, "a session has a resource"
    assert attempt.sid is not None, "a session has a sid"
    return AgoraStop(
        recording_id=recording_id,
        attempt=attempt.number,
        channel_name=channel_name,
        uid=attempt.uids[0],
        resource_id=attempt.resource_id,
        sid=attempt.sid,
    )
