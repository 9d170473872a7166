"""The table from (call, HTTP status, code) to outcome. The first row that fits decides.

What fits none is ambiguous: a 5xx of all calls but acquire (reference 7.5), a 2xx that nobody documents (13), a redirect. A rule
that may have been made is made again: a second equal one is harmless, and the list of rules may miss it (channel management 1.3).
201 and 206 are failures although they are 2xx, and a code of the body need not equal the status (reference 1.5, 7.2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.domain.model import Failure, FailureCode
from actors.domain.outcomes import (
    Acquired,
    AlreadyRunning,
    Ambiguous,
    Banned,
    Done,
    Leaving,
    Limit,
    NotFound,
    NothingRecorded,
    Outcome,
    Rejected,
    ResourceUnusable,
    RetryLater,
    Seen,
    Started,
    Stopped,
    Updated,
)
from clients.agora.answers import Answer
from clients.agora.reading import (
    is_of_session,
    members_of,
    resource_id_of,
    rule_id_of,
    sid_of,
    slice_started_at_ms_of,
    status_of,
    uploading_of,
)

Make = Callable[[Answer], Outcome[Any]]
ANY = None
NO_CODE = 0
"""In the code's place: the body holds none, so the gateway spoke (reference 1.5)."""


@dataclass(frozen=True, slots=True)
class Row:
    """`call`, `status` and `code` may be ANY. `status` 5 and 2 stand for 5xx and 2xx. `source`: section of the reference; CM:
    of channel management."""

    call: str | None
    status: int | None
    code: int | None
    make: Make
    source: str

    def fits(self, call: str, answer: Answer) -> bool:
        """Whether this row decides."""
        if self.call is not ANY and self.call != call:
            return False
        if self.status is not ANY and self.status not in (answer.status, answer.status // 100):
            return False
        return self.code is ANY or self.code == (answer.code or NO_CODE)


def outcome_of(call: str, answer: Answer) -> Outcome[Any]:
    """What the answer to a call means."""
    return next((row.make(answer) for row in TABLE if row.fits(call, answer)), _ambiguous(answer))


def _failure(code: FailureCode, answer: Answer, *, retryable: bool) -> Failure:
    return Failure(code, f"Agora answered {answer.summary}.", retryable)


def _ambiguous(answer: Answer) -> Outcome[Any]:
    return Ambiguous(answer.summary)


def _rejected(answer: Answer) -> Outcome[Any]:
    return Rejected(_failure(FailureCode.PROVIDER_REJECTED, answer, retryable=False))


def _unauthorized(answer: Answer) -> Outcome[Any]:
    return Rejected(_failure(FailureCode.PROVIDER_UNAUTHORIZED, answer, retryable=False))


def _no_route(answer: Answer) -> Outcome[Any]:
    """The gateway says so in JSON; a page of some proxy in between says nothing about the call."""
    return _rejected(answer) if "message" in answer.body else _ambiguous(answer)


def _full(limit: Limit) -> Make:
    def full(answer: Answer) -> Outcome[Any]:
        failure = _failure(FailureCode.CAPACITY, answer, retryable=True)
        return RetryLater(answer.summary, failure, answer.retry_after_ms, limit)

    return full


def _unavailable(answer: Answer) -> Outcome[Any]:
    failure = _failure(FailureCode.PROVIDER_UNAVAILABLE, answer, retryable=True)
    return RetryLater(answer.summary, failure, answer.retry_after_ms)


def _acquired(answer: Answer) -> Outcome[Any]:
    resource_id = resource_id_of(answer.body)
    return Done(Acquired(resource_id)) if resource_id else _ambiguous(answer)


def _started(answer: Answer) -> Outcome[Any]:
    sid = sid_of(answer.body)
    return Done(Started(sid)) if sid else Ambiguous(f"{answer.summary} without a sid")


def _already_running(answer: Answer) -> Outcome[Any]:
    return Done(AlreadyRunning(answer.code or 0))


def _unusable(answer: Answer) -> Outcome[Any]:
    return Done(ResourceUnusable(answer.code or 0, answer.reason))


def _failed_worker(answer: Answer) -> Outcome[Any]:
    return Done(ResourceUnusable(answer.code or 0, answer.reason, may_run=True))


def _seen(answer: Answer) -> Outcome[Any]:
    status = status_of(answer.body)
    return _ambiguous(answer) if status is None else Done(Seen(status, slice_started_at_ms_of(answer.body)))


def _stopped(answer: Answer) -> Outcome[Any]:
    return Done(Stopped(uploading_of(answer.body))) if is_of_session(answer.body) else _ambiguous(answer)


def _updated(answer: Answer) -> Outcome[Any]:
    return Done(Updated()) if is_of_session(answer.body) else _ambiguous(answer)


def _banned(answer: Answer) -> Outcome[Any]:
    rule_id = rule_id_of(answer.body)
    return Done(Banned(rule_id)) if rule_id else _ambiguous(answer)


def _members(answer: Answer) -> Outcome[Any]:
    members = members_of(answer.body)
    return Done(members) if members is not None else _ambiguous(answer)


def _not_found(_: Answer) -> Outcome[Any]:
    return Done(NotFound())


def _nothing(_: Answer) -> Outcome[Any]:
    return Done(NothingRecorded())


def _leaving(_: Answer) -> Outcome[Any]:
    return Done(Leaving())


TABLE: tuple[Row, ...] = (
    Row(ANY, 401, ANY, _unauthorized, "7.1"),
    Row("acquire", 429, ANY, _full(Limit.REQUESTS), "7.1"),
    Row(ANY, 429, ANY, _unavailable, "7.1"),
    Row(ANY, ANY, 406, _full(Limit.RECORDERS), "7.2"),
    Row(ANY, 404, NO_CODE, _no_route, "7.1"),
    Row("acquire", 200, ANY, _acquired, "2"),
    Row("acquire", 400, 62, _unavailable, "7.3"),
    Row("acquire", 400, ANY, _rejected, "7.1, 7.2"),
    Row("acquire", 5, ANY, _unavailable, "7.2"),
    Row("start", 200, ANY, _started, "3.8"),
    Row("start", ANY, 7, _already_running, "7.2, 7.4"),
    Row("start", ANY, 53, _already_running, "7.2, 7.4"),
    Row("start", ANY, 432, _unusable, "7.3"),
    Row("start", ANY, 433, _unusable, "7.3"),
    Row("start", ANY, 1001, _unusable, "7.3"),
    Row("start", ANY, 1003, _unusable, "7.3"),
    Row("start", 500, 502, _failed_worker, "7.2, 12.3"),
    Row("start", ANY, 65, _ambiguous, "7.2"),
    Row("start", ANY, 62, _ambiguous, "7.2"),
    Row("start", 400, ANY, _rejected, "7.1, 7.2"),
    Row("query", 200, ANY, _seen, "4"),
    Row("query", 404, 404, _not_found, "4.3, 7.2"),
    Row("stop", 200, ANY, _stopped, "6.1"),
    Row("stop", ANY, 435, _nothing, "6.2"),
    Row("stop", ANY, 49, _leaving, "6.2"),
    Row("stop", 404, 404, _not_found, "6.2"),
    Row("stop", ANY, 50, _ambiguous, "6"),
    Row("stop", ANY, 65, _ambiguous, "6.2"),
    Row("stop", 400, ANY, _rejected, "6.2"),
    Row("query", 400, ANY, _rejected, "7.2"),
    Row("update", 200, ANY, _updated, "5"),
    Row("update", ANY, 65, _ambiguous, "5, 7.2"),
    Row("update", ANY, 62, _ambiguous, "5, 7.2"),
    Row("update", 400, ANY, _rejected, "7.2"),
    Row("updateLayout", 200, ANY, _updated, "5"),
    Row("updateLayout", ANY, 65, _ambiguous, "5, 7.2"),
    Row("updateLayout", ANY, 62, _ambiguous, "5, 7.2"),
    Row("updateLayout", 400, ANY, _rejected, "5.2, 7.2"),
    Row("rule", 200, ANY, _banned, "CM 1.2"),
    Row("rule", 400, ANY, _rejected, "CM 1.5"),
    Row("rule", 403, ANY, _rejected, "CM 1.5"),
    Row("rule", 415, ANY, _rejected, "CM 1.5"),
    Row("users", 200, ANY, _members, "CM 2.2"),
    Row("users", 400, ANY, _rejected, "CM 1.5"),
    Row("users", 403, ANY, _rejected, "CM 1.5"),
)
