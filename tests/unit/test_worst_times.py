"""The figures of docs/states.md against the rules: every wait as long as it may be, for many moments at which the fact happens."""

from collections.abc import Callable
from typing import Any

import pytest

from actors.domain.commands import (
    AcquireAnswered,
    BanAnswered,
    Command,
    MediaExamined,
    MembersAnswered,
    Moment,
    QueryAnswered,
    StartAnswered,
    StopAnswered,
    Wake,
)
from actors.domain.decide import actor_of, decide
from actors.domain.effects import (
    AgoraAcquire,
    AgoraBan,
    AgoraMembers,
    AgoraQuery,
    AgoraStart,
    AgoraStop,
    Effect,
    EffectKey,
    StorageExamine,
    key_of,
)
from actors.domain.events import AnyEvent
from actors.domain.media import MediaReport
from actors.domain.model import Failure, FailureCode
from actors.domain.outcomes import (
    Acquired,
    AlreadyRunning,
    Ambiguous,
    Banned,
    Done,
    Leaving,
    Members,
    NotFound,
    Outcome,
    RetryLater,
    Seen,
    Started,
    StopAnswer,
    Stopped,
)
from actors.domain.pending import next_wakeup, pending_effects
from actors.domain.step import take_step
from scripts.worst_times import worst_times
from server.config import Config
from server.policies import policy_of
from server.settings import ReconcilerSettings, RecordingSettings
from tests.unit.domain.story import SID, Story, whole_media

CONFIG = Config(recording=RecordingSettings(eviction_limit_seconds=3600, backup_deadline_seconds=7200))
"""Days would only take longer to play."""
WORST = {each.fact: each.seconds for each in worst_times(CONFIG)}
LASTING = "an attempt with a sid is evicted, and no stop gives proof; or it is known to run, its sid is not, and no rule can be had"
LATER = RetryLater("busy", Failure(FailureCode.PROVIDER_UNAVAILABLE, "busy", retryable=True))
CONFIG_POLICY = policy_of(CONFIG)
PEOPLE, NOBODY = Members(("1", "2"), ("1", "2")), Members((), ())
NOTHING = MediaReport((), (), ())
COMMANDS: dict[type[Effect], Callable[..., Command]] = {
    AgoraAcquire: AcquireAnswered,
    AgoraStart: StartAnswered,
    AgoraQuery: QueryAnswered,
    AgoraStop: StopAnswered,
    AgoraMembers: MembersAnswered,
}
Outcomes = dict[type[Effect], Callable[[], Any]]
"""What a call is answered, by how things are when it was sent."""


class Slow(Story):
    """A meeting of which everything takes as long as it may."""

    def __init__(self, outcomes: Outcomes, jitter: float = 1.0) -> None:
        super().__init__(policy_of(CONFIG))
        self.outcomes: Outcomes = {
            AgoraAcquire: lambda: Done(Acquired("resource-1")),
            StorageExamine: lambda: LATER,
            **outcomes,
        }
        self._jitter = jitter
        self._told = 0
        self._flying: dict[EffectKey, tuple[float, Command]] = {}
        self.start()

    def do(self, command: Command) -> list[AnyEvent]:
        self._uids += 1
        decision = decide(self.meeting, command, Moment(self.now_ms, str(self._uids), self._jitter), self.policy)
        step = take_step(self.meeting, decision.events, self.now_ms, actor_of(command))
        self.meeting = step.after
        self.log.extend(step.events)
        self.settled.update({item.recording_id: item for item in step.recordings})
        return list(decision.events)

    @property
    def seconds(self) -> float:
        """Since the start was asked for."""
        return (self.now_ms - self.log[0].at_ms) / 1000

    def until(self, kind: str) -> float:
        """When the first event of that kind that has not been asked for yet comes, in seconds since the start was asked for."""
        while True:
            for event in self.log[self._told :]:
                self._told += 1
                if event.event.kind == kind:
                    return (event.at_ms - self.log[0].at_ms) / 1000
            self._go_on()

    def _go_on(self) -> None:
        """To whatever comes first: an answer, or the look of the reconciler behind what is due."""
        for effect in pending_effects(self.meeting, self.now_ms):
            if key_of(effect) not in self._flying:
                self._flying[key_of(effect)] = (self.now_ms + _call_ms(effect), self._answer(effect))
        wakeup = next_wakeup(self.meeting)
        assert wakeup is not None, "nothing is left to wait for"
        woken_ms = max(wakeup, self.now_ms) + round(CONFIG.reconciler.interval_seconds * 1000)
        key = min(self._flying, key=lambda key: self._flying[key][0], default=None)
        if key is None or woken_ms < self._flying[key][0]:
            self.now_ms = woken_ms
            self.do(Wake())
        else:
            landed_ms, command = self._flying.pop(key)
            self.now_ms = round(landed_ms)
            self.do(command)

    def _answer(self, effect: Effect) -> Command:
        outcome = self.outcomes[type(effect)]()
        if isinstance(effect, StorageExamine):
            return MediaExamined(recording_id=effect.recording_id, outcome=outcome)
        names: dict[str, Any] = {"recording_id": effect.recording_id, "attempt": effect.attempt}  # type: ignore[union-attr]
        if isinstance(effect, AgoraBan):
            return BanAnswered(**names, uid=effect.uid, outcome=outcome)
        return COMMANDS[type(effect)](**names, outcome=outcome)


