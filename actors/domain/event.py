"""What every event of the journal is."""

from dataclasses import dataclass
from typing import ClassVar

from actors.domain.ids import RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has: the recording that it is about."""

    kind: ClassVar[str]
    public: ClassVar[bool] = False
    told_as: ClassVar[str | None] = None
    """The type of api.md 4 that subscribers see, where it is not the kind."""
    visible: ClassVar[bool] = True
    """Whether the recording looks different afterwards, so that its version grows. Public events always do."""

    recording_id: RecordingId


def public_type(event: Event | type[Event]) -> str:
    """What a public event, or all of its kind, is called in streams."""
    return event.told_as or event.kind
