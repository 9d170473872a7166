"""When an actor fails: try again from the journal, so often; then leave the meeting alone for a while."""

from dataclasses import dataclass

from actors.handle import Handle


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartBudget:
    """So many restarts in so many seconds, then quarantine, each time for longer."""

    restarts_max: int = 3
    window_seconds: float = 60.0
    quarantine_seconds: float = 30.0
    quarantine_seconds_max: float = 600.0


def lift_quarantine(handle: Handle, now: float) -> bool:
    """End the quarantine if its time is over. True if that ended it."""
    if handle.quarantined_until is None or now < handle.quarantined_until:
        return False
    handle.quarantined_until = None
    return True


def note_crash(handle: Handle, now: float, budget: RestartBudget) -> bool:
    """Count a failure. True if the budget is used up, and the meeting quarantined from now on."""
    handle.crashes.append(now)
    forgive(handle, now, budget)
    if len(handle.crashes) <= budget.restarts_max:
        return False
    handle.crashes.clear()
    pause = min(budget.quarantine_seconds * 2**handle.quarantines, budget.quarantine_seconds_max)
    handle.quarantines += 1
    handle.quarantined_until = now + pause
    return True


def forgive(handle: Handle, now: float, budget: RestartBudget) -> None:
    """Failures that are as old as the budget's window count no more."""
    while handle.crashes and now - handle.crashes[0] >= budget.window_seconds:
        handle.crashes.popleft()
