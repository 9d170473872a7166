"""Recorders of ours that nobody wants any more, and what only looks like one."""

from typing import Any

import pytest

from actors.domain.effects import AgoraBan, AgoraStop
from actors.domain.evolve import recall
from actors.domain.ids import RecordingId
from actors.domain.media import MediaReport, Playlist, Slice
from actors.domain.model import Phase
from actors.domain.outcomes import AlreadyRunning, Ambiguous, Done, ResourceUnusable, Stopped
from actors.domain.step import recorders_of, take_step
from tests.unit.domain.story import BEGIN_MS, SID, Story, accepted_beside_an_eviction, in_phase

OTHER_SID = "f" * 32


def test_a_second_sid_under_a_uid_that_is_being_evicted_changes_nothing() -> None:
    story = accepted_beside_an_eviction()
    story.noticed(40, uid=story.settled["r-1"].recorder_uids[0])
    story.meeting = recall(story.meeting, story.settled[RecordingId("r-1")])
    story.later(60).noticed(42, uid=story.settled["r-1"].recorder_uids[0], sid=OTHER_SID)
    assert [eviction.attempt.sid for eviction in story.meeting.evictions] == [SID]


def recalled() -> Story:
    """A recording that was over a minute ago, recalled because its recorder was heard of again."""
    story = in_phase(Phase.COMPLETED).later(60)
    story.meeting = recall(story.meeting, story.settled[RecordingId("r-1")])
    return story


@pytest.mark.parametrize("event_type", [40, 42])
def test_another_session_under_the_uid_of_a_recorder_that_has_ended_is_a_stray(event_type: int) -> None:
    story = recalled()
    story.noticed(event_type, sid=OTHER_SID)
    (eviction,) = story.meeting.evictions
    assert (eviction.attempt.sid, eviction.attempt.uids) == (OTHER_SID, story.settled[RecordingId("r-1")].recorder_uids)
    assert {AgoraBan, AgoraStop} <= {type(effect) for effect in story.effects()}
    story.noticed(41, uid=eviction.attempt.uids[-1], sid=OTHER_SID)
    assert story.meeting.evictions == ()


@pytest.mark.parametrize(
    "told",
    [{"event_type": 11}, {"event_type": 31}, {"event_type": 40, "at_ms": BEGIN_MS}, {"event_type": 40, "uid": "77"}],
)
def test_what_is_said_of_another_session_makes_a_stray_only_if_it_captures_now_under_our_uid(told: Any) -> None:
    assert recalled().noticed(sid=OTHER_SID, **told) == []


def test_a_recorder_that_captures_after_its_end_is_a_stray_and_is_stopped() -> None:
    story = in_phase(Phase.PROCESSING).later(60)
    assert [event.kind for event in story.noticed(42)] == ["recorder.stray"]
    stops = [effect for effect in story.effects() if isinstance(effect, AgoraStop)]
    assert [(stop.sid, stop.resource_id) for stop in stops] == [(SID, "resource-1")]
    assert "AgoraBan" in story.due()


@pytest.mark.parametrize("event_type", [11, 31, 33, 41, 43])
def test_what_is_said_of_an_end_makes_no_stray(event_type: int) -> None:
    story = in_phase(Phase.PROCESSING).later(60)
    story.noticed(event_type)
    assert story.meeting.evictions == ()


def test_a_notification_that_is_only_late_makes_no_stray() -> None:
    story = in_phase(Phase.PROCESSING)
    story.later(9).noticed(42)
    assert story.meeting.evictions == ()


def test_a_time_in_the_future_makes_no_stray() -> None:
    story = in_phase(Phase.PROCESSING).later(60)
    assert story.noticed(42, at_ms=story.now_ms + 3_600_000) == []


def test_another_system_is_left_alone() -> None:
    story = in_phase(Phase.ACTIVE)
    assert story.noticed(42, uid="777", sid="f" * 32) == []
    assert story.noticed(12, uid="778", sid="f" * 32, newUid=778) == []