def _call_ms(effect: Effect) -> float:
    if isinstance(effect, StorageExamine):
        return 0
    agora = CONFIG.agora
    return 1000 * (agora.stop_timeout_seconds if isinstance(effect, AgoraStop) else agora.timeout_seconds)


def recording(outcomes: Outcomes, jitter: float = 1.0) -> Slow:
    """One whose recorder is accepted at once, and captures or not."""
    return Slow({AgoraStart: lambda: Done(Started(SID)), AgoraStop: lambda: Done(Leaving()), **outcomes}, jitter)


def longest(fact: str, waits: list[float]) -> None:
    """The longest wait that was found is within the figure, and not far from it."""
    assert 0.85 * WORST[fact] <= max(waits) <= WORST[fact]


def test_capture_is_known_without_notifications() -> None:
    waits = []
    for fact_at in range(25, 85):
        story = recording({AgoraQuery: lambda: Done(Seen(5 if story.seconds >= fact_at else 3))})  # noqa: B023
        waits.append(story.until("recording.active") - fact_at)
    longest("a recorder captures, and none comes", waits)


def test_a_recorder_that_never_captures_is_given_up() -> None:
    story = recording({AgoraQuery: lambda: Done(Seen(3))})
    given_up = -story.until("recorder.accepted") + story.until("recorder.evicting")
    longest("a recorder is accepted and never captures", [given_up])


def test_a_lost_start_is_resolved_or_given_up() -> None:
    answers = iter([Ambiguous("lost")])
    story = Slow({AgoraStart: lambda: next(answers, Done(AlreadyRunning(7)))})
    wait = -story.until("recorder.acquired") + story.until("recorder.evicting")
    longest("a start's answer is lost, and the recorder runs", [wait])


def test_starts_without_any_clear_answer_end_by_the_deadline() -> None:
    story = Slow(
        {
            AgoraStart: lambda: Ambiguous("lost"),
            AgoraMembers: lambda: Done(PEOPLE),
            AgoraBan: lambda: LATER,
            StorageExamine: lambda: Done(NOTHING),
        }
    )
    acquired = story.until("recorder.acquired")
    longest("no start is answered clearly", [story.until("recording.processing")])
    longest("the same, and nothing was captured", [story.until("recording.failed") - acquired])


def given_up(**rules: Any) -> Slow:
    """An attempt without a sid that is evicted."""
    return Slow({AgoraStart: lambda: Done(AlreadyRunning(7)), AgoraMembers: lambda: LATER, AgoraBan: rules["ban"]})


def test_a_rule_lets_the_next_attempt_begin() -> None:
    story = given_up(ban=lambda: Done(Banned("rule")))
    evicting = story.until("recorder.evicting")
    longest("an attempt without a sid is evicted", [story.until("recorder.opened") - evicting])


@pytest.mark.parametrize(
    ("fact", "members"),
    [
        ("the same, no rule can be had, and it is not known to run", Done(PEOPLE)),
        ("the same, and no list of members can be had either", LATER),
    ],
)
def test_without_a_rule_the_resource_has_to_expire(fact: str, members: Any) -> None:
    story = Slow({AgoraStart: lambda: Ambiguous("lost"), AgoraMembers: lambda: members, AgoraBan: lambda: LATER})
    acquired = story.until("recorder.acquired")
    longest(fact, [story.until("recorder.fenced") - acquired])


def test_one_that_is_known_to_run_holds_the_next_attempt_for_a_day() -> None:
    story = given_up(ban=lambda: LATER)
    evicting = story.until("recorder.evicting")
    longest(LASTING, [story.until("recorder.fenced") - evicting])


def test_a_start_beside_it_ends() -> None:
    story = given_up(ban=lambda: LATER)
    story.until("recording.processing")
    asked = story.seconds
    story.start("r-2")
    longest("a start is asked for meanwhile", [story.until("recording.failed") - asked])


