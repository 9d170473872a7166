"""The deletion of a recording: its receipt before anything is removed, locks, and what comes late."""

import json

import pytest

from actors.domain.codec import decode, decode_event, encode, encode_event
from actors.domain.commands import Accepted, DeleteRecording, MediaErased, MediaSurveyed
from actors.domain.erasure import Lock
from actors.domain.erasure_events import DeletionDeferred, DeletionRefused, MediaListed, RecordingDeleted
from actors.domain.events import AnyEvent
from actors.domain.evolve import inherit, recall
from actors.domain.ids import RecordingId
from actors.domain.media import ListedObject
from actors.domain.model import Failure, FailureCode, Meeting, Phase, StorageStatus
from actors.domain.outcomes import Done, Erased, Inventory, Outcome, RetryLater
from actors.domain.pending import next_wakeup, pending_effects
from tests.unit.domain.story import HOST, Story, in_phase

DENIED = RetryLater("no rights", Failure(FailureCode.STORAGE_DENIED, "no", retryable=False))
REMOVED = Done(Erased(3, 7))
A, B, C = (ListedObject(name, size, "v1") for name, size in (("a.ts", 1), ("b.ts", 2), ("c.ts", 4)))


class Deletion(Story):
    """A recording that is complete, and whose deletion is asked for."""

    def __init__(self) -> None:
        super().__init__()
        done = in_phase(Phase.COMPLETED)
        self.__dict__.update(done.__dict__)
        self.ask()

    def ask(self, *, late: bool = False) -> list[AnyEvent]:
        if self.meeting.recording(RecordingId("r-1")) is None:
            self.meeting = recall(self.meeting, self.last)
        return self.do(DeleteRecording(recording_id=RecordingId("r-1"), by=HOST, late=late))

    def lists(self, *objects: ListedObject, more: str | None = None, lock: Lock | None = None) -> list[AnyEvent]:
        return self.surveyed(Done(Inventory(objects, more, lock)))

    def surveyed(self, outcome: Outcome[Inventory]) -> list[AnyEvent]:
        (due,) = self.effects()
        return self.do(MediaSurveyed(recording_id=RecordingId("r-1"), after=due.after, outcome=outcome))  # type: ignore[union-attr]

    def removes(self, outcome: Outcome[Erased] = REMOVED) -> list[AnyEvent]:
        assert self.due() == ["StorageErase"]
        return self.do(MediaErased(recording_id=RecordingId("r-1"), outcome=outcome))


def test_everything_is_listed_page_by_page_then_removed_and_looked_for_again() -> None:
    story = Deletion()
    assert (story.last.phase, story.due()) == (Phase.COMPLETED, ["StorageSurvey"])
    story.lists(A, B, more="b.ts")
    assert (story.last.phase, story.due()) == (Phase.COMPLETED, ["StorageSurvey"])
    story.lists(C)
    assert story.last.phase is Phase.DELETING
    story.removes()
    (deleted,) = story.lists()
    assert deleted == RecordingDeleted(recording_id=RecordingId("r-1"), objects=3, bytes=7)
    assert (story.last.phase, story.last.storage_status) == (Phase.DELETED, StorageStatus.DELETED)
    assert [each.event.objects for each in story.log if isinstance(each.event, MediaListed)] == [(A, B), (C,)]
    assert story.public_kinds[-1] == "recording.deleted"
    assert not story.meeting.finishing
    for stored in story.log:
        assert decode_event(stored.event.kind, 1, json.loads(json.dumps(encode_event(stored.event)))) == stored.event


def test_what_somebody_was_still_writing_goes_in_another_round_and_stands_in_the_receipt() -> None:
    story = Deletion()
    story.lists(A)
    story.removes()
    story.lists(B)
    story.removes(Done(Erased(1, 2)))
    assert story.due() == [], "a store that keeps what it says it removed is not asked without a pause"
    (deleted,) = story.later(2).lists()
    assert deleted == RecordingDeleted(recording_id=RecordingId("r-1"), objects=2, bytes=3)


def test_a_recording_without_media_is_gone_at_once() -> None:
    story = Deletion()
    story.lists()
    assert story.last.phase is Phase.DELETED
    assert [event.event.objects for event in story.log if isinstance(event.event, RecordingDeleted)] == [0]


