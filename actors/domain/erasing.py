"""What the events of an erasure do to its recording. `evolve` is the only caller."""

from dataclasses import replace
from typing import assert_never

from actors.domain.erasure import Erasure, Lock
from actors.domain.erasure_events import (
    DeletionDeferred,
    DeletionRefused,
    DeletionRequested,
    ErasureBegan,
    LateMediaErased,
    LateMediaFound,
    MediaListed,
    MediaRemoved,
    RecordingDeleted,
)
from actors.domain.model import Recording, StorageStatus
from actors.domain.projections import erasure_of

ErasureEvent = (
    DeletionRequested
    | MediaListed
    | DeletionRefused
    | ErasureBegan
    | MediaRemoved
    | DeletionDeferred
    | RecordingDeleted
    | LateMediaFound
    | LateMediaErased
)


def apply_erasure(recording: Recording, event: ErasureEvent, at_ms: int) -> Recording:
    """The recording after the event, apart from phase and version."""
    match event:
        case DeletionRequested() | LateMediaFound():
            return replace(recording, erasure=Erasure(), lock=None, check_at_ms=event.check_at_ms, checks=0)
        case MediaListed():
            return replace(recording, erasure=_listed(recording, event), check_at_ms=at_ms)
        case DeletionRefused():
            return replace(recording, erasure=None, lock=Lock(event.until_ms))
        case ErasureBegan():
            return recording
        case MediaRemoved():
            again = replace(_erasure(recording), after=None, listed=False, rounds=_erasure(recording).rounds + 1)
            return replace(recording, erasure=again, check_at_ms=event.check_at_ms, checks=0)
        case DeletionDeferred():
            return replace(recording, check_at_ms=event.check_at_ms, checks=recording.checks + 1)
        case RecordingDeleted():
            gone = replace(recording, storage_status=StorageStatus.DELETED, files=())
            return replace(gone, deleted_at_ms=at_ms, erasure=None)
        case LateMediaErased():
            return replace(recording, erasure=None)
        case _:
            assert_never(event)


def _listed(recording: Recording, page: MediaListed) -> Erasure:
    erasure = _erasure(recording)
    return replace(
        erasure,
        after=page.after,
        listed=page.after is None,
        objects=erasure.objects + len(page.objects),
        bytes=erasure.bytes + sum(each.size for each in page.objects),
    )


def _erasure(recording: Recording) -> Erasure:
    erasure = erasure_of(recording)
    assert erasure is not None, "what is erased is being erased"
    return erasure
