"""The one-way door: an attempt that was given up on, its rules, its fence, its end."""

import pytest

from actors.domain.commands import BanAnswered
from actors.domain.effects import AgoraBan, AgoraStop
from actors.domain.evolve import inherit
from actors.domain.media import MediaReport
from actors.domain.model import Failure, FailureCode, Phase
from actors.domain.outcomes import (
    AlreadyRunning,
    Ambiguous,
    Banned,
    Done,
    NotFound,
    NothingRecorded,
    Outcome,
    Rejected,
    ResourceUnusable,
    RetryLater,
    StartAnswer,
    Started,
    StopAnswer,
    Stopped,
)
from tests.unit.domain.story import SID, Story, accepted_beside_an_eviction, in_phase, whole_media

NOTHING = MediaReport((), (), ())
BUSY = Failure(FailureCode.PROVIDER_UNAVAILABLE, "busy", retryable=True)


def test_a_rule_for_its_uid_is_due_at_once() -> None:
    story = accepted_beside_an_eviction()
    (ban,) = (effect for effect in story.effects() if isinstance(effect, AgoraBan))
    assert (ban.channel_name, ban.uid, ban.seconds) == ("m-1", story.settled["r-1"].recorder_uids[0], 86_430)


def test_no_attempt_is_opened_before_the_rule_has_settled() -> None:
    story = accepted_beside_an_eviction()
    story.later(1).banned()
    story.later(14.9).wake()
    assert story.live.phase is Phase.ACCEPTED
    story.later(0.1).wake()
    assert story.live.phase is Phase.ACQUIRING


def test_without_a_rule_a_late_start_is_waited_for() -> None:
    story = accepted_beside_an_eviction()
    story.banned(outcome=Ambiguous("timeout"))
    story.later(149.9).looked("42")
    assert story.live.phase is Phase.ACCEPTED
    story.later(0.1).wake()
    assert story.live.phase is Phase.ACCEPTED, "one that came before may be there"
    story.looked("42")
    assert story.live.phase is Phase.ACQUIRING


def test_a_list_that_cannot_be_had_either_is_not_waited_for_without_end() -> None:
    story = accepted_beside_an_eviction()
    story.banned(outcome=Ambiguous("timeout"))
    story.later(150).wake()
    for _ in range(2):
        story.looked(outcome=Ambiguous("timeout"))
        story.later(60).wake()
        assert story.live.phase is Phase.ACCEPTED
    story.later(480).wake()
    assert all(eviction.fenced_at_ms is not None for eviction in story.meeting.evictions)


def test_one_that_is_there_when_no_late_start_can_come_holds_the_next_attempt() -> None:
    story = accepted_beside_an_eviction()
    story.banned(outcome=Ambiguous("timeout"))
    story.later(150).wake()
    for _ in range(2):
        story.looked(story.settled["r-1"].recorder_uids[0])
        story.later(60).wake()
    assert story.live.phase is Phase.ACCEPTED


def test_the_deadline_of_a_start_beside_an_eviction_begins_when_an_attempt_may_be_opened() -> None:
    story = accepted_beside_an_eviction()
    story.banned()
    story.later(15).wake()
    assert story.live.deadline_at_ms == story.now_ms + 180_000


@pytest.mark.parametrize(
    "outcome",
    [Ambiguous("timeout"), RetryLater("429", BUSY, after_ms=4_000), Rejected(BUSY)],
    ids=lambda o: type(o).__name__,
)
def test_a_rule_that_was_not_had_is_sent_again(outcome: Outcome[object]) -> None:
    story = accepted_beside_an_eviction()
    story.banned(outcome=outcome)  # type: ignore[arg-type]
    assert "AgoraBan" not in story.due()
    assert "AgoraBan" in story.later(4).due()


