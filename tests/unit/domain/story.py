"""Drives the pure core in tests: commands go in, events come out, time passes when it is told to."""

from collections.abc import Callable

from actors.domain.commands import (
    AcquireAnswered,
    BanAnswered,
    Command,
    MediaExamined,
    MediaSealed,
    MembersAnswered,
    Moment,
    Notice,
    ProviderReported,
    QueryAnswered,
    RekeyAnswered,
    Reply,
    StartAnswered,
    StartRecording,
    StopAnswered,
    StopRecording,
    UpdateAnswered,
    UpdateRecording,
    Wake,
)
from actors.domain.decide import actor_of, decide
from actors.domain.effects import AgoraBan, AgoraMembers, Effect
from actors.domain.events import AnyEvent, JournalEvent
from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.media import MediaReport, Movie, Playlist, Slice, StoredObject
from actors.domain.model import Actor, ActorKind, Layout, Meeting, Phase, Recording, RecordingSpec, Subscription
from actors.domain.outcomes import (
    Acquired,
    Banned,
    Done,
    Members,
    Outcome,
    QueryAnswer,
    Rekeyed,
    Sealed,
    StartAnswer,
    Started,
    StopAnswer,
    Stopped,
    Updated,
)
from actors.domain.pending import pending_effects
from actors.domain.policy import Policy
from actors.domain.step import take_step

HOST = Actor(ActorKind.USER, "host-1")
SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
BEGIN_MS = 1_790_000_000_000


class Story:
    """One meeting's life so far."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self.meeting = Meeting(meeting_id=MeetingId("m-1"))
        self.now_ms = BEGIN_MS
        self.log: list[JournalEvent] = []
        self.settled: dict[RecordingId, Recording] = {}
        self._uids = 1000
        self._notices = 0

    def do(self, command: Command) -> list[AnyEvent]:
        """Give the command; returns its events. `reply` is kept."""
        self._uids += 1
        moment = Moment(self.now_ms, str(self._uids))
        decision = decide(self.meeting, command, moment, self.policy)
        step = take_step(self.meeting, decision.events, self.now_ms, actor_of(command))
        self.meeting = step.after
        self.log.extend(step.events)
        self.settled.update({item.recording_id: item for item in step.recordings})
        self.reply: Reply | None = decision.reply
        return list(decision.events)

    def later(self, seconds: float) -> "Story":
        self.now_ms += round(seconds * 1000)
        return self

    @property
    def live(self) -> Recording:
        assert self.meeting.live is not None
        return self.meeting.live

    @property
    def last(self) -> Recording:
        """The recording that changed last, settled or not."""
        return self.settled[self.log[-1].event.recording_id]

    @property
    def kinds(self) -> list[str]:
        return [event.event.kind for event in self.log]

    @property
    def public_kinds(self) -> list[str]:
        return [event.event.kind for event in self.log if event.sequence is not None]

    def due(self) -> list[str]:
        """Names of the effects that must be in flight now."""
        return [type(effect).__name__ for effect in self.effects()]

    def effects(self) -> tuple[Effect, ...]:
        return pending_effects(self.meeting, self.now_ms)

    # --- what users and the provider say ---

    def start(self, recording_id: str = "r-1", **spec: object) -> list[AnyEvent]:
        asked = RecordingSpec(channel_name="m-1", **spec)  # type: ignore[arg-type]
        return self.do(
            StartRecording(recording_id=RecordingId(recording_id), prefix=("tapedeck", "r1"), spec=asked, by=HOST)
        )

    def stop(self) -> list[AnyEvent]:
        return self.do(StopRecording(by=HOST))

    def wake(self) -> list[AnyEvent]:
        return self.do(Wake())

    def acquired(self, outcome: Outcome[Acquired] | None = None) -> list[AnyEvent]:
        return self.do(AcquireAnswered(**self._names(), outcome=outcome or Done(Acquired("resource-1"))))

    def started(self, outcome: Outcome[StartAnswer] | None = None) -> list[AnyEvent]:
        return self.do(StartAnswered(**self._names(), outcome=outcome or Done(Started(SID))))

    def queried(self, outcome: Outcome[QueryAnswer]) -> list[AnyEvent]:
        return self.do(QueryAnswered(**self._names(), outcome=outcome))

    def stopped(self, outcome: Outcome[StopAnswer] | None = None) -> list[AnyEvent]:
        return self.do(StopAnswered(**self._names(), outcome=outcome or Done(Stopped("uploaded"))))

    def update(self, **changes: object) -> list[AnyEvent]:
        return self.do(UpdateRecording(by=HOST, **changes))  # type: ignore[arg-type]

    def updated(self, sent: Subscription | Layout, outcome: Outcome[Updated] | None = None) -> list[AnyEvent]:
        return self.do(UpdateAnswered(**self._names(), sent=sent, outcome=outcome or Done(Updated())))

    def rekeyed(self, outcome: Outcome[Rekeyed]) -> list[AnyEvent]:
        return self.do(RekeyAnswered(**self._names(), outcome=outcome))

    def banned(self, attempt: int = 1, outcome: Outcome[Banned] | None = None) -> list[AnyEvent]:
        """The answer to the kicking rule that is due for that attempt."""
        due = (effect for effect in self.effects() if isinstance(effect, AgoraBan) and effect.attempt == attempt)
        ban = next(due)
        answered = BanAnswered(
            recording_id=ban.recording_id, attempt=attempt, uid=ban.uid, outcome=outcome or Done(Banned("70001"))
        )
        return self.do(answered)

    def looked(self, *uids: str, attempt: int = 1, outcome: Outcome[Members] | None = None) -> list[AnyEvent]:
        """The answer to the look at the channel's members that is due for that attempt."""
        due = (effect for effect in self.effects() if isinstance(effect, AgoraMembers) and effect.attempt == attempt)
        members = outcome or Done(Members(uids, uids))
        return self.do(MembersAnswered(recording_id=next(due).recording_id, attempt=attempt, outcome=members))

    def evicted(self, outcome: Outcome[StopAnswer], attempt: int = 1) -> list[AnyEvent]:
        """The answer to a stop of an attempt that is being evicted."""
        eviction = next(item for item in self.meeting.evictions if item.attempt.number == attempt)
        return self.do(StopAnswered(recording_id=eviction.recording_id, attempt=attempt, outcome=outcome))

    def examined(self, outcome: Outcome[MediaReport]) -> list[AnyEvent]:
        return self.do(MediaExamined(recording_id=self.last.recording_id, outcome=outcome))

    def sealed(self, outcome: Outcome[Sealed] | None = None) -> list[AnyEvent]:
        manifest = outcome or Done(Sealed(6, 100, "5e" * 32))
        return self.do(MediaSealed(recording_id=self.last.recording_id, outcome=manifest))

    def noticed(
        self, event_type: int, uid: str | None = None, sid: str = SID, at_ms: int | None = None, **details: object
    ) -> list[AnyEvent]:
        self._notices += 1
        notice = Notice(
            notice_id=NoticeId(f"n-{self._notices}"),
            event_type=event_type,
            sid=sid,
            uid=uid or self.last.recorder_uids[-1],
            cname="m-1",
            sequence=self._notices,
            at_ms=self.now_ms if at_ms is None else at_ms,
            details=dict(details),
        )
        return self.do(ProviderReported(notice))

    def _names(self) -> dict[str, object]:
        return {"recording_id": self.last.recording_id, "attempt": self.last.attempts}


