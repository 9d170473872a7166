"""Recordings to show in the documents. The real rules make them, so that no example can say what cannot happen."""

from actors.domain.commands import (
    AcquireAnswered,
    Command,
    DeleteRecording,
    MediaErased,
    MediaExamined,
    MediaSurveyed,
    Moment,
    Notice,
    ProviderReported,
    StartAnswered,
    StartRecording,
    StopAnswered,
    StopRecording,
    UpdateRecording,
)
from actors.domain.decide import actor_of, decide
from actors.domain.events import JournalEvent
from actors.domain.evolve import recall
from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.media import ListedObject, MediaReport, Movie, Playlist, Slice, StoredObject
from actors.domain.model import Actor, ActorKind, Failure, FailureCode, Meeting, Recording
from actors.domain.outcomes import Acquired, Done, Erased, Inventory, Rejected, Started, Stopped
from actors.domain.policy import Policy
from actors.domain.step import take_step
from server.schemas import StartBody

MEETING_ID = MeetingId("standup")
RECORDING_ID = RecordingId("01a202b2-c57b-7c4e-9d3a-5b1f0e6a7c21")
BEGIN_MS = 1_795_341_600_123
"""2026-11-22T10:00:00.123Z, which the id begins with."""
SECONDS = 90
SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
UID = "812345678"
CAPTURE_BEGAN = 42
"""The notification that a recorder captures (reference 9.3)."""
USER = Actor(ActorKind.USER, "user-1")
START = StartBody.model_validate({"externalId": "booking-7", "metadata": {"room": "blue"}})
_KEY = f"tapedeck/{RECORDING_ID.replace('-', '')}/{SID}_{MEETING_ID}"


class Life:
    """A meeting that is told what happens. `log` is its journal so far."""

    def __init__(self) -> None:
        self.meeting = Meeting(meeting_id=MEETING_ID)
        self.log: list[JournalEvent] = []
        self.at_ms = BEGIN_MS

    def tell(self, command: Command, *, after_seconds: float = 0.2) -> Recording:
        """The recording after the command."""
        self.at_ms += round(after_seconds * 1000)
        events = decide(self.meeting, command, Moment(self.at_ms, UID), Policy()).events
        step = take_step(self.meeting, events, self.at_ms, actor_of(command))
        self.meeting = step.after
        self.log.extend(step.events)
        self.last = step.recordings[-1]
        return self.last

    def start(self) -> Recording:
        """Stored; nothing is known of a recorder."""
        spec = START.to_spec(MEETING_ID, "communication", 14400, 300)
        prefix = ("tapedeck", RECORDING_ID.replace("-", ""))
        return self.tell(StartRecording(recording_id=RECORDING_ID, prefix=prefix, spec=spec, by=USER), after_seconds=0)

    def accept(self) -> Recording:
        """The provider has accepted the recorder."""
        self.tell(AcquireAnswered(recording_id=RECORDING_ID, attempt=1, outcome=Done(Acquired("resource"))))
        return self.tell(StartAnswered(recording_id=RECORDING_ID, attempt=1, outcome=Done(Started(SID))))

    def capture(self) -> Recording:
        """There is proof that media is captured."""
        at_ms = self.at_ms + 800
        details = {"startUtcMs": at_ms}
        notice = Notice(
            notice_id=NoticeId("notice-1"), event_type=CAPTURE_BEGAN, sid=SID, uid=UID, cname=MEETING_ID, sequence=0,
            at_ms=at_ms, details=details,
        )  # fmt: skip
        return self.tell(ProviderReported(notice), after_seconds=1)

    def change(self) -> Recording:
        """Somebody wants one voice only."""
        return self.tell(UpdateRecording(by=USER, subscribe={"audio": ("42",)}), after_seconds=20)

    def stop(self, after_seconds: float = SECONDS) -> Recording:
        """Somebody wants it to end."""
        return self.tell(StopRecording(by=USER), after_seconds=after_seconds)

    def leave(self) -> Recording:
        """The recorder has gone."""
        return self.tell(StopAnswered(recording_id=RECORDING_ID, attempt=1, outcome=Done(Stopped("uploaded"))))

    def prove(self, media: MediaReport) -> Recording:
        """The files have been examined."""
        return self.tell(MediaExamined(recording_id=RECORDING_ID, outcome=Done(media)), after_seconds=1)

    def reject(self) -> Recording:
        """The provider refuses for good."""
        failure = Failure(FailureCode.PROVIDER_REJECTED, "Agora answered HTTP 400, code 2.", retryable=False)
        return self.tell(AcquireAnswered(recording_id=RECORDING_ID, attempt=1, outcome=Rejected(failure)))

    def delete(self) -> Recording:
        """The media is gone."""
        self.meeting = recall(self.meeting, self.last)
        folder, objects = f"tapedeck/{RECORDING_ID.replace('-', '')}/", whole_media(BEGIN_MS).objects
        listed = tuple(ListedObject(each.key.removeprefix(folder), each.size) for each in objects)
        self.tell(DeleteRecording(recording_id=RECORDING_ID, by=USER), after_seconds=3600)
        self.tell(MediaSurveyed(recording_id=RECORDING_ID, after=None, outcome=Done(Inventory(listed))))
        self.tell(MediaErased(recording_id=RECORDING_ID, outcome=Done(Erased(8, 2_193_500))))
        return self.tell(MediaSurveyed(recording_id=RECORDING_ID, after=None, outcome=Done(Inventory(()))))


def whole_media(started_at_ms: int) -> MediaReport:
    """What storage holds of a recording of which nothing is missing."""
    slices = tuple(Slice(f"{_KEY}_{at}.ts", 15.0, started_at_ms + at * 1000, 243_000) for at in range(0, SECONDS, 15))
    objects = (
        StoredObject(f"{_KEY}.m3u8", 1_310, BEGIN_MS),
        StoredObject(f"{_KEY}_0.mp4", 734_190, BEGIN_MS),
        *(StoredObject(each.key, 243_000, BEGIN_MS) for each in slices),
    )
    playlist = Playlist(f"{_KEY}.m3u8", 1_310, slices, ended=True)
    return MediaReport(objects, (playlist,), (Movie(f"{_KEY}_0.mp4", 734_190, float(SECONDS)),))
