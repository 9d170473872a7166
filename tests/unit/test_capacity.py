"""What the provider's answers to acquire say of its capacity."""

import pytest

from actors.capacity import Capacity, Full
from actors.domain.model import Failure, FailureCode
from actors.domain.outcomes import Acquired, Ambiguous, Done, Limit, Outcome, Rejected, RetryLater

NO = Failure(FailureCode.CAPACITY, "full", retryable=True)
FULL = RetryLater("HTTP 400, code 406", NO, limit=Limit.RECORDERS)
SLOWER = RetryLater("HTTP 429", NO, limit=Limit.REQUESTS)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0
        self.capacity = Capacity(20.0, 300.0, lambda: self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_nothing_is_known_before_an_answer(clock: Clock) -> None:
    assert clock.capacity.full is None


@pytest.mark.parametrize(("answer", "limit"), [(FULL, Limit.RECORDERS), (SLOWER, Limit.REQUESTS)])
def test_it_is_full_for_the_pause_and_then_forgotten(clock: Clock, answer: RetryLater, limit: Limit) -> None:
    clock.capacity.heard(answer)
    assert clock.capacity.full == Full(limit, 20.0)
    clock.seconds += 19.5
    assert clock.capacity.full == Full(limit, 0.5)
    clock.seconds += 0.5
    assert clock.capacity.full is None


def test_a_resource_ends_it_at_once(clock: Clock) -> None:
    clock.capacity.heard(FULL)
    clock.capacity.heard(Done(Acquired("res")))
    assert clock.capacity.full is None


def test_every_refusal_begins_the_pause_anew(clock: Clock) -> None:
    clock.capacity.heard(FULL)
    clock.seconds += 15
    clock.capacity.heard(SLOWER)
    assert clock.capacity.full == Full(Limit.REQUESTS, 20.0)


@pytest.mark.parametrize(("after_ms", "seconds"), [(1_000, 20.0), (45_000, 45.0), (99_999_000, 300.0)])
def test_the_providers_own_wait_counts_up_to_a_limit(clock: Clock, after_ms: int, seconds: float) -> None:
    clock.capacity.heard(RetryLater("HTTP 429", NO, after_ms, Limit.REQUESTS))
    assert clock.capacity.full == Full(Limit.REQUESTS, seconds)


@pytest.mark.parametrize("answer", [Ambiguous("lost"), RetryLater("HTTP 503", NO, 60_000), Rejected(NO)])
def test_other_answers_prove_nothing(clock: Clock, answer: Outcome[Acquired]) -> None:
    clock.capacity.heard(answer)
    assert clock.capacity.full is None
    clock.capacity.heard(FULL)
    clock.capacity.heard(answer)
    assert clock.capacity.full == Full(Limit.RECORDERS, 20.0)
