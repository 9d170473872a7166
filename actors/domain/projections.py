"""What a recording's state says to others: its public words, its attempts, where its files are."""

from actors.domain.erasure import Erasure
from actors.domain.model import Attempt, Phase, Recording, State, Status, StorageStatus, Update, Want

LIVE_PHASES = frozenset({Phase.ACCEPTED, Phase.ACQUIRING, Phase.STARTING, Phase.CONFIRMING, Phase.ACTIVE})
SETTLED_PHASES = frozenset({Phase.COMPLETED, Phase.FAILED, Phase.ABORTED, Phase.DELETED})
OVER_PHASES = SETTLED_PHASES | {Phase.REPROVING}
"""Nothing more comes of it by itself, although a file that was added may still be looked at."""


def state_of(recording: Recording) -> State:
    """The public state. It never goes back: what was captured once stays `active` until it is stopped."""
    match recording.phase:
        case Phase.ACCEPTED | Phase.ACQUIRING | Phase.STARTING | Phase.CONFIRMING | Phase.ACTIVE:
            if recording.want is Want.STOP:
                return State.STOPPING
            return State.STARTING if recording.started_at_ms is None else State.ACTIVE
        case Phase.DELETING | Phase.REPROVING:
            return recording.outcome or State.COMPLETED
        case phase:
            return State(phase.value)


def status_of(recording: Recording) -> Status:
    """The coarse public status."""
    return status_of_state(state_of(recording))


def status_of_state(state: State) -> Status:
    """The status that a state belongs to."""
    match state:
        case State.COMPLETED:
            return Status.COMPLETED
        case State.FAILED | State.ABORTED:
            return Status.FAILED
        case State.DELETED:
            return Status.DELETED
        case _:
            return Status.PROCESSING


def is_live(recording: Recording) -> bool:
    """Whether it takes the meeting's one live place."""
    return recording.phase in LIVE_PHASES


def erasure_of(recording: Recording) -> Erasure | None:
    """The erasure that is under way. One that was begun before there were receipts has none in its state."""
    return recording.erasure or (Erasure() if recording.phase is Phase.DELETING else None)


def is_unsettled(recording: Recording) -> bool:
    """Whether something is left to do for a recording that is over: what completed gets a manifest."""
    to_be_sealed = recording.phase is Phase.COMPLETED and recording.seal_at_ms is not None
    under_way = recording.phase in (Phase.PROCESSING, Phase.REPROVING) or erasure_of(recording) is not None
    return to_be_sealed or under_way


def is_told(recording: Recording) -> bool:
    """Whether its recorder has what the spec says. One that is still to be started will be told by its start."""
    update = Update() if recording.attempt is None else recording.attempt.update
    return update.subscribe is None and update.layout is None


def attempts_of(recording: Recording) -> tuple[Attempt, ...]:
    """All its attempts whose recorders may still be heard of, in order."""
    return recording.past if recording.attempt is None else (*recording.past, recording.attempt)


def attempt_numbered(recording: Recording, number: int) -> Attempt | None:
    """That attempt of the recording, present or past."""
    return next((attempt for attempt in attempts_of(recording) if attempt.number == number), None)


def has_session(recording: Recording) -> bool:
    """Whether a recorder has run for it, or may have, so that there may be files."""
    return any(attempt.sid is not None or attempt.running or attempt.ambiguous for attempt in attempts_of(recording))


def upload_of(recording: Recording) -> StorageStatus:
    """Where the files of all its parts are, by the provider's word.

    The last part speaks for all, but for earlier ones in the provider's backup. A recorder that died says nothing any more.
    """
    sessions = [attempt for attempt in attempts_of(recording) if attempt.sid is not None]
    if not sessions:
        return StorageStatus.PENDING
    *earlier, last = sessions
    if any(attempt.upload is StorageStatus.BACKUP for attempt in earlier) and last.upload is StorageStatus.STORED:
        return StorageStatus.BACKUP
    return StorageStatus.UPLOADING if earlier and last.upload is StorageStatus.PENDING else last.upload
