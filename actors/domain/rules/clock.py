"""What the passing of time demands. A deadline never flips a state blindly: it leads to the next question to ask."""

from actors.domain.model import Attempt, EndReason, Failure, FailureCode, Phase, Recording, Want
from actors.domain.rules import eviction
from actors.domain.rules.draft import Draft
from actors.domain.rules.eviction import evict
from actors.domain.rules.steps import NEVER_STARTED, SYSTEM, finish, leave, open_attempt, request_stop

HINDERED = Failure(
    FailureCode.NEVER_STARTED, "An earlier recorder of this meeting may still be there, and could not be put out.", True
)


def woken(draft: Draft) -> None:
    """Apply every rule whose time has come."""
    eviction.woken(draft)
    open_attempt(draft)
    live = draft.meeting.live
    if live is None:
        return
    if live.deadline_at_ms is not None and draft.now_ms >= live.deadline_at_ms:
        _overdue(draft, live)
    elif live.attempt is not None and live.attempt.until_ms is not None and draft.now_ms >= live.attempt.until_ms:
        _fruitless(draft, live, live.attempt)


def _fruitless(draft: Draft, live: Recording, attempt: Attempt) -> None:
    """It has not come to anything in its time: another is tried, or, where the end is wanted, none."""
    why = "its sid was not learnt" if live.phase is Phase.STARTING else "it was not seen to capture"
    evict(draft, live, attempt, f"{why} in time")
    live = draft.again(live)
    if live.want is Want.STOP:
        finish(draft, live, "stopped before its sid was learnt")
    else:
        open_attempt(draft)


def _overdue(draft: Draft, live: Recording) -> None:
    attempt = live.attempt
    if live.want is Want.STOP:
        _stop_overdue(draft, live, attempt)
    elif live.started_at_ms is not None:
        request_stop(draft, live, SYSTEM, EndReason.MAX_DURATION)
    elif live.phase is Phase.CONFIRMING:
        request_stop(draft, live, SYSTEM, EndReason.NEVER_STARTED)
    else:
        _start_overdue(draft, live, attempt)


def _start_overdue(draft: Draft, live: Recording, attempt: Attempt | None) -> None:
    failure = live.trouble or (NEVER_STARTED if draft.meeting.fenced else HINDERED)
    if live.phase is Phase.STARTING and attempt is not None:
        evict(draft, live, attempt, "no answer to its start by the deadline")
    finish(draft, draft.again(live), "not started by the deadline", failure)


def _stop_overdue(draft: Draft, live: Recording, attempt: Attempt | None) -> None:
    assert attempt is not None, "a recording without an attempt ends when its stop is asked for"
    if live.phase is Phase.STARTING:
        evict(draft, live, attempt, "its sid was not learnt by the deadline of the stop")
        finish(draft, draft.again(live), "no proof that it ever started")
    else:
        leave(draft, live, attempt, "no proof of exit by the deadline")
        evict(draft, draft.again(live), attempt, "no proof of exit by the deadline of the stop")
