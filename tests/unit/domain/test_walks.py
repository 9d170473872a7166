"""Random walks through the core: whatever comes in whatever order, the rules hold and an end is reached."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.commands import DeleteRecording, MediaExamined, StopAnswered
from actors.domain.effects import AgoraStop, Effect, StorageExamine
from actors.domain.media import MediaReport
from actors.domain.outcomes import Done, NotFound
from actors.domain.pending import next_wakeup
from actors.domain.projections import SETTLED_PHASES
from tests.unit.domain.story import Story
from tests.unit.domain.test_pairs import commands

STEPS = st.lists(st.tuples(st.integers(0, 200), st.sampled_from([0, 1, 5, 60, 300])), max_size=40)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_any_sequence_of_commands_keeps_the_invariants(steps: list[tuple[int, int]]) -> None:
    story = Story()
    story.start()
    for number, seconds in steps:
        known = [each for each in commands(story) if not isinstance(each, DeleteRecording)]
        story.later(seconds).do(known[number % len(known)])
        assert [event.seq for event in story.log] == list(range(1, len(story.log) + 1))
        public = [event.sequence for event in story.log if event.sequence is not None]
        assert public == list(range(1, len(public) + 1))
        states = [
            event.recording.version for event in story.log if event.recording and event.recording.recording_id == "r-1"
        ]
        assert states == sorted(set(states))


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_every_walk_comes_to_an_end_when_it_is_stopped(steps: list[tuple[int, int]]) -> None:
    """Nobody answers but storage: then deadlines alone settle everything."""
    story = Story()
    story.start()
    for number, seconds in steps:
        known = [each for each in commands(story) if not isinstance(each, DeleteRecording)]
        story.later(seconds).do(known[number % len(known)])
    story.stop()
    for _ in range(1000):
        wake_at_ms = next_wakeup(story.meeting)
        if wake_at_ms is None:
            break
        story.now_ms = max(story.now_ms + 1000, wake_at_ms)
        story.wake()
        for effect in story.effects():
            answer(story, effect)
    assert story.meeting.live is None
    assert not story.meeting.finishing
    assert all(recording.phase in SETTLED_PHASES for recording in story.settled.values())


def answer(story: Story, effect: Effect) -> None:
    """What a provider that has forgotten everything says, and a storage in which there is nothing."""
    match effect:
        case AgoraStop():
            gone = Done(NotFound())
            story.do(StopAnswered(recording_id=effect.recording_id, attempt=effect.attempt, outcome=gone))
        case StorageExamine():
            nothing = Done(MediaReport((), (), ()))
            story.do(MediaExamined(recording_id=effect.recording_id, outcome=nothing))