def whole_media(story: Story, seconds: int = 60) -> MediaReport:
    """Storage as it is after a flawless recording of so many seconds, from its proven start on."""
    started_ms = story.last.started_at_ms or story.now_ms
    slices = tuple(
        Slice(f"p/{at}.ts", min(15, seconds - at), started_ms + at * 1000, 30_000) for at in range(0, seconds, 15)
    )
    objects = (
        StoredObject(f"p/{SID}_m-1.m3u8", 300, 0),
        StoredObject(f"p/{SID}_m-1_0.mp4", 90_000, 0),
        *(StoredObject(item.key, item.size or 0, 0) for item in slices),
    )
    playlist = Playlist(f"p/{SID}_m-1.m3u8", 300, slices, ended=True)
    return MediaReport(objects, (playlist,), (Movie(f"p/{SID}_m-1_0.mp4", 90_000, float(seconds)),))


def accepted_beside_an_eviction() -> Story:
    """A new recording waits until the abandoned attempt of the one before can no longer start."""
    story = in_phase(Phase.STARTING).later(180)
    story.wake()
    story.start("r-2")
    return story


def in_phase(phase: Phase, *, stopping: bool = False, **spec: object) -> Story:
    """A story that has come to that phase by the ordinary way."""
    story = Story()
    steps: list[tuple[Phase, Callable[[], object]]] = [
        (Phase.ACQUIRING, lambda: story.start(**spec)),
        (Phase.STARTING, lambda: story.acquired()),
        (Phase.CONFIRMING, lambda: story.started()),
        (Phase.ACTIVE, lambda: story.later(1).noticed(42, startUtcMs=story.now_ms)),
        (Phase.PROCESSING, lambda: (story.later(60).stop(), story.stopped())),
        (Phase.COMPLETED, lambda: (story.examined(Done(whole_media(story))), story.sealed())),
    ]
    for reached, step in steps:
        step()
        if reached is phase:
            break
    if stopping:
        story.stop()
    return story
