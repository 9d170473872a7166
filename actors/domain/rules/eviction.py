"""The attempt that was given up on. Once through this door, nothing but its end leaves it."""

from actors.domain.commands import BanAnswered, Notice, StopAnswered
from actors.domain.events import EvicteeFound, EvictionDeferred, EvictionEnded
from actors.domain.model import Eviction
from actors.domain.outcomes import Done, NotFound, NothingRecorded, Stopped
from actors.domain.rules.draft import Draft
from actors.domain.rules.steps import gone_for_good, open_attempt

EVENTS_OF_EXIT = (11, 41)


def end(draft: Draft, eviction: Eviction, evidence: str) -> None:
    """It can no longer record; the live recording that waited for this may open its attempt."""
    draft.emit(EvictionEnded(recording_id=eviction.recording_id, attempt=eviction.attempt.number, evidence=evidence))
    open_attempt(draft)


def found(draft: Draft, eviction: Eviction, sid: str, evidence: str) -> None:
    """It did start after all: now it can be told to stop."""
    if eviction.attempt.sid is None and sid:
        draft.emit(
            EvicteeFound(
                recording_id=eviction.recording_id, attempt=eviction.attempt.number, sid=sid, evidence=evidence
            )
        )


def notice_of_evicting(draft: Draft, eviction: Eviction, notice: Notice) -> None:
    """A notification with a uid of the abandoned attempt."""
    if notice.event_type in EVENTS_OF_EXIT:
        end(draft, eviction, f"event {notice.event_type}")
    else:
        found(draft, eviction, notice.sid, f"event {notice.event_type} with its uid")


def stop_of_evicting(draft: Draft, command: StopAnswered) -> None:
    """The answer to a stop of the abandoned session."""
    eviction = draft.meeting.evicting
    if eviction is None or eviction.recording_id != command.recording_id:
        return
    if eviction.attempt.number != command.attempt:
        return
    match command.outcome:
        case Done(Stopped() | NothingRecorded()):
            end(draft, eviction, "stop: answered")
        case Done(NotFound()):
            _defer(draft, eviction, "stop: not found", missed=True)
        case outcome:
            _defer(draft, eviction, f"stop: {type(outcome).__name__}", missed=False)


def _defer(draft: Draft, eviction: Eviction, why: str, *, missed: bool) -> None:
    draft.emit(
        EvictionDeferred(
            recording_id=eviction.recording_id,
            attempt=eviction.attempt.number,
            why=why,
            missed=missed,
            check_at_ms=draft.now_ms + draft.pause_ms(draft.policy.stop_delays_ms, eviction.attempt.tries),
        )
    )
    eviction_now = draft.meeting.evicting
    assert eviction_now is not None
    if gone_for_good(draft, eviction_now.attempt):
        end(draft, eviction_now, f"{why}, {eviction_now.attempt.misses} times in a row")


def ban_answered(draft: Draft, command: BanAnswered) -> None:
    """What the answer to a kicking rule changes."""