def test_a_ban_that_is_answered_twice_counts_once() -> None:
    story = accepted_beside_an_eviction()
    answered = story.effects()[0]
    story.banned()
    story.later(10)
    assert isinstance(answered, AgoraBan)
    fence_ms = story.meeting.evictions[0].fence_at_ms
    again = BanAnswered(recording_id=answered.recording_id, attempt=1, uid=answered.uid, outcome=Done(Banned("70002")))
    assert story.do(again) == []
    assert story.meeting.evictions[0].fence_at_ms == fence_ms


def test_an_evicted_recorder_that_shows_up_is_told_to_stop_and_nothing_reopens_it() -> None:
    story = accepted_beside_an_eviction()
    uid = story.settled["r-1"].recorder_uids[0]
    story.noticed(40, uid=uid)
    assert story.live.phase is Phase.ACCEPTED
    assert story.due()[:2] == ["AgoraStop", "AgoraBan"]
    story.noticed(41, uid=uid)
    assert story.meeting.evictions == ()
    assert story.due()[:1] == ["AgoraAcquire"]


def test_a_late_answer_to_its_start_reopens_nothing_but_tells_what_to_stop() -> None:
    story = in_phase(Phase.STARTING)
    story.started(Done(AlreadyRunning(7)))
    story.later(30).wake()
    story.started(Done(Started(SID)))
    assert story.live.phase is Phase.ACCEPTED
    assert [effect.sid for effect in story.effects() if isinstance(effect, AgoraStop)] == [SID]
    assert story.started(Done(Started(SID))) == []
    story.evicted(Done(Stopped("uploaded")))
    assert story.started(Done(Started(SID))) == []


@pytest.mark.parametrize("answer", [Stopped("uploaded"), NothingRecorded()])
def test_a_stop_that_is_answered_ends_it(answer: Stopped | NothingRecorded) -> None:
    story = accepted_beside_an_eviction()
    story.noticed(40, uid=story.settled["r-1"].recorder_uids[0])
    story.evicted(Done(answer))
    assert story.meeting.evictions == ()


def test_not_found_ends_it_only_when_it_outlasts_a_failover() -> None:
    story = accepted_beside_an_eviction()
    story.noticed(40, uid=story.settled["r-1"].recorder_uids[0])
    for pause in (0, 1, 2):
        story.later(pause).evicted(Done(NotFound()))
    assert story.meeting.evictions
    story.later(90).evicted(Done(NotFound()))
    assert story.meeting.evictions == ()


@pytest.mark.parametrize("outcome", [Ambiguous("timeout"), RetryLater("429", BUSY), Rejected(BUSY)], ids=str)
def test_what_the_queries_did_not_find_is_not_proven_gone_by_a_stop_without_an_answer(
    outcome: Outcome[StopAnswer],
) -> None:
    story = in_phase(Phase.CONFIRMING)
    for _ in range(3):
        story.later(25).queried(Done(NotFound()))
    story.later(20).wake()
    story.later(25).evicted(outcome)
    assert story.meeting.evictions
    story.later(1).evicted(Done(NotFound()))
    assert story.meeting.evictions == ()


def test_a_sid_that_is_not_learnt_leads_to_another_attempt() -> None:
    """Ladder of recipe 3.4: 7 and 53 prove that it runs, so its sid is waited for; then it is evicted."""
    story = in_phase(Phase.STARTING)
    story.started(Done(AlreadyRunning(53)))
    story.later(29).wake()
    assert story.live.phase is Phase.STARTING
    story.later(1).wake()
    assert story.due() == ["AgoraBan"]
    story.banned()
    story.later(15).wake()
    assert story.live.attempts == 2
    assert len(set(story.live.recorder_uids)) == 2


def running_without_a_rule() -> Story:
    story = in_phase(Phase.STARTING)
    story.started(Done(AlreadyRunning(7)))
    story.later(30).wake()
    story.banned(outcome=Ambiguous("timeout"))
    return story


def test_one_that_is_known_to_run_is_not_over_because_no_late_start_can_come() -> None:
    story = running_without_a_rule()
    story.later(3600).wake()
    story.start("r-2")
    assert story.live.phase is Phase.ACCEPTED
    story.banned()
    story.later(15).wake()
    assert story.live.phase is Phase.ACQUIRING


