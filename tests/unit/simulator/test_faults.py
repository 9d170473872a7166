"""The dice of faults: known names only, repeatable by seed, counted (api.md 7)."""

import pytest

from clients.agora.simulator.faults import NAMES, Faults, UnknownFault

CALLS = ("acquire", "start", "query", "update", "updateLayout", "stop", "rule", "users")


def test_every_call_has_every_kind() -> None:
    lost, http = ("request_lost", "answer_lost", "late", "slow"), ("http_429", "http_500", "http_502_html", "http_503")
    kinds = (*lost, *http, "code_65", "garbage")
    assert {f"{call}.{kind}" for call in CALLS for kind in kinds} <= set(NAMES)
    assert len(NAMES) == len(set(NAMES))


def test_unknown_name_changes_nothing_and_tells_all_names() -> None:
    faults = Faults({"start.slow": 1}, 1)
    with pytest.raises(UnknownFault) as caught:
        faults.replace({"stop.slow": 1, "start.nonsense": 1})
    assert all(name in str(caught.value) for name in ("start.nonsense", *NAMES))
    assert faults.rates == {"start.slow": 1}


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), "1", True, None])
def test_rates_are_probabilities(rate: float) -> None:
    with pytest.raises(UnknownFault, match="from 0 to 1"):
        Faults({"start.slow": rate}, 1)


def test_a_seed_repeats_and_what_strikes_is_counted() -> None:
    first, second = (Faults({"query.slow": 0.5, "query.garbage": 0.2}, 7) for _ in range(2))
    drawn = [first.of_call("query") for _ in range(200)]
    assert drawn == [second.of_call("query") for _ in range(200)]
    assert {name: drawn.count(name) for name in ("query.slow", "query.garbage")} == first.fired
    assert None in drawn


def test_what_another_fault_draws_changes_nothing() -> None:
    alone, beside = (Faults({"query.slow": 0.5, "webhook.lost": 0.5}, 7) for _ in range(2))
    drawn = [alone.of_call("query") for _ in range(50)]
    mixed = []
    for _ in range(50):
        beside.strikes("webhook.lost")
        mixed.append(beside.of_call("query"))
    assert mixed == drawn


def test_an_observer_is_told_of_each_that_strikes() -> None:
    told: list[str] = []
    faults = Faults({"stop.late": 1}, 1, told.append)
    assert [faults.of_call(call) for call in ("stop", "query", "stop")] == ["stop.late", None, "stop.late"]
    assert told == ["stop.late", "stop.late"]


def test_rates_of_one_and_none_are_certain() -> None:
    faults = Faults({"stop.late": 1, "query.slow": 0.0}, None)
    assert [faults.of_call("stop") for _ in range(50)] == ["stop.late"] * 50
    assert [faults.of_call("query") for _ in range(50)] == [None] * 50
    assert faults.of_call("start") is None
    assert faults.fired == {"stop.late": 50}
