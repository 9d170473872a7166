"""How a change of the spec reaches its recorder: what each event leaves to be told.

What the recorder had is kept until it has confirmed what is wanted now, whatever was sent meanwhile: after an answer that was
lost, or a crash, it may have either.
"""

from dataclasses import replace
from typing import TypeVar

from actors.domain.model import Attempt, Layout, Recording, Subscription, Update
from actors.domain.update_events import RecorderUpdated, RecordingUpdated, UpdateDeferred, UpdateRefused

UpdateEvent = RecordingUpdated | RecorderUpdated | UpdateDeferred | UpdateRefused

Part = TypeVar("Part", Subscription, Layout)


def apply_update(recording: Recording, event: UpdateEvent, at_ms: int) -> Recording:
    """The recording after the event, apart from phase and version."""
    attempt = recording.attempt
    if isinstance(event, RecordingUpdated):
        spec = replace(recording.spec, subscribe=event.subscribe, layout=event.layout)
        # Before there is a resource no start has been sent, and the first one says what is wanted then.
        if attempt is not None and attempt.resource_id is not None:
            attempt = replace(attempt, update=_owed(recording, attempt, event, at_ms))
        return replace(recording, spec=spec, attempt=attempt)
    assert attempt is not None, "an answer to an update is one of an attempt"
    return replace(recording, attempt=replace(attempt, update=_answered(recording, attempt.update, event, at_ms)))


def _owed(recording: Recording, attempt: Attempt, event: RecordingUpdated, at_ms: int) -> Update:
    spec, before = recording.spec, attempt.update
    return replace(
        before,
        subscribe=_had(before.subscribe, spec.subscribe, event.subscribe),
        layout=_had(before.layout, spec.layout or Layout(), event.layout or Layout()),
        sure_at_ms=event.sure_at_ms,
        tries=0,
        check_at_ms=at_ms,
        refusal=event.refusal,
    )


def _had(owed: Part | None, old: Part, new: Part) -> Part | None:
    if owed is not None:
        return owed
    return None if new == old else old


def _answered(
    recording: Recording, update: Update, event: RecorderUpdated | UpdateDeferred | UpdateRefused, at_ms: int
) -> Update:
    match event:
        case UpdateDeferred():
            return replace(update, tries=update.tries + 1, check_at_ms=event.check_at_ms)
        case UpdateRefused(call="update"):
            return replace(update, subscribe=None, subscribe_again=False)
        case UpdateRefused():
            return replace(update, layout=None, layout_again=False)
        case RecorderUpdated(subscribe=Subscription() as has):
            owed = None if has == recording.spec.subscribe else has
            update = replace(update, subscribe=owed, subscribe_again=at_ms < update.sure_at_ms)
        case RecorderUpdated(layout=Layout() as shows):
            owed_layout = None if shows == recording.spec.layout else shows
            update = replace(update, layout=owed_layout, layout_again=at_ms < update.sure_at_ms)
    return replace(update, answered_at_ms=at_ms, tries=0, check_at_ms=at_ms)