def test_a_report_of_an_attempt_that_never_sent_a_start_is_not_ours() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    story.noticed(11, exitStatus=1)
    story.later(1).wake()
    story.stop()
    assert story.last.phase is Phase.PROCESSING
    assert story.later(60).noticed(42, sid=OTHER_SID) == []


def test_a_stray_may_be_found_by_a_node_whose_clock_is_behind() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    story.noticed(11, exitStatus=1)
    story.later(15).wake()
    story.acquired()
    first = story.live.recorder_uids[0]
    story.later(-3).noticed(42, uid=first)
    assert [eviction.attempt.number for eviction in story.meeting.evictions] == [1]


def test_an_evicted_recorder_is_watched_for_as_long_as_it_is_seen() -> None:
    story = accepted_beside_an_eviction()
    uid = story.settled["r-1"].recorder_uids[0]
    story.banned()
    story.later(15).wake()
    for _ in range(30):
        story.looked(uid)
        story.later(60).wake()
    assert story.meeting.evictions
    story.later(600).wake()
    assert story.meeting.evictions == ()


# --- what their files tell ---


def stopped_without_a_sid() -> Story:
    """It runs, and nobody has ever told its sid; no rule can be had either."""
    story = in_phase(Phase.STARTING)
    story.started(Done(AlreadyRunning(7)))
    story.stop()
    story.later(30).wake()
    story.banned(outcome=Ambiguous("timeout"))
    return story


def files_of(sid: str, *, ended: bool, at_ms: int = BEGIN_MS) -> Done[MediaReport]:
    slices = (Slice(f"tapedeck/r1/{sid}_m-1_1.ts", 10.0, at_ms, 1000),)
    return Done(MediaReport((), (Playlist(f"tapedeck/r1/{sid}_m-1.m3u8", 300, slices, ended),), ()))


def test_the_files_of_an_unanswered_start_tell_whom_to_stop() -> None:
    story = stopped_without_a_sid()
    assert "AgoraStop" not in story.due()
    story.examined(files_of(OTHER_SID, ended=False))
    assert [stop.sid for stop in story.effects() if isinstance(stop, AgoraStop)] == [OTHER_SID]
    assert story.last.past[0].sid == OTHER_SID


def test_of_two_unanswered_starts_the_files_are_of_the_one_that_was_there() -> None:
    story = in_phase(Phase.STARTING)
    story.started(Done(AlreadyRunning(7)))
    story.later(30).wake()
    story.banned()
    story.later(15).wake()
    story.acquired()
    story.started(Ambiguous("timeout"))
    story.started(Done(ResourceUnusable(433, "too old")))
    story.stop()
    story.examined(files_of(OTHER_SID, ended=False))
    assert {item.attempt.number: item.attempt.sid for item in story.meeting.evictions} == {1: OTHER_SID, 2: None}


def test_files_that_are_closed_or_known_call_for_nothing() -> None:
    story = stopped_without_a_sid()
    story.examined(files_of(OTHER_SID, ended=True))
    assert "AgoraStop" not in story.due()
    story.examined(files_of("README", ended=False))
    assert "AgoraStop" not in story.due()
    story.examined(files_of(OTHER_SID, ended=False))
    story.evicted(Done(Stopped("uploaded")))
    assert story.examined(files_of(OTHER_SID, ended=False))
    assert story.meeting.evictions == ()


@pytest.mark.parametrize(("later", "ended", "found"), [(11, False, True), (9, False, False), (11, True, False)])
def test_a_session_whose_slices_go_on_after_its_end_is_a_stray(later: int, ended: bool, found: bool) -> None:
    """It came up on another machine when it was no longer believed to, and of that nobody told."""
    story = in_phase(Phase.PROCESSING)
    story.later(60).examined(files_of(SID, ended=ended, at_ms=story.now_ms + (later - 60) * 1000))
    assert ("AgoraStop" in story.due()) == found


def test_files_that_come_after_an_eviction_make_a_stray() -> None:
    story = in_phase(Phase.STARTING)
    story.started(Ambiguous("timeout"))
    story.started(Done(ResourceUnusable(433, "too old")))
    story.banned()
    story.later(15).wake()
    for _ in range(4):
        story.looked("42")
        story.later(60)
    assert story.meeting.evictions == ()
    story.acquired()
    story.started()
    story.stop()
    story.stopped()
    story.examined(files_of(OTHER_SID, ended=False))
    assert [(item.attempt.number, item.attempt.sid) for item in story.meeting.evictions] == [(1, OTHER_SID)]


