"""What the passing of time demands. A deadline never flips a state blindly: it leads to the next question to ask."""

from actors.domain.model import Attempt, EndReason, Phase, Recording, Want
from actors.domain.rules.draft import Draft
from actors.domain.rules.eviction import end
from actors.domain.rules.steps import NEVER_STARTED, abort, evict, fail, leave, open_attempt, request_stop

SYSTEM = "tapedeck"
"""Who stops a recording when a limit does."""


def woken(draft: Draft) -> None:
    """Apply every rule whose time has come."""
    eviction = draft.meeting.evicting
    if eviction is not None and draft.now_ms >= eviction.until_ms:
        end(draft, eviction, "a late start can no longer be acted on")
    open_attempt(draft)
    live = draft.meeting.live
    if live is not None and live.deadline_at_ms is not None and draft.now_ms >= live.deadline_at_ms:
        _overdue(draft, live)


def _overdue(draft: Draft, live: Recording) -> None:
    attempt = live.attempt
    if live.want is Want.STOP:
        _stop_overdue(draft, live, attempt)
    elif live.phase is Phase.ACTIVE:
        request_stop(draft, live, SYSTEM, EndReason.MAX_DURATION)
    elif live.phase is Phase.CONFIRMING:
        request_stop(draft, live, SYSTEM, EndReason.NEVER_STARTED)
    else:
        _start_overdue(draft, live, attempt)


def _start_overdue(draft: Draft, live: Recording, attempt: Attempt | None) -> None:
    failure = live.trouble or NEVER_STARTED
    if live.phase is Phase.STARTING and attempt is not None:
        evict(draft, live, attempt, "no answer to its start by the deadline")
    fail(draft, draft.again(live), failure, "not started by the deadline")


def _stop_overdue(draft: Draft, live: Recording, attempt: Attempt | None) -> None:
    assert attempt is not None, "a recording without an attempt ends when its stop is asked for"
    if live.phase is Phase.STARTING:
        evict(draft, live, attempt, "its sid was not learnt by the deadline of the stop")
        abort(draft, draft.again(live), "no proof that it ever started")
    else:
        leave(draft, live, attempt, "no proof of exit by the deadline")
        evict(draft, draft.again(live), attempt, "no proof of exit by the deadline of the stop")
