"""Random walks among recorders that are lost, moved, evicted and found again: no input breaks a rule, and all of it ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.commands import (
    AcquireAnswered,
    BanAnswered,
    Command,
    MembersAnswered,
    Notice,
    ProviderReported,
    QueryAnswered,
    StartAnswered,
    StartRecording,
    StopAnswered,
    StopRecording,
    UpdateAnswered,
    UpdateRecording,
    Wake,
)
from actors.domain.effects import (
    AgoraAcquire,
    AgoraBan,
    AgoraMembers,
    AgoraQuery,
    AgoraStart,
    AgoraStop,
    AgoraUpdate,
    Effect,
)
from actors.domain.evolve import recall
from actors.domain.ids import NoticeId, RecordingId
from actors.domain.model import Failure, FailureCode, Phase, RecordingSpec
from actors.domain.outcomes import (
    Acquired,
    AlreadyRunning,
    Ambiguous,
    Banned,
    Done,
    Leaving,
    Members,
    NotFound,
    NothingRecorded,
    Rejected,
    ResourceUnusable,
    RetryLater,
    Seen,
    Started,
    Stopped,
    Updated,
)
from actors.domain.pending import next_wakeup
from actors.domain.projections import attempts_of
from tests.unit.domain.story import HOST, SID, Story, in_phase
from tests.unit.domain.test_walks import answer

FAILURE = Failure(FailureCode.PROVIDER_REJECTED, "no", retryable=False)
UNCLEAR = [Ambiguous("lost"), RetryLater("busy", FAILURE, 500), Rejected(FAILURE)]
SIDS = [SID, "b" * 32, "c" * 32]
STRANGERS = ["77", "0", "", "a person"]
NOTICES = (1, 11, 12, 31, 32, 33, 40, 41, 42, 9999)
BEGIN = st.sampled_from([Phase.ACQUIRING, Phase.STARTING, Phase.CONFIRMING, Phase.ACTIVE, Phase.PROCESSING])
STEPS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 1_000_000), st.sampled_from([0, 1, 5, 20, 60, 200, 700, -40])),
    max_size=60,
)


def answers(story: Story, effect: Effect) -> list[Command]:
    """Everything that may be answered to a call."""
    names = {"recording_id": effect.recording_id, "attempt": getattr(effect, "attempt", 0)}
    match effect:
        case AgoraAcquire():
            return [AcquireAnswered(**names, outcome=each) for each in [Done(Acquired("resource")), *UNCLEAR]]
        case AgoraStart():
            sid = Started(SIDS[(effect.attempt - 1) % 3])
            clear = [Done(sid), Done(AlreadyRunning(7)), Done(ResourceUnusable(433, "old"))]
            return [StartAnswered(**names, outcome=each) for each in [*clear, *UNCLEAR]]
        case AgoraQuery():
            seen = [Done(Seen(status)) for status in (0, 4, 5, 20)]
            return [QueryAnswered(**names, outcome=each) for each in [*seen, Done(NotFound()), *UNCLEAR]]
        case AgoraStop():
            gone = [Done(Stopped("uploaded")), Done(NothingRecorded()), Done(Leaving()), Done(NotFound())]
            return [StopAnswered(**names, outcome=each) for each in [*gone, *UNCLEAR]]
        case AgoraBan():
            return [BanAnswered(**names, uid=effect.uid, outcome=each) for each in [Done(Banned("1")), *UNCLEAR]]
        case AgoraMembers():
            lists = [Done(Members(uids, uids)) for uids in [(), ("42",), tuple(uids_of(story))]]
            return [MembersAnswered(**names, outcome=each) for each in [*lists, *UNCLEAR]]
        case AgoraUpdate():
            return [
                UpdateAnswered(**names, sent=effect.subscribe, outcome=each) for each in [Done(Updated()), *UNCLEAR]
            ]
        case _:
            return [Wake()]


def uids_of(story: Story) -> list[str]:
    return sorted({uid for recording in story.settled.values() for uid in recording.recorder_uids})


def commands(story: Story, kind: int, due: list[Command], sent: list[Command]) -> list[Command]:
    """What may come next: mostly answers to calls that are due, then those of before, notifications, users."""
    if kind < 5:
        return due
    if kind == 5:
        return sent
    if kind < 8:
        return [ProviderReported(notice) for notice in notices(story)]
    return [
        Wake(),
        StopRecording(by=HOST),
        UpdateRecording(by=HOST, subscribe={"audio": ("42",)}),
        StartRecording(
            recording_id=RecordingId(f"r-{len(story.log)}"),
            prefix=("t",),
            spec=RecordingSpec(channel_name="m-1"),
            by=HOST,
        ),
    ]


def notices(story: Story) -> list[Notice]:
    return [
        Notice(
            notice_id=NoticeId("n"),
            event_type=kind,
            sid=sid,
            uid=uid,
            cname="m-1",
            sequence=0,
            at_ms=story.now_ms - late_ms,
            details={"newUid": 78, "errorLevel": 5, "leaveCode": 8},
        )
        for kind in NOTICES
        for sid in (*SIDS, "")
        for uid in (*uids_of(story), *STRANGERS)
        for late_ms in (0, 30_000)
    ]


def give(story: Story, command: Command) -> None:
    """As the actor does: a notification about a recording that is settled brings it back first."""
    if isinstance(command, ProviderReported):
        uid, sid = command.notice.uid, command.notice.sid
        for recording in story.settled.values():
            is_its = uid in recording.recorder_uids or any(sid == each.sid for each in attempts_of(recording))
            if is_its and story.meeting.recording(recording.recording_id) is None:
                story.meeting = recall(story.meeting, recording)
                break
    story.do(command)


def walk(begin: Phase, steps: list[tuple[int, int, int]]) -> Story:
    story, sent = in_phase(begin), list[Command]()
    for kind, number, seconds in steps:
        due = [command for effect in story.later(seconds).effects() for command in answers(story, effect)]
        sent = [*sent, *due][-60:]
        possible = commands(story, kind, due, sent) or [Wake()]
        give(story, possible[number % len(possible)])
        story.wake()
        assert story.effects() or (next_wakeup(story.meeting) or story.now_ms + 1) > story.now_ms, (
            "a wake-up for nothing"
        )
    return story


@settings(max_examples=120, deadline=None)
@given(BEGIN, STEPS)
def test_whatever_is_heard_of_recorders_breaks_no_rule(begin: Phase, steps: list[tuple[int, int, int]]) -> None:
    walk(begin, steps)


@settings(max_examples=50, deadline=None)
@given(BEGIN, STEPS)
def test_when_nobody_answers_any_more_all_recordings_and_evictions_end(
    begin: Phase, steps: list[tuple[int, int, int]]
) -> None:
    story = walk(begin, steps)
    story.stop()
    for _ in range(3000):  # an abandoned recorder that is known to run is waited for as long as a day
        wake_at_ms = next_wakeup(story.meeting)
        if wake_at_ms is None:
            break
        story.now_ms = max(story.now_ms + 60_000, wake_at_ms)
        story.wake()
        for effect in story.effects():
            answer(story, effect)
    assert story.meeting.live is None
    assert not story.meeting.finishing
    assert not story.meeting.evictions
