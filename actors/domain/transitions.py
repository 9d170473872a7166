"""Which event may follow in which phase, and where it leads: data, from which `evolve` and docs/states.md are made.

An event that is not in a phase's row cannot happen there; emitting it is a bug, and `evolve` says so before anything is
durable. Events of the meeting's eviction are not here: they are about an attempt that no recording has any more.
"""

from collections.abc import Mapping

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
from actors.domain.event import Event
from actors.domain.events import (
    AttemptClosed,
    AttemptOpened,
    CallDeferred,
    CaptureProven,
    RecorderAccepted,
    RecorderExited,
    RecorderLost,
    RecorderMissed,
    RecorderMoved,
    RecorderReplaced,
    RecorderSeen,
    RecorderTroubled,
    ResourceAcquired,
    RoomLooked,
    StopRequested,
)
from actors.domain.eviction_events import (
    EvictionBegan,
)
from actors.domain.key_events import RecorderRekeyed, RekeyDeferred
from actors.domain.media_events import (
    FileAttached,
    FilesArrived,
    ManifestWritten,
    MediaAwaited,
    RecordingAborted,
    RecordingCompleted,
    RecordingFailed,
    RecordingReproven,
    SealDeferred,
    UploadReported,
)
from actors.domain.model import Phase
from actors.domain.update_events import RecorderUpdated, RecordingUpdated, UpdateDeferred, UpdateRefused

Row = Mapping[type[Event], Phase]


def _looked_at(settled: Phase) -> Row:
    """A deletion first looks for locks and writes its receipt; until then the recording stays as it is."""
    return {
        DeletionRequested: settled,
        MediaListed: settled,
        DeletionDeferred: settled,
        DeletionRefused: settled,
        ErasureBegan: Phase.DELETING,
    }


TABLE: Mapping[Phase, Row] = {
    Phase.ACCEPTED: {
        AttemptOpened: Phase.ACQUIRING,
        EvictionBegan: Phase.ACCEPTED,
        UploadReported: Phase.ACCEPTED,
        StopRequested: Phase.ACCEPTED,
        RecordingUpdated: Phase.ACCEPTED,
        RecorderExited: Phase.PROCESSING,
        RecordingFailed: Phase.FAILED,
        RecordingAborted: Phase.ABORTED,
    },
    Phase.ACQUIRING: {
        ResourceAcquired: Phase.STARTING,
        CallDeferred: Phase.ACQUIRING,
        RecorderExited: Phase.PROCESSING,
        UploadReported: Phase.ACQUIRING,
        StopRequested: Phase.ACQUIRING,
        RecordingUpdated: Phase.ACQUIRING,
        RecordingFailed: Phase.FAILED,
        RecordingAborted: Phase.ABORTED,
    },
    Phase.STARTING: {
        RecorderAccepted: Phase.CONFIRMING,
        CallDeferred: Phase.STARTING,
        UploadReported: Phase.STARTING,
        StopRequested: Phase.STARTING,
        RecordingUpdated: Phase.STARTING,
        AttemptClosed: Phase.ACCEPTED,
        EvictionBegan: Phase.ACCEPTED,
    },
    Phase.CONFIRMING: {
        CaptureProven: Phase.ACTIVE,
        RecorderReplaced: Phase.ACTIVE,
        AttemptClosed: Phase.ACCEPTED,
        EvictionBegan: Phase.ACCEPTED,
        RecorderSeen: Phase.CONFIRMING,
        RecorderMissed: Phase.CONFIRMING,
        RecorderMoved: Phase.CONFIRMING,
        RoomLooked: Phase.CONFIRMING,
        RecorderTroubled: Phase.CONFIRMING,
        CallDeferred: Phase.CONFIRMING,
        UploadReported: Phase.CONFIRMING,
        StopRequested: Phase.CONFIRMING,
        RecordingUpdated: Phase.CONFIRMING,
        RecorderUpdated: Phase.CONFIRMING,
        UpdateDeferred: Phase.CONFIRMING,
        UpdateRefused: Phase.CONFIRMING,
        RecorderRekeyed: Phase.CONFIRMING,
        RekeyDeferred: Phase.CONFIRMING,
        RecorderExited: Phase.PROCESSING,
    },
    Phase.ACTIVE: {
        RecorderLost: Phase.ACCEPTED,
        RecorderSeen: Phase.ACTIVE,
        RecorderMissed: Phase.ACTIVE,
        RecorderMoved: Phase.ACTIVE,
        RoomLooked: Phase.ACTIVE,
        RecorderTroubled: Phase.ACTIVE,
        CallDeferred: Phase.ACTIVE,
        UploadReported: Phase.ACTIVE,
        StopRequested: Phase.ACTIVE,
        RecordingUpdated: Phase.ACTIVE,
        RecorderUpdated: Phase.ACTIVE,
        UpdateDeferred: Phase.ACTIVE,
        UpdateRefused: Phase.ACTIVE,
        RecorderRekeyed: Phase.ACTIVE,
        RekeyDeferred: Phase.ACTIVE,
        RecorderExited: Phase.PROCESSING,
    },
    Phase.PROCESSING: {
        EvictionBegan: Phase.PROCESSING,
        RecorderTroubled: Phase.PROCESSING,
        UploadReported: Phase.PROCESSING,
        MediaAwaited: Phase.PROCESSING,
        RecordingCompleted: Phase.COMPLETED,
        RecordingFailed: Phase.FAILED,
        RecordingAborted: Phase.ABORTED,
    },
    Phase.COMPLETED: {
        FileAttached: Phase.REPROVING,
        FilesArrived: Phase.REPROVING,
        ManifestWritten: Phase.COMPLETED,
        SealDeferred: Phase.COMPLETED,
        **_looked_at(Phase.COMPLETED),
    },
    Phase.FAILED: {FileAttached: Phase.REPROVING, **_looked_at(Phase.FAILED)},
    Phase.ABORTED: _looked_at(Phase.ABORTED),
    Phase.REPROVING: {
        FileAttached: Phase.REPROVING,
        MediaAwaited: Phase.REPROVING,
        RecordingReproven: Phase.COMPLETED,
        RecordingFailed: Phase.FAILED,
        **_looked_at(Phase.REPROVING),
    },
    Phase.DELETING: {
        MediaListed: Phase.DELETING,
        MediaRemoved: Phase.DELETING,
        DeletionDeferred: Phase.DELETING,
        RecordingDeleted: Phase.DELETED,
    },
    Phase.DELETED: {
        LateMediaFound: Phase.DELETED,
        MediaListed: Phase.DELETED,
        MediaRemoved: Phase.DELETED,
        DeletionDeferred: Phase.DELETED,
        LateMediaErased: Phase.DELETED,
    },
}


class IllegalTransition(Exception):
    """An event was emitted in a phase that has no place for it: a bug in `decide`."""


def next_phase(phase: Phase, event: Event) -> Phase:
    """Where the event leads from that phase. Raises IllegalTransition."""
    try:
        return TABLE[phase][type(event)]
    except KeyError:
        raise IllegalTransition(f"{event.kind} in phase {phase}") from None
