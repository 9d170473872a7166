"""`Prefer: wait=n` and `Prefer: respond-async` (RFC 7240): how long a caller wants to wait for the outcome."""

import re
from dataclasses import dataclass

from aiohttp import web

_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,1000})\"?", re.ASCII | re.IGNORECASE)


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
    given = [part for header in request.headers.getall("Prefer", []) for part in header.split(",")]
    wanted = [part.partition(";")[0].strip() for part in given]
    if any(part.lower() == "respond-async" for part in wanted):
        return Patience(0, "respond-async")
    for part in wanted:
        match = _WAIT.fullmatch(part)
        if match is not None:
            seconds = min(int(match[1]), int(seconds_max))
            return Patience(seconds, f"wait={seconds}")
    return Patience(default_seconds, None)