def test_a_start_that_is_hindered_for_long_fails_and_says_why() -> None:
    story = running_without_a_rule()
    story.later(3600).wake()
    story.start("r-2")
    story.later(330 + 179).wake()
    assert story.live.phase is Phase.ACCEPTED
    story.later(1).wake()
    assert story.last.phase is Phase.FAILED
    assert story.last.error is not None
    assert (story.last.error.code, story.last.error.retryable) == (FailureCode.NEVER_STARTED, True)
    assert "earlier recorder" in story.last.error.message
    assert story.meeting.evictions


def test_one_that_is_known_to_run_is_over_when_it_is_not_in_the_channel_any_more() -> None:
    story = running_without_a_rule()
    for _ in range(4):
        story.later(60).looked("42")
    assert story.live.attempts == 1, "a late start may still come up"
    story.later(90).looked("42")
    assert story.live.attempts == 2
    assert story.meeting.evictions == ()


def test_a_stop_meanwhile_waits_for_the_files_of_what_ran() -> None:
    story = in_phase(Phase.STARTING)
    story.started(Done(AlreadyRunning(7)))
    story.stop()
    story.later(30).wake()
    assert story.last.phase is Phase.PROCESSING


def stopped_beside_an_eviction() -> Story:
    """The start was not answered clearly, so it may have worked."""
    story = in_phase(Phase.STARTING)
    story.started(Ambiguous("timeout"))
    story.started(Done(ResourceUnusable(433, "too old")))
    story.later(5).stop()
    return story


def test_what_an_unclear_start_may_have_captured_is_waited_for() -> None:
    story = stopped_beside_an_eviction()
    files = Done(whole_media(story.later(-5), 5))
    story.later(5).examined(files)
    assert story.last.phase is Phase.PROCESSING, "its recorder may still capture"
    story.banned()
    story.later(15).wake()
    story.examined(files)
    assert story.last.phase is Phase.COMPLETED


def test_where_it_captured_nothing_that_is_known_soon_after_it_is_fenced() -> None:
    story = stopped_beside_an_eviction()
    story.later(10).banned()
    story.later(15).wake()
    story.later(44).examined(Done(NOTHING))
    assert story.last.phase is Phase.PROCESSING
    story.later(1).examined(Done(NOTHING))
    assert story.last.phase is Phase.ABORTED


def test_once_its_session_is_known_the_word_of_the_provider_is_waited_for() -> None:
    story = stopped_beside_an_eviction()
    story.banned()
    story.later(15).wake()
    story.noticed(42, uid=story.settled["r-1"].recorder_uids[0])
    story.later(60).examined(Done(NOTHING))
    assert story.last.phase is Phase.PROCESSING


def test_a_uid_that_it_moves_to_is_banned_too() -> None:
    story = in_phase(Phase.ACTIVE, stopping=True).later(300)
    story.wake()
    first, moved = story.last.recorder_uids[0], "4242"
    story.later(10).banned()
    story.noticed(12, uid=moved, newUid=int(moved))
    bans = [effect.uid for effect in story.effects() if isinstance(effect, AgoraBan)]
    assert bans == [moved]
    assert {first, moved} == set(story.meeting.evictions[0].attempt.uids)


def unstoppable() -> Story:
    """A session whose sid is known is being evicted, and the next recording waits for its end."""
    story = in_phase(Phase.ACTIVE, stopping=True).later(300)
    story.wake()
    story.start("r-2")
    return story


def test_no_rule_fences_a_session_that_may_move_to_another_machine() -> None:
    """No rule knows the uid that it will have there, and while its stops are not answered nobody tells of it."""
    story = unstoppable()
    story.later(10).banned()
    for _ in range(5):
        story.later(60).evicted(Ambiguous("timeout"))
    assert story.live.phase is Phase.ACCEPTED
    for _ in range(3):
        story.later(5).evicted(Done(NotFound()))
    assert story.live.phase is Phase.ACCEPTED
    story.later(90).evicted(Done(NotFound()))
    assert story.live.phase is Phase.ACQUIRING


