"""Keys to the storage that end: a recorder that writes for longer has to be given others in time (reference 3.5, 5.1).

Only their end is known here, and only that is journaled: the adapter has the keys.
"""

from actors.domain.commands import RekeyAnswered
from actors.domain.key_events import RecorderRekeyed, RekeyDeferred
from actors.domain.model import Phase
from actors.domain.outcomes import Ambiguous, Done, Rejected, RetryLater
from actors.domain.rules.draft import Draft


def rekey_at_ms(draft: Draft, keys_end_at_ms: int | None) -> int | None:
    """When keys that end are to be followed by others: by and by, and a good while before their end."""
    if keys_end_at_ms is None:
        return None
    latest_ms = keys_end_at_ms - draft.policy.rekey_margin_ms
    return max(min(draft.now_ms + draft.policy.rekey_interval_ms, latest_ms), draft.now_ms)


def rekey_answered(draft: Draft, command: RekeyAnswered) -> None:
    """What is not clear, or refused, is tried again for as long as it records: without keys nothing can be written."""
    recording, attempt = draft.attempt_of(command.recording_id, command.attempt, Phase.CONFIRMING, Phase.ACTIVE)
    if recording is None or attempt is None:
        return
    pause_ms = draft.pause_ms(draft.policy.rekey_delays_ms, attempt.rekey_tries)
    match command.outcome:
        case Done(rekeyed):
            draft.emit(
                RecorderRekeyed(
                    recording_id=recording.recording_id,
                    attempt=attempt.number,
                    keys_end_at_ms=rekeyed.keys_end_at_ms,
                    rekey_at_ms=rekey_at_ms(draft, rekeyed.keys_end_at_ms),
                )
            )
            return
        case Ambiguous(why):
            pass
        case RetryLater(why, _, after_ms):
            pause_ms = max(pause_ms, after_ms or 0)
        case Rejected(failure):
            why = failure.message
    draft.emit(
        RekeyDeferred(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            why=why,
            check_at_ms=draft.now_ms + pause_ms,
        )
    )
