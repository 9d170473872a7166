"""Every command in every phase: nothing raises, nothing settled comes back, every invariant holds."""

import itertools

import pytest

from actors.domain.commands import (
    AcquireAnswered,
    AttachFile,
    Command,
    DeleteRecording,
    ExamineAgain,
    MediaErased,
    MediaExamined,
    MediaSealed,
    MediaSurveyed,
    Notice,
    ProviderReported,
    QueryAnswered,
    RekeyAnswered,
    StartAnswered,
    StartRecording,
    StopAnswered,
    StopRecording,
    UpdateAnswered,
    UpdateRecording,
    Wake,
)
from actors.domain.erasure import Lock
from actors.domain.ids import NoticeId, RecordingId
from actors.domain.media import ListedObject, MediaReport
from actors.domain.model import Failure, FailureCode, Layout, Phase, RecordingSpec, Subscription
from actors.domain.outcomes import (
    Acquired,
    AlreadyRunning,
    Ambiguous,
    Done,
    Erased,
    Inventory,
    Leaving,
    NotFound,
    NothingRecorded,
    Rejected,
    Rekeyed,
    ResourceUnusable,
    RetryLater,
    Sealed,
    Seen,
    Started,
    Stopped,
    Updated,
)
from actors.domain.pending import next_wakeup, pending_effects
from tests.unit.domain.story import HOST, SID, Story, accepted_beside_an_eviction, in_phase, whole_media

FAILURE = Failure(FailureCode.PROVIDER_REJECTED, "no", retryable=False)
UNCLEAR = [Ambiguous("lost"), RetryLater("busy", FAILURE, 500), Rejected(FAILURE)]

STORIES = {
    "accepted": accepted_beside_an_eviction,
    **{phase.value: lambda phase=phase: in_phase(phase) for phase in list(Phase)[1:7]},
    "active, to be told": lambda: changed(),
    "completed, to be sealed": lambda: unsealed(),
    **{
        f"{phase.value}, stop wanted": lambda phase=phase: in_phase(phase, stopping=True)
        for phase in (Phase.ACQUIRING, Phase.STARTING, Phase.CONFIRMING, Phase.ACTIVE)
    },
}


def changed() -> Story:
    story = in_phase(Phase.ACTIVE)
    story.update(subscribe={"audio": ("42",)})
    return story


def unsealed() -> Story:
    story = in_phase(Phase.PROCESSING)
    story.examined(Done(whole_media(story)))
    return story


def commands(story: Story) -> list[Command]:
    names = {"recording_id": story.last.recording_id, "attempt": story.last.attempts}
    notices = [
        Notice(
            notice_id=NoticeId(f"{kind}-{uid}"),
            event_type=kind,
            sid=SID,
            uid=uid,
            cname="m-1",
            sequence=0,
            at_ms=story.now_ms,
            details={"status": "nonsense", "errorLevel": 5, "leaveCode": 4},
        )
        for kind in (1, 11, 12, 31, 32, 33, 40, 41, 42, 9999)
        for uid in (*story.last.recorder_uids, "77")
    ]
    return [
        StartRecording(
            recording_id=RecordingId("r-9"), prefix=("t", "r9"), spec=RecordingSpec(channel_name="m-1"), by=HOST
        ),
        StopRecording(by=HOST),
        StopRecording(by=HOST, recording_id=RecordingId("r-1")),
        UpdateRecording(by=HOST, subscribe={"audio": ("42",)}),
        UpdateRecording(by=HOST, subscribe={"audio": None, "video": ("7",)}),
        UpdateRecording(by=HOST, layout={"template": "vertical"}),
        DeleteRecording(recording_id=RecordingId("r-1"), by=HOST),
        ExamineAgain(recording_id=RecordingId("r-1"), by=HOST),
        AttachFile(recording_id=RecordingId("r-1"), key="t/r1/x.mp4", file_size=1, by=HOST),
        Wake(),
        *(AcquireAnswered(**names, outcome=item) for item in [Done(Acquired("x")), *UNCLEAR]),
        *(
            StartAnswered(**names, outcome=item)
            for item in [Done(Started(SID)), Done(AlreadyRunning(7)), Done(ResourceUnusable(433, "old")), *UNCLEAR]
        ),
        *(
            QueryAnswered(**names, outcome=item)
            for item in [*(Done(Seen(status)) for status in (0, 3, 4, 5, 6, 8, 20)), Done(NotFound()), *UNCLEAR]
        ),
        *(
            StopAnswered(**names, outcome=item)
            for item in [
                Done(Stopped("uploaded")),
                Done(Stopped("backuped")),
                Done(NothingRecorded()),
                Done(Leaving()),
                Done(NotFound()),
                *UNCLEAR,
            ]
        ),
        *(
            UpdateAnswered(**names, sent=sent, outcome=item)
            for sent in (Subscription(), Subscription(audio=("42",)), Layout("vertical"))
            for item in [Done(Updated()), *UNCLEAR]
        ),
        *(
            RekeyAnswered(**names, outcome=item)
            for item in [Done(Rekeyed(story.now_ms)), Done(Rekeyed(None)), *UNCLEAR]
        ),
        *(
            MediaExamined(recording_id=names["recording_id"], outcome=item)
            for item in [Done(MediaReport((), (), ())), *UNCLEAR]
        ),
        *(
            MediaSealed(recording_id=names["recording_id"], outcome=item)
            for item in [Done(Sealed(3, 99, "5e")), *UNCLEAR]
        ),
        *(
            MediaSurveyed(recording_id=names["recording_id"], after=after, outcome=item)
            for after in (None, "x")
            for item in [
                Done(Inventory(())),
                Done(Inventory((ListedObject("a", 3),))),
                Done(Inventory((), None, Lock(7))),
            ]
        ),
        *(MediaErased(recording_id=names["recording_id"], outcome=item) for item in [Done(Erased(3, 99)), *UNCLEAR]),
        *(ProviderReported(notice) for notice in notices),
    ]


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("later_seconds", [0, 100, 400, 100_000])
def test_every_command_is_legal_in_every_phase(name: str, later_seconds: int) -> None:
    for index in itertools.count():
        story = STORIES[name]().later(later_seconds)
        if index == len(commands(story)):
            break
        story.do(commands(story)[index])  # take_step checks table and invariants
        if story.meeting.live or story.meeting.finishing:
            assert next_wakeup(story.meeting) is not None


@pytest.mark.parametrize("name", STORIES)
def test_each_command_twice_changes_no_more_than_once(name: str) -> None:
    """A repetition of an answer or a notification at the same instant brings no public event of its own."""
    for index in itertools.count():
        story = STORIES[name]()
        command = commands(story)[index] if index < len(commands(story)) else None
        if command is None:
            break
        story.do(command)
        assert not [event for event in story.do(command) if event.public], command


def test_a_settled_recording_is_forgotten_and_not_changed_by_late_answers() -> None:
    story = in_phase(Phase.COMPLETED)
    for command in commands(story):
        if not isinstance(command, StartRecording):
            assert story.do(command) == []
    assert story.meeting.live is None
    assert not story.meeting.finishing
    assert pending_effects(story.meeting, story.now_ms) == ()
