"""The deletion of a recording's media, in rounds: list it for the receipt, remove it, and look again until nothing is left.

The receipt is in the history before anything is removed, so a crash loses none of it. While nothing is removed yet, a lock
of the store refuses the deletion, and the recording stays as it was.
"""

from actors.domain.commands import MediaErased, MediaSurveyed
from actors.domain.erasure import Erasure, Lock
from actors.domain.erasure_events import (
    DeletionDeferred,
    DeletionRefused,
    ErasureBegan,
    LateMediaErased,
    MediaListed,
    MediaRemoved,
    RecordingDeleted,
)
from actors.domain.model import Failure, Phase, Recording
from actors.domain.outcomes import Ambiguous, Done, Erased, Inventory, Rejected, RetryLater
from actors.domain.projections import OVER_PHASES, erasure_of
from actors.domain.rules.draft import Draft


def surveyed(draft: Draft, command: MediaSurveyed) -> None:
    """A page of what there is."""
    recording = draft.meeting.recording(command.recording_id)
    erasure = None if recording is None else erasure_of(recording)
    if recording is None or erasure is None or erasure.listed or erasure.after != command.after:
        return
    match command.outcome:
        case Done(Inventory(lock=Lock() as lock)):
            _locked(draft, recording, lock)
        case Done(inventory) if inventory.objects or erasure.after is not None or inventory.after is not None:
            _list(draft, recording, inventory)
        case Done():
            _end(draft, recording, erasure)
        case Ambiguous(why) | RetryLater(why) | Rejected(Failure(message=why)):
            _defer(draft, recording, why, draft.pause_ms(draft.policy.erase_delays_ms, recording.checks))


def erased(draft: Draft, command: MediaErased) -> None:
    """Removed, as far as the store says. The next look tells whether it is true."""
    recording = draft.meeting.recording(command.recording_id)
    erasure = None if recording is None else erasure_of(recording)
    if recording is None or erasure is None or not erasure.listed:
        return
    match command.outcome:
        case Done(Erased(objects, size)):
            again = erasure.rounds > 0  # a store that says so and keeps it is not asked without a pause
            pause_ms = draft.pause_ms(draft.policy.erase_delays_ms, erasure.rounds - 1) if again else 0
            draft.emit(
                MediaRemoved(
                    recording_id=recording.recording_id,
                    objects=objects,
                    bytes=size,
                    check_at_ms=draft.now_ms + pause_ms,
                )
            )
        case Ambiguous(why) | RetryLater(why) | Rejected(Failure(message=why)):
            _defer(draft, recording, why, draft.pause_ms(draft.policy.erase_delays_ms, recording.checks))


def _locked(draft: Draft, recording: Recording, lock: Lock) -> None:
    """Once something is removed there is no way back: what is locked since is waited for."""
    if _is_untouched(recording):
        draft.emit(DeletionRefused(recording_id=recording.recording_id, until_ms=lock.until_ms))
        return
    left_ms = draft.policy.locked_interval_ms if lock.until_ms is None else lock.until_ms - draft.now_ms
    pause_ms = min(max(left_ms, draft.policy.erase_delays_ms[-1]), draft.policy.locked_interval_ms)
    _defer(draft, recording, "the store keeps something of it under a lock", pause_ms)


def _is_untouched(recording: Recording) -> bool:
    return recording.phase in OVER_PHASES and recording.phase is not Phase.DELETED


def _list(draft: Draft, recording: Recording, inventory: Inventory) -> None:
    draft.emit(MediaListed(recording_id=recording.recording_id, objects=inventory.objects, after=inventory.after))
    if inventory.after is None and _is_untouched(recording):
        draft.emit(ErasureBegan(recording_id=recording.recording_id))


def _end(draft: Draft, recording: Recording, erasure: Erasure) -> None:
    """Nothing is left."""
    if recording.phase is Phase.DELETED:
        draft.emit(LateMediaErased(recording_id=recording.recording_id, objects=erasure.objects, bytes=erasure.bytes))
        return
    if _is_untouched(recording):
        draft.emit(ErasureBegan(recording_id=recording.recording_id))
    draft.emit(RecordingDeleted(recording_id=recording.recording_id, objects=erasure.objects, bytes=erasure.bytes))


def _defer(draft: Draft, recording: Recording, why: str, pause_ms: int) -> None:
    draft.emit(DeletionDeferred(recording_id=recording.recording_id, why=why, check_at_ms=draft.now_ms + pause_ms))
