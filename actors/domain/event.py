"""What every event of the journal is."""

from dataclasses import dataclass
from typing import ClassVar

from actors.domain.ids import RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has: the recording that it is about."""

    kind: ClassVar[str]
    public: ClassVar[bool] = False
    visible: ClassVar[bool] = True
    """Whether the recording looks different afterwards, so that its version grows. Public events always do."""

    recording_id: RecordingId
