"""What happened to a change of a live recording: wanted, taken by the recorder, or not."""

from dataclasses import dataclass

from actors.domain.event import Event
from actors.domain.model import Failure, Layout, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingUpdated(Event):
    """It is to be made differently from here on: what the spec says now. The recorder is told next.

    `refusal`: why the provider would not have what was wanted before; None when a user asked. `sure_at_ms`: by then no call
    with an older spec can arrive any more.
    """

    kind = "recording.updated"
    public = True

    subscribe: Subscription
    layout: Layout | None
    sure_at_ms: int
    refusal: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderUpdated(Event):
    """The recorder has taken what it was sent: the one of the two that is not None."""

    kind = "recorder.updated"
    visible = False

    attempt: int
    subscribe: Subscription | None
    layout: Layout | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDeferred(Event):
    """An answer to an update that decided nothing; what is wanted then goes out at `check_at_ms`."""

    kind = "recorder.update_deferred"
    visible = False

    attempt: int
    call: str
    why: str
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRefused(Event):
    """The provider will not even have what the recorder had before: it is left as it is."""

    kind = "recorder.update_refused"
    visible = False

    attempt: int
    call: str
    failure: Failure