@pytest.mark.parametrize("ban", [Done(Banned("rule")), LATER], ids=["banned", "not banned"])
def test_a_session_that_does_not_stop(ban: Any) -> None:
    story = recording({AgoraQuery: lambda: Done(Seen(3)), AgoraBan: lambda: ban, AgoraMembers: lambda: LATER})
    evicting = story.until("recorder.evicting")
    longest(LASTING, [story.until("recorder.fenced") - evicting])


def test_a_recorder_that_dies_without_a_word_is_missed() -> None:
    waits = []
    for fact_at in range(60, 330, 5):
        story = recording(
            {
                AgoraQuery: lambda: Done(Seen(5)) if story.seconds < fact_at else Done(NotFound()),  # noqa: B023
                AgoraMembers: lambda: Done(PEOPLE),
            }
        )
        waits.append(story.until("recorder.lost") - fact_at)
    longest("a recorder dies without a word", waits)


def test_an_empty_room_ends_it() -> None:
    waits = []
    for fact_at in range(60, 1000, 20):
        lag = CONFIG_POLICY.members_lag_ms / 1000
        story = recording(
            {
                AgoraQuery: lambda: Done(Seen(5)),
                AgoraMembers: lambda: Done(PEOPLE if story.seconds < fact_at + lag else NOBODY),  # noqa: B023
            }
        )
        waits.append(story.until("recording.stopping") - fact_at)
    longest("everybody has left, and the recorder stays", waits)


def test_the_longest_duration_ends_it() -> None:
    story = recording({AgoraQuery: lambda: Done(Seen(5)), AgoraMembers: lambda: Done(PEOPLE)})
    active = story.until("recording.active")
    longest("nobody stops it", [story.until("recording.stopping") - active])


def stopping(stop: Outcome[StopAnswer], examine: Callable[[Slow], Outcome[MediaReport]], jitter: float = 1.0) -> Slow:
    """One that captured for a minute and was then told to stop."""
    outcomes: Outcomes = {
        AgoraQuery: lambda: Done(Seen(5)),
        AgoraMembers: lambda: Done(PEOPLE),
        AgoraStop: lambda: stop,
        StorageExamine: lambda: examine(story),
    }
    story = recording(outcomes, jitter)
    story.until("recording.active")
    story.later(60).stop()
    return story


@pytest.mark.parametrize(
    ("fact", "answer"),
    [
        ("a stop is asked for, and is answered", Done(Stopped("uploaded"))),
        ("a stop is asked for, and no answer proves anything", Done(Leaving())),
    ],
)
def test_a_stop_comes_to_an_end(fact: str, answer: Any) -> None:
    story = stopping(answer, lambda _: LATER)
    longest(fact, [-story.until("recording.stopping") + story.until("recording.processing")])


def test_files_are_found_without_notifications() -> None:
    waits = []
    for fact_at in range(100, 300, 3):
        story = stopping(
            Done(Stopped("unknown")),
            lambda story: Done(whole_media(story) if story.seconds >= fact_at else NOTHING),  # noqa: B023
        )
        waits.append(story.until("recording.completed") - fact_at)
    longest("all files are there, and none comes", waits)


def test_what_is_not_there_is_named_in_time() -> None:
    waits = []
    for jitter in (0.0, 0.5, 1.0):
        story = stopping(Done(Stopped("uploaded")), lambda story: Done(whole_media(story, 30)), jitter)
        waits.append(-story.until("recording.processing") + story.until("recording.completed"))
    longest("all files are said to be there, and some are not", waits)


@pytest.mark.parametrize(
    ("fact", "uploading"),
    [
        ("files do not come, or storage cannot be listed", "unknown"),
        ("the same, while the provider has files in its backup", "backuped"),
    ],
)
def test_without_a_listing_it_ends_by_its_deadline(fact: str, uploading: str) -> None:
    story = stopping(Done(Stopped(uploading)), lambda _: LATER)
    processing = story.until("recording.processing")
    longest(fact, [story.until("recording.failed") - processing])


def test_files_of_the_backup_are_found_without_notifications() -> None:
    waits = []
    for fact_at in range(900, 1300, 20):
        story = stopping(
            Done(Stopped("backuped")),
            lambda story: Done(whole_media(story) if story.seconds >= fact_at else NOTHING),  # noqa: B023
        )
        waits.append(story.until("recording.completed") - fact_at)
    longest("the last file comes out of the provider's backup, and no notification comes", waits)


def test_every_setting_that_is_named_counts() -> None:
    """Figures follow the settings; nothing is written down by hand."""
    slower = CONFIG.model_copy(update={"reconciler": ReconcilerSettings(interval_seconds=2.0)})
    changed = {each.fact: each.seconds for each in worst_times(slower)}
    assert {fact for fact, seconds in changed.items() if seconds == WORST[fact]} == {
        "a stop is asked for, and is answered"
    }
