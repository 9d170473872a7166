"""A decision in the making: the events so far, and the meeting as it would be after them."""

from dataclasses import dataclass, field

from actors.domain.commands import Moment
from actors.domain.events import AnyEvent
from actors.domain.evolve import evolve
from actors.domain.ids import RecordingId
from actors.domain.model import Attempt, Meeting, Phase, Recording
from actors.domain.policy import Policy, delay


@dataclass(slots=True)
class Draft:
    """Local to one call of `decide`; a rule emits an event and goes on from the state after it."""

    meeting: Meeting
    moment: Moment
    policy: Policy
    events: list[AnyEvent] = field(default_factory=list)

    @property
    def now_ms(self) -> int:
        return self.moment.at_ms

    def emit(self, event: AnyEvent) -> None:
        """Add the event; `meeting` is the state after it from here on."""
        self.meeting = evolve(self.meeting, event, self.moment.at_ms)
        self.events.append(event)

    def pause_ms(self, schedule: tuple[int, ...], tries: int) -> int:
        """The schedule's pause after so many fruitless answers, and up to a tenth more."""
        stretch = 1 + self.policy.jitter_ratio * self.moment.jitter
        return round(delay(schedule, tries) * stretch)

    def again(self, recording: Recording) -> Recording:
        """The recording as it is after what was emitted."""
        after = self.meeting.recording(recording.recording_id)
        assert after is not None, "a recording vanished within a decision"
        return after

    def attempt_of(
        self, recording_id: RecordingId, number: int, *phases: Phase
    ) -> tuple[Recording, Attempt] | tuple[None, None]:
        """The recording and its attempt, if a result of that attempt may still change something in these phases.

        Results of an older attempt, of an abandoned one and of a settled recording find nothing, and are dropped.
        """
        recording = self.meeting.recording(recording_id)
        if recording is None or recording.phase not in phases:
            return None, None
        attempt = recording.attempt
        if attempt is None or attempt.number != number:
            return None, None
        return recording, attempt
