"""Who is in the channel: an empty room ends a recording, whatever its recorder does about it."""

from actors.domain.model import EndReason, Phase
from actors.domain.outcomes import Ambiguous, Done, Members, NotFound
from tests.unit.domain.story import Story, in_phase


def looked_at(story: Story, *people: str, every: float, times: int) -> None:
    for _ in range(times):
        story.later(every).looked(*people, *story.live.recorder_uids)


def test_an_active_recordings_room_is_looked_at_now_and_then() -> None:
    story = in_phase(Phase.ACTIVE)
    assert "AgoraMembers" not in story.due()
    assert "AgoraMembers" in story.later(300).due()
    story.looked("42")
    assert "AgoraMembers" not in story.later(299).due()


def test_an_empty_room_ends_it_beyond_the_recorders_own_limit() -> None:
    story = in_phase(Phase.ACTIVE, max_idle_seconds=120).later(300)
    looked_at(story, every=0, times=1)
    looked_at(story, every=60, times=2)
    assert story.live.stop_requested_at_ms is None
    looked_at(story, every=60, times=1)
    assert story.live.end_reason is EndReason.EMPTY_ROOM


def test_somebody_who_comes_back_begins_the_count_anew() -> None:
    story = in_phase(Phase.ACTIVE, max_idle_seconds=120).later(300)
    looked_at(story, every=0, times=1)
    looked_at(story, every=60, times=2)
    looked_at(story, "42", every=60, times=1)
    looked_at(story, every=300, times=1)
    looked_at(story, every=60, times=2)
    assert story.live.stop_requested_at_ms is None


def test_audience_alone_is_an_empty_room() -> None:
    story = in_phase(Phase.ACTIVE, max_idle_seconds=5, channel_type="live_broadcasting").later(300)
    for _ in range(3):
        story.looked(outcome=Done(Members(("42", "43"), ())))
        story.later(60)
    assert story.live.end_reason is EndReason.EMPTY_ROOM


def test_a_list_that_cannot_be_had_says_nothing() -> None:
    story = in_phase(Phase.ACTIVE, max_idle_seconds=5).later(300)
    for _ in range(5):
        story.looked(outcome=Ambiguous("timeout"))
        story.later(300)
    assert story.live.stop_requested_at_ms is None


def test_a_recorder_that_is_gone_from_an_empty_room_is_not_replaced() -> None:
    """Its idle exit may have gone unreported."""
    story = in_phase(Phase.ACTIVE).later(400)
    for pause in (0, 30, 30):
        story.later(pause).queried(Done(NotFound()))
        story.looked()
    story.later(31).queried(Done(NotFound()))
    assert story.last.phase is Phase.PROCESSING
    assert story.last.end_reason is EndReason.PROVIDER_IDLE
    assert "AgoraStop" in story.due(), "queries may be wrong for long"
    story.start("r-2")
    assert story.live.phase is Phase.ACCEPTED
    story.evicted(Done(NotFound()))
    assert story.live.phase is Phase.ACQUIRING


def test_one_that_is_gone_from_among_people_is_replaced() -> None:
    story = in_phase(Phase.ACTIVE).later(400)
    for pause in (0, 30, 30):
        story.later(pause).queried(Done(NotFound()))
        story.looked("42")
    story.later(31).queried(Done(NotFound()))
    assert story.live.phase is Phase.ACCEPTED


def test_a_recorder_of_before_that_is_still_there_is_a_stray() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    first = story.live.recorder_uids[0]
    story.noticed(11, exitStatus=1)
    story.later(1).wake()
    story.acquired()
    story.started()
    story.noticed(40, status=0)
    story.later(300).looked("42", first, attempt=2)
    assert [eviction.attempt.number for eviction in story.meeting.evictions] == [1]
    assert story.live.phase is Phase.ACTIVE


def test_the_list_may_show_for_a_while_who_has_gone() -> None:
    story = in_phase(Phase.ACTIVE).later(300)
    first = story.live.recorder_uids[0]
    story.noticed(11, exitStatus=1)
    story.later(1).wake()
    story.acquired()
    story.started()
    story.noticed(40, status=0)
    for pause in (0, 30):
        story.later(pause).queried(Done(NotFound()))
    story.looked("42", first, attempt=2)
    assert story.meeting.evictions == ()