# --- the uids under which they are in the channel ---


def banned_uids(story: Story) -> list[str]:
    """The uids that rules are asked for, answering one after the other."""
    uids = []
    while bans := [effect.uid for effect in story.later(10).effects() if isinstance(effect, AgoraBan)]:
        uids += bans
        story.banned(story.meeting.evictions[0].attempt.number)
    return uids


def test_an_evicted_recorder_that_moves_is_banned_under_the_uid_that_event_12_names() -> None:
    story = in_phase(Phase.ACTIVE, stopping=True).later(300)
    story.wake()
    first = story.last.recorder_uids[0]
    story.noticed(12, uid=first, newUid=4242)
    assert banned_uids(story) == [first, "4242"]


def test_a_stray_that_moves_is_banned_under_the_uid_that_event_12_names() -> None:
    story = in_phase(Phase.PROCESSING).later(60)
    first = story.last.recorder_uids[0]
    story.noticed(12, uid=first, newUid=4242)
    assert banned_uids(story) == [first, "4242"]


@pytest.mark.parametrize("named", [0, -1, 2**32, "0", "\u0664", "nobody", True, None])
def test_what_no_recorder_can_be_called_is_not_taken_for_its_uid(named: object) -> None:
    story = in_phase(Phase.ACTIVE)
    uids = story.live.recorder_uids
    story.noticed(12, uid="nobody", newUid=named)
    story.noticed(33, uid="0")
    assert story.live.recorder_uids == uids


# --- what notifications are matched with later ---


def rows(story: Story, *, notice: int, uid: str, **details: object) -> set[tuple[str, str | None, int]]:
    """uid, sid and attempt of the recorders that are kept in mind with the notification."""
    before, log = story.meeting, len(story.log)
    story.noticed(notice, uid=uid, **details)
    events = tuple(item.event for item in story.log[log:])
    step = take_step(before, events, story.now_ms, story.log[-1].actor)
    return {(uid, sid, attempt) for _, uid, sid, _, attempt in recorders_of(step)}


def test_the_sid_of_an_abandoned_attempt_is_kept_in_mind() -> None:
    story = accepted_beside_an_eviction()
    uid = story.settled["r-1"].recorder_uids[0]
    assert rows(story, notice=40, uid=uid) == {(uid, SID, 1)}
    assert rows(story, notice=12, uid=uid, newUid=4242) == {(uid, SID, 1), ("4242", SID, 1)}


def test_the_uid_of_a_stray_is_kept_in_mind() -> None:
    story = in_phase(Phase.PROCESSING).later(60)
    uid = story.last.recorder_uids[0]
    assert rows(story, notice=42, uid="4242") == {(uid, SID, 1), ("4242", SID, 1)}


@pytest.mark.parametrize("sid", ["nonsense", "A" * 32, "../" * 10 + "ab", "b" * 33])
def test_a_session_that_cannot_be_called_is_not_taken_for_ours(sid: str) -> None:
    story = in_phase(Phase.STARTING)
    assert story.noticed(40, sid=sid) == []
    story = accepted_beside_an_eviction()
    assert story.noticed(40, uid=story.settled["r-1"].recorder_uids[0], sid=sid) == []


def test_moves_of_an_evicted_recorder_that_are_told_in_the_reverse_order_are_put_in_order() -> None:
    story = in_phase(Phase.ACTIVE, stopping=True).later(300)
    story.wake()
    story.noticed(12, uid="78", newUid=78, at_ms=story.now_ms - 10_000)
    story.noticed(12, uid="77", newUid=77, at_ms=story.now_ms - 20_000)
    story.noticed(41, uid="77", leaveCode=0)
    assert story.meeting.evictions[0].attempt.uids[1:] == ("77", "78")
    story.noticed(41, uid="78", leaveCode=0)
    assert story.meeting.evictions == ()
