"""Who is in the channel: evidence of where recorders and people are, minutes old at worst.

People are those who may send and are no recorders of ours: in the live profile a room with nothing but audience is empty to
a recorder, too (reference 3.2).
"""

from actors.domain.commands import MembersAnswered
from actors.domain.events import RoomLooked
from actors.domain.model import Attempt, EndReason, Phase, Recording, Want
from actors.domain.outcomes import Done, Members
from actors.domain.rules.draft import Draft
from actors.domain.rules.eviction import find_stray, members_of_evicting
from actors.domain.rules.steps import SYSTEM, request_stop


def members_answered(draft: Draft, command: MembersAnswered) -> None:
    """What a look at the channel's members changes."""
    eviction = draft.meeting.eviction(command.recording_id, command.attempt)
    if eviction is not None:
        members_of_evicting(draft, eviction, command)
        return
    recording, attempt = draft.attempt_of(command.recording_id, command.attempt, Phase.ACTIVE)
    if recording is None or attempt is None or recording.want is Want.STOP:
        return
    people = _people(draft, recording, command.outcome.value) if isinstance(command.outcome, Done) else None
    policy = draft.policy
    urgent = people == 0 or attempt.misses > 0 or (people is None and attempt.empty_looks > 0)
    pause_ms = policy.room_empty_interval_ms if urgent else policy.room_interval_ms
    draft.emit(
        RoomLooked(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            people=people,
            check_at_ms=draft.now_ms + (policy.miss_delays_ms[-1] if attempt.misses else pause_ms),
        )
    )
    if isinstance(command.outcome, Done):
        _find_strays(draft, recording, command.outcome.value)
    recording = draft.again(recording)
    if recording.attempt is not None and _deserted(draft, recording, recording.attempt):
        request_stop(draft, recording, SYSTEM, EndReason.EMPTY_ROOM)


def _people(draft: Draft, recording: Recording, members: Members) -> int:
    ours = set(recording.recorder_uids)
    for eviction in draft.meeting.evictions:
        ours.update(eviction.attempt.uids)
    return len(set(members.hosts) - ours)


def _find_strays(draft: Draft, recording: Recording, members: Members) -> None:
    """A recorder of before that is still there, though the list may not be so old as to show one that has gone."""
    for attempt in recording.past:
        gone_ms = draft.now_ms - (attempt.closed_at_ms or draft.now_ms)
        there = not set(attempt.uids).isdisjoint(members.uids)
        known = draft.meeting.eviction(recording.recording_id, attempt.number) is not None
        if there and not known and gone_ms > draft.policy.members_lag_ms:
            find_stray(draft, recording, attempt, "", "", "it is in the channel long after its end")


def _deserted(draft: Draft, recording: Recording, attempt: Attempt) -> bool:
    """Whether nobody was there for longer than the recorder itself should have waited."""
    policy = draft.policy
    if attempt.empty_since_ms is None or attempt.empty_looks < policy.looks_min:
        return False
    limit_ms = recording.spec.max_idle_seconds * 1000 + policy.room_empty_margin_ms
    return draft.now_ms - attempt.empty_since_ms >= limit_ms
