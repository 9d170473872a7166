"""The table, and the page that is made from it."""

import pytest

from actors.domain.events import AttemptOpened, CaptureProven, RecordingRequested
from actors.domain.evolve import evolve
from actors.domain.invariants import InvariantBroken, check
from actors.domain.model import Meeting, Phase
from actors.domain.projections import SETTLED_PHASES
from actors.domain.transitions import TABLE, IllegalTransition
from scripts.states import PAGE, page
from tests.unit.domain.story import in_phase


def test_the_page_of_states_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/states.py --write"


def test_a_settled_phase_is_reachable_from_everywhere() -> None:
    for phase in TABLE:
        reached, frontier = set(), {phase}
        while frontier:
            reached |= frontier
            frontier = {after for item in frontier for after in TABLE[item].values()} - reached
        assert reached & SETTLED_PHASES, phase


def test_every_phase_has_a_row() -> None:
    assert set(TABLE) == set(Phase)


def test_an_event_without_a_place_is_a_bug_and_changes_nothing() -> None:
    meeting = in_phase(Phase.ACQUIRING).meeting
    proven = CaptureProven(
        recording_id=meeting.live.recording_id,  # type: ignore[union-attr]
        attempt=1,
        evidence="",
        started_at_ms=0,
        check_at_ms=0,
        deadline_at_ms=0,
    )
    with pytest.raises(IllegalTransition):
        evolve(meeting, proven, 0)


def test_a_second_live_recording_is_a_bug() -> None:
    story = in_phase(Phase.ACTIVE)
    again = RecordingRequested(
        recording_id="r-2",
        spec=story.live.spec,
        prefix=("p",),
        started_by="x",
        deadline_at_ms=1,  # type: ignore[arg-type]
    )
    with pytest.raises(IllegalTransition):
        evolve(story.meeting, again, 0)


def test_an_attempt_beside_an_eviction_breaks_an_invariant() -> None:
    story = in_phase(Phase.STARTING).later(180)
    story.wake()
    story.start("r-2")
    story.later(1)
    opened = AttemptOpened(recording_id=story.live.recording_id, attempt=1, uid="5", deadline_at_ms=1)
    with pytest.raises(InvariantBroken):
        check(evolve(story.meeting, opened, story.now_ms))


def test_an_empty_meeting_holds_all_invariants() -> None:
    check(Meeting(meeting_id="m-1"))  # type: ignore[arg-type]
