"""Makes sense of answers, and reports those that make none: not one that service, gateway or proxy are known to give
(reference 1.5, 7), about another session, or of a time that has not come."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from actors.domain.outcomes import Ambiguous, Done, Outcome, Seen
from clients.agora.answers import OBJECT, Answer
from clients.agora.oddities import Oddities, shape_of
from clients.agora.outcomes import outcome_of

LIKE_STATUSES = (200, 400, 401, 404, 405, 406, 500, 501, 502, 504)
CODES = frozenset(
    (2, 7, 8, 15, 49, 50, 52, 53, 62, 65, 109, 110, 432, 433, 435, 1001, 1003, 1013, 1028, *LIKE_STATUSES)
)
"""The service's own, the older ones too (reference 7.2, 7.3); some look like a status (1.5)."""
STATUSES = frozenset((200, 201, 206, 400, 401, 403, 404, 415, 429, 500, 501, 502, 503, 504))
AHEAD_MS = 60_000
"""By so much the provider's clock may be ahead of ours."""


class Sense:
    """`now_ms` is in Unix milliseconds."""

    def __init__(self, oddities: Oddities, now_ms: Callable[[], int]) -> None:
        self._oddities = oddities
        self._now_ms = now_ms

    def outcome(self, call: str, answer: Answer, sid: str | None = None) -> Outcome[Any]:
        """What the answer to a call means, which was about the session `sid`."""
        outcome = outcome_of(call, answer)
        kind = oddity_of(answer, outcome)
        if sid is not None and answer.body.get("sid", sid) != sid:
            kind, outcome = "sid", Ambiguous(f"{answer.summary}, about another session")
        elif isinstance(outcome, Done) and isinstance(outcome.value, Seen) and self._is_to_come(outcome.value):
            kind, outcome = "time", Done(replace(outcome.value, slice_started_at_ms=None))
        if kind is not None:
            self._oddities.note(call, kind, shape_of_answer(answer))
        return outcome

    def _is_to_come(self, seen: Seen) -> bool:
        return (seen.slice_started_at_ms or 0) > self._now_ms() + AHEAD_MS


def oddity_of(answer: Answer, outcome: Outcome[object]) -> str | None:
    """The kind of nonsense, None if it makes sense: `huge`, a form that is no object, `status`, `code`, or `fields`."""
    if answer.form != OBJECT:
        return answer.form
    if answer.status not in STATUSES:
        return "status"
    if answer.code is None and answer.body.get("code") not in (None, 0):
        return "code"
    if answer.code is not None and answer.code not in CODES:
        return "code"
    return "fields" if answer.status == 200 and isinstance(outcome, Ambiguous) else None


def shape_of_answer(answer: Answer) -> str:
    """For the log: status, code and shape."""
    code = "" if answer.code is None else f", code {answer.code}"
    return f"{answer.status}{code}, {shape_of(answer.body) if answer.form == OBJECT else answer.form}"
