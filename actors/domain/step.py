"""A decision turned into what is committed: numbered events, the state after them, the rows that changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from actors.domain.events import AnyEvent, AttemptOpened, JournalEvent, LiveRef, RecorderAccepted, RecorderMoved
from actors.domain.eviction_events import EvicteeFound, StrayFound
from actors.domain.evolve import evolve, prune
from actors.domain.ids import RecordingId
from actors.domain.invariants import check
from actors.domain.model import Actor, Meeting, Recording
from actors.domain.projections import attempt_numbered, state_of

RecorderFacts = tuple[str, str, str | None, RecordingId, int]
"""A recorder of ours: its channel, uid, sid if it is known, recording and attempt."""


@dataclass(frozen=True, slots=True)
class Step:
    """`after` is the state to go on with; `recordings` are those that changed, each as it is at the end."""

    after: Meeting
    events: tuple[JournalEvent, ...]
    recordings: tuple[Recording, ...]


def take_step(meeting: Meeting, events: tuple[AnyEvent, ...], at_ms: int, actor: Actor) -> Step:
    """Apply the events. Raises IllegalTransition or InvariantBroken, and then nothing has changed."""
    after = meeting
    stored: list[JournalEvent] = []
    changed: dict[RecordingId, Recording] = {}
    for event in events:
        after = evolve(after, event, at_ms)
        recording = after.recording(event.recording_id)
        if recording is not None:
            changed[recording.recording_id] = recording
        stored.append(_stored(after, event, recording, at_ms, actor))
    after = prune(after)
    check(after)
    return Step(after, tuple(stored), tuple(changed.values()))


def _stored(after: Meeting, event: AnyEvent, recording: Recording | None, at_ms: int, actor: Actor) -> JournalEvent:
    live = LiveRef(after.live.recording_id, state_of(after.live)) if after.live is not None else None
    return JournalEvent(
        meeting_id=after.meeting_id,
        seq=after.seq,
        sequence=after.sequence if event.public else None,
        at_ms=at_ms,
        actor=actor,
        event=event,
        recording=recording if event.public else None,
        live=live if event.public else None,
    )


def recorders_of(step: Step) -> tuple[RecorderFacts, ...]:
    """Those of attempts that opened, moved, were found again, or whose sid became known, in this step; each uid once."""
    found = {facts[1]: facts for stored in step.events for facts in _recorders(step, stored.event)}
    return tuple(found.values())


def _recorders(step: Step, event: AnyEvent) -> Iterator[RecorderFacts]:
    if isinstance(event, AttemptOpened | RecorderAccepted | RecorderMoved):
        recording = next(item for item in step.recordings if item.recording_id == event.recording_id)
        attempt = attempt_numbered(recording, event.attempt)
        assert attempt is not None, "an attempt that opened is kept"
        uid = attempt.uids[0] if isinstance(event, RecorderAccepted) else event.uid
        yield (recording.spec.channel_name, uid, attempt.sid, event.recording_id, event.attempt)
    elif isinstance(event, EvicteeFound | StrayFound):
        eviction = step.after.eviction(event.recording_id, event.attempt)
        if eviction is None:
            return
        for uid in eviction.attempt.uids:
            yield (eviction.channel_name, uid, eviction.attempt.sid, event.recording_id, event.attempt)