def test_one_that_is_not_seen_by_its_uids_may_be_there_by_another() -> None:
    story = unstoppable()
    story.later(10).banned(outcome=Ambiguous("timeout"))
    for _ in range(6):
        story.later(60).looked("42")
    assert story.meeting.evictions
    assert story.live.phase is Phase.ACCEPTED


def test_a_rule_that_was_about_to_hold_does_not_when_the_session_shows_up() -> None:
    story = accepted_beside_an_eviction()
    story.banned()
    story.later(10).noticed(40, uid=story.settled["r-1"].recorder_uids[0])
    story.later(30).wake()
    assert story.live.phase is Phase.ACCEPTED
    story.evicted(Done(Stopped("uploaded")))
    assert story.live.phase is Phase.ACQUIRING


def test_a_session_whose_sid_is_known_is_first_only_told_to_stop() -> None:
    story = in_phase(Phase.ACTIVE, stopping=True).later(300)
    story.wake()
    assert "AgoraStop" in story.due()
    assert "AgoraBan" not in story.due()
    assert "AgoraBan" in story.later(10).due()


@pytest.mark.parametrize(
    "answer", [Done(ResourceUnusable(433, "too old")), Rejected(BUSY)], ids=lambda a: type(a).__name__
)
def test_a_start_that_an_earlier_owner_may_have_sent_is_evicted(answer: Outcome[StartAnswer]) -> None:
    story = in_phase(Phase.STARTING)
    story.meeting = inherit(story.meeting)
    story.started(answer)
    assert [eviction.attempt.number for eviction in story.meeting.evictions] == [1]
    assert "AgoraAcquire" not in story.due()


@pytest.mark.parametrize("phase", [phase for phase in list(Phase)[1:6] if phase is not Phase.STARTING])
def test_only_a_start_is_in_doubt_after_a_change_of_owners(phase: Phase) -> None:
    story = in_phase(phase)
    assert inherit(story.meeting) == story.meeting


# --- what the channel's members bear witness to ---


def fenced() -> Story:
    story = in_phase(Phase.STARTING).later(180)
    story.wake()
    story.banned()
    story.later(15).wake()
    return story


def test_a_fenced_attempt_is_looked_for_until_it_is_surely_gone() -> None:
    story = fenced()
    for _ in range(3):
        story.looked("42")
        assert story.meeting.evictions
        story.later(60)
    story.looked("42")
    assert story.meeting.evictions == ()


def test_a_ghost_in_the_list_ends_the_series_but_hinders_nobody() -> None:
    story = fenced()
    story.looked("42")
    story.later(60).looked("42", story.settled["r-1"].recorder_uids[0])
    story.start("r-2")
    assert story.live.phase is Phase.ACQUIRING
    for _ in range(3):
        story.later(60).looked("42")
    assert story.meeting.evictions


def test_one_that_stays_in_the_list_is_banned_again() -> None:
    story = fenced()
    uid = story.settled["r-1"].recorder_uids[0]
    for _ in range(3):
        story.looked("42", uid)
        assert "AgoraBan" not in story.due()
        story.later(60)
    story.looked("42", uid)
    assert "AgoraBan" in story.due()


def test_a_list_that_cannot_be_had_proves_nothing_and_ends_nothing_early() -> None:
    story = fenced()
    for _ in range(9):
        story.looked(outcome=Ambiguous("timeout"))
        story.later(60)
    assert story.meeting.evictions
    story.later(60).wake()
    assert story.meeting.evictions == ()


def test_one_that_is_seen_where_no_rule_can_be_had_is_waited_for_longer() -> None:
    story = accepted_beside_an_eviction()
    uid = story.settled["r-1"].recorder_uids[0]
    story.banned(outcome=Ambiguous("timeout"))
    story.later(140).looked(uid)
    story.later(60).wake()
    assert story.live.phase is Phase.ACCEPTED
    story.looked("42")
    story.later(60).wake()
    assert story.live.phase is Phase.ACQUIRING
