"""`Prefer: wait=n` and `Prefer: respond-async` (RFC 7240): how long a caller wants to wait for the outcome."""

import re
from dataclasses import dataclass

from aiohttp import web

_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,1000})\"?", re.ASCII | re.IGNORECASE)


WAITED: web.RequestKey[float] = web.RequestKey("waited", float)
"""Seconds for which the caller has waited at another node before this one was asked."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait; `applied` is what `Preference-Applied` says, None if nothing was preferred."""

    seconds: float
    applied: str | None

    @property
    def is_async(self) -> bool:
        return self.applied == "respond-async"

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.applied is None else {"Preference-Applied": self.applied}


def patience_of(request: web.Request, default_seconds: float, seconds_max: float) -> Patience:
    """The first preference that is understood; others, malformed ones and parameters are ignored as RFC 7240 has it."""
    waited = request.get(WAITED, 0.0)
    given = [part for header in request.headers.getall("Prefer", []) for part in header.split(",")]
    wanted = [part.partition(";")[0].strip() for part in given]
    if any(part.lower() == "respond-async" for part in wanted):
        return Patience(0, "respond-async")
    for part in wanted:
        match = _WAIT.fullmatch(part)
        if match is not None:
            seconds = min(int(match[1]), int(seconds_max))
            return Patience(max(seconds - waited, 0.0), f"wait={seconds}")
    return Patience(max(default_seconds - waited, 0.0), None)
