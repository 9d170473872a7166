"""What must be in flight: vendor + verb. Each is one call of a port, and a pure function of state says which are due."""

from dataclasses import dataclass

from actors.domain.ids import RecordingId
from actors.domain.model import Layout, RecordingSpec, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraAcquire:
    """Fetch a single-use resource for (channel, uid)."""

    recording_id: RecordingId
    attempt: int
    channel_name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraStart:
    """Start, always with the attempt's own resource and uid, so that it cannot start twice (reference 7.4)."""

    recording_id: RecordingId
    attempt: int
    channel_name: str
    uid: str
    resource_id: str
    spec: RecordingSpec
    prefix: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraQuery:
    """Ask whether the session lives."""

    recording_id: RecordingId
    attempt: int
    resource_id: str
    sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraStop:
    """Stop synchronously: the answer comes when the files are up, or after 20 s (reference 6)."""

    recording_id: RecordingId
    attempt: int
    channel_name: str
    uid: str
    resource_id: str
    sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraUpdate:
    """Say whose streams are recorded from now on. It overwrites, and so may be repeated (reference 5.1)."""

    recording_id: RecordingId
    attempt: int
    channel_name: str
    uid: str
    resource_id: str
    sid: str
    streams: str
    subscribe: Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraUpdateLayout:
    """Say how the panes are arranged from now on. It overwrites, and so may be repeated (reference 5.2)."""

    recording_id: RecordingId
    attempt: int
    channel_name: str
    uid: str
    resource_id: str
    sid: str
    layout: Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraRekey:
    """Give the recorder fresh keys to the storage. It overwrites, and so may be repeated (reference 5.1)."""

    recording_id: RecordingId
    attempt: int
    channel_name: str
    uid: str
    resource_id: str
    sid: str
    prefix: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraBan:
    """Keep one recorder uid out of one channel by a kicking rule; it may be repeated (channel management 1.2, 1.5).

    Never without a uid: a rule of the channel alone throws everybody out.
    """

    recording_id: RecordingId
    attempt: int
    channel_name: str
    uid: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgoraMembers:
    """Ask who is in the channel. The answer may be minutes old (channel management 2.3)."""

    recording_id: RecordingId
    attempt: int
    channel_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageExamine:
    """Look at everything below the prefix."""

    recording_id: RecordingId
    prefix: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSeal:
    """Write down beside the files what they are, by their bytes. It may be repeated, and may take minutes."""

    recording_id: RecordingId
    prefix: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSurvey:
    """List a page of everything below the prefix, every version of it, and its locks. `after`: None for the first page."""

    recording_id: RecordingId
    prefix: tuple[str, ...]
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageErase:
    """Delete everything below the prefix."""

    recording_id: RecordingId
    prefix: tuple[str, ...]


Effect = (
    AgoraAcquire
    | AgoraStart
    | AgoraQuery
    | AgoraStop
    | AgoraUpdate
    | AgoraUpdateLayout
    | AgoraRekey
    | AgoraBan
    | AgoraMembers
    | StorageExamine
    | StorageSeal
    | StorageSurvey
    | StorageErase
)


def is_slow(effect: Effect) -> bool:
    """Whether it may take minutes, and is never waited for."""
    return isinstance(effect, StorageSeal)


EffectKey = tuple[str, RecordingId, int]


def key_of(effect: Effect) -> EffectKey:
    """What must not be in flight twice: the same call for the same attempt, and all updates count as one (reference 5)."""
    call = AgoraUpdate if isinstance(effect, AgoraUpdateLayout | AgoraRekey) else type(effect)
    return call.__name__, effect.recording_id, getattr(effect, "attempt", 0)