@pytest.mark.parametrize("lock", [Lock(1_900_000_000_000), Lock(None)])
def test_a_lock_refuses_and_leaves_the_recording_as_it_was(lock: Lock) -> None:
    story = Deletion()
    before = story.last
    story.lists(A, more="a.ts")
    (refused,) = story.lists(B, lock=lock)
    assert refused == DeletionRefused(recording_id=RecordingId("r-1"), until_ms=lock.until_ms)
    after = story.last
    assert (after.phase, after.version, after.files, after.lock) == (before.phase, before.version, before.files, lock)
    assert not story.meeting.finishing
    assert story.public_kinds[-1] == "recording.completed"
    story.ask()
    assert story.due() == ["StorageSurvey"], "it may be asked for again"
    assert story.last.lock is None


@pytest.mark.parametrize(("seconds", "pause"), [(30, 60), (600, 600), (900_000, 3600), (None, 3600)])
def test_a_lock_that_comes_between_is_waited_for(seconds: int | None, pause: int) -> None:
    story = Deletion()
    story.lists(A)
    story.removes()
    story.lists(B, lock=Lock(None if seconds is None else story.now_ms + seconds * 1000))
    assert story.last.phase is Phase.DELETING
    assert story.later(pause - 1).due() == []
    assert story.later(1).due() == ["StorageSurvey"]


def test_trouble_in_either_step_is_met_with_patience() -> None:
    story = Deletion()
    for pause in (1, 5, 30, 60, 60):
        (deferred,) = story.surveyed(DENIED)
        assert isinstance(deferred, DeletionDeferred)
        assert story.later(pause - 0.1).due() == []
        assert story.later(0.1).due() == ["StorageSurvey"]
    story.lists(A)
    story.removes(DENIED)
    assert story.due() == []
    assert story.later(60).due() == ["StorageErase"], "what is listed is not listed again"
    assert story.last.phase is Phase.DELETING


def test_a_repeated_deletion_changes_nothing() -> None:
    story = Deletion()
    for step in (lambda: None, lambda: story.lists(A), lambda: story.removes(), lambda: story.lists()):
        step()
        assert story.ask() == []
        assert story.reply == Accepted(RecordingId("r-1"))


def test_late_answers_of_another_page_or_step_are_dropped() -> None:
    story = Deletion()
    erased = MediaErased(recording_id=RecordingId("r-1"), outcome=Done(Erased(1, 1)))
    assert story.do(erased) == [], "nothing is removed that was not listed"
    old = MediaSurveyed(recording_id=RecordingId("r-1"), after=None, outcome=Done(Inventory((A,), "a.ts")))
    story.do(old)
    assert story.do(old) == []


def test_what_comes_below_a_tombstone_is_erased_and_the_tombstone_stays() -> None:
    story = Deletion()
    story.lists()
    tombstone = story.last
    assert story.ask() == []
    story.ask(late=True)
    assert (story.last.phase, story.due()) == (Phase.DELETED, ["StorageSurvey"])
    assert next_wakeup(story.meeting) is not None
    story.lists(B, lock=Lock(None))
    assert story.last.phase is Phase.DELETED
    story.later(3600).lists(B)
    story.removes()
    story.lists()
    assert story.kinds[-5:] == [
        "media.late", "media.deletion_deferred", "media.listed", "media.removed", "media.late_erased",
    ]  # fmt: skip
    assert story.public_kinds[-1] == "recording.deleted"
    assert (story.last.version, story.last.deleted_at_ms) == (tombstone.version, tombstone.deleted_at_ms)
    assert not story.meeting.finishing


def test_a_new_owner_goes_on_where_the_last_one_was() -> None:
    story = Deletion()
    story.lists(A, more="a.ts")
    loaded = inherit(decode(Meeting, encode(story.meeting)))
    assert pending_effects(loaded, story.now_ms) == story.effects()
    story.lists(B)
    loaded = inherit(decode(Meeting, encode(story.meeting)))
    assert [type(each).__name__ for each in pending_effects(loaded, story.now_ms)] == ["StorageErase"]


def test_an_erasure_of_before_there_were_receipts_begins_with_one() -> None:
    story = Deletion()
    story.lists(A)
    stored = encode(story.meeting)
    del stored["finishing"]["r-1"]["erasure"]
    story.meeting = decode(Meeting, stored)
    assert story.due() == ["StorageSurvey"]
    story.lists(A)
    assert story.last.phase is Phase.DELETING
    story.removes()
    story.lists()
    assert story.last.phase is Phase.DELETED
