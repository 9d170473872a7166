"""Changes of a live recording: what users ask for, and what the provider answers to it.

An update overwrites, so what is not clear is sent again, always as it is wanted by then (reference 5).
"""

from dataclasses import replace

from actors.domain.commands import Accepted, Refused, Reply, UpdateAnswered, UpdateRecording
from actors.domain.model import Attempt, Failure, Layout, Phase, Recording, RecordingSpec, State, Subscription, Update
from actors.domain.outcomes import Ambiguous, Done, Rejected, RetryLater
from actors.domain.projections import is_told, state_of
from actors.domain.rules.draft import Draft
from actors.domain.update_events import RecorderUpdated, RecordingUpdated, UpdateDeferred, UpdateRefused


def update(draft: Draft, command: UpdateRecording) -> Reply:
    """By field: what is not given stays. The recorder is told afterwards, and what it has already is no news."""
    live = draft.meeting.live
    if live is None:
        return Refused("no_active_recording")
    pointer = _misfit(live.spec, command)
    if pointer is not None:
        return Refused("validation_failed", pointer=pointer)
    state = state_of(live)
    if state not in (State.ACTIVE, State.PAUSED):
        return Refused("recording_not_active", live.recording_id, retryable=state is State.STARTING)
    subscribe, layout = replace(live.spec.subscribe, **command.subscribe), live.spec.layout
    if command.layout:
        layout = replace(layout or Layout(), **command.layout)
    _want(draft, live, subscribe, layout)
    return Accepted(live.recording_id)


def update_answered(draft: Draft, command: UpdateAnswered) -> None:
    """The recorder has it; or it is sent again; or what it had before is wanted again."""
    recording, attempt = draft.attempt_of(command.recording_id, command.attempt, Phase.CONFIRMING, Phase.ACTIVE)
    if recording is None or attempt is None:
        return
    match command.outcome:
        case Done():
            _taken(draft, recording, attempt, command.sent)
        case Rejected(failure) if _is_wanted(recording.spec, command.sent):
            _refused(draft, recording, attempt, command.sent, failure)
        case Ambiguous() | RetryLater() | Rejected() as outcome:
            _defer(draft, recording, attempt, command.sent, outcome)


def _misfit(spec: RecordingSpec, command: UpdateRecording) -> str | None:
    """Where the command speaks of a picture that is not recorded."""
    if spec.streams == "audio_video":
        return None
    if command.layout is not None:
        return "/layout"
    return "/subscribe/video" if command.subscribe.get("video") is not None else None


def _is_wanted(spec: RecordingSpec, sent: Subscription | Layout) -> bool:
    return sent in (spec.subscribe, spec.layout)


def _want(
    draft: Draft,
    recording: Recording,
    subscribe: Subscription,
    layout: Layout | None,
    refusal: Failure | None = None,
) -> None:
    if (subscribe, layout) == (recording.spec.subscribe, recording.spec.layout):
        return
    update = Update() if recording.attempt is None else recording.attempt.update
    quiet = is_told(recording) and not update.subscribe_again and not update.layout_again
    last_sent_ms = update.answered_at_ms if quiet else draft.now_ms
    draft.emit(
        RecordingUpdated(
            recording_id=recording.recording_id,
            subscribe=subscribe,
            layout=layout,
            sure_at_ms=last_sent_ms + draft.policy.update_settle_ms,
            refusal=refusal,
        )
    )


def _taken(draft: Draft, recording: Recording, attempt: Attempt, sent: Subscription | Layout) -> None:
    call = _call(sent)
    draft.emit(
        RecorderUpdated(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            subscribe=sent if isinstance(sent, Subscription) else None,
            layout=sent if isinstance(sent, Layout) else None,
            evidence=f"the answer to {call}",
        )
    )


def _refused(
    draft: Draft, recording: Recording, attempt: Attempt, sent: Subscription | Layout, failure: Failure
) -> None:
    """Back to what the recorder had, which is sent too: an earlier change may have been done unseen."""
    spec, had = recording.spec, attempt.update
    before = had.subscribe if isinstance(sent, Subscription) else had.layout
    if before is None or before == sent:
        draft.emit(
            UpdateRefused(
                recording_id=recording.recording_id, attempt=attempt.number, call=_call(sent), failure=failure
            )
        )
    elif isinstance(before, Subscription):
        _want(draft, recording, before, spec.layout, failure)
    else:
        _want(draft, recording, spec.subscribe, before, failure)


def _defer(
    draft: Draft,
    recording: Recording,
    attempt: Attempt,
    sent: Subscription | Layout,
    outcome: Ambiguous | RetryLater | Rejected,
) -> None:
    pause_ms = draft.pause_ms(draft.policy.update_delays_ms, attempt.update.tries)
    match outcome:
        case Ambiguous(why):
            pass
        case RetryLater(why, _, after_ms):
            pause_ms = max(pause_ms, after_ms or 0)
        case Rejected(failure):
            why = f"refused, and no longer wanted: {failure.message}"
    draft.emit(
        UpdateDeferred(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            call=_call(sent),
            why=why,
            check_at_ms=draft.now_ms + pause_ms,
        )
    )


def _call(sent: Subscription | Layout) -> str:
    return "update" if isinstance(sent, Subscription) else "updateLayout"
