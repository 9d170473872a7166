"""The promises of product.md under faults. `make sim` runs more seeds of the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.__main__ import many, one
from tests.simulation.cases import hard_cases, run_case
from tests.simulation.faults import BEYOND, CALLS, EVENTS, KINDS, SESSIONS, Faults
from tests.simulation.run import Result

ROOT = Path(__file__).parent.parent.parent
SEEDS = range(100)


@pytest.mark.timeout(300)
def test_every_promise_is_kept_and_every_kind_of_fault_strikes(capsys: pytest.CaptureFixture[str]) -> None:
    assert many(SEEDS) == 0, capsys.readouterr().out


@pytest.mark.parametrize("case", hard_cases())
def test_what_was_broken_once_is_not_again(case: str) -> None:
    result = run_case(case)
    assert result.error is None, result.story


def test_a_seed_is_told_byte_for_byte_the_same_whatever_the_hash_seed() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seed", "3"]
    told = [
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    ]
    assert b"last port calls" in told[0].stdout
    assert told[0].stdout == told[1].stdout


def test_a_run_says_what_is_broken_and_how_to_repeat_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = run_case("crash")
    broken = Result(7, "d", sound.fired, 1, 1.0, 1, "a recorder was left running", "the story")
    monkeypatch.setattr("tests.simulation.__main__.results", lambda seeds: iter([broken]))
    assert many(range(7, 8)) == 1
    said = capsys.readouterr().out
    assert "make sim SEED=7: a recorder was left running" in said
    monkeypatch.setattr("tests.simulation.__main__.run_seed", lambda seed, rates, told: broken)
    assert one(7, {}) == 1
    assert "the story" in capsys.readouterr().out


def test_a_run_fails_when_a_kind_of_fault_never_struck(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = run_case("crash")
    monkeypatch.setattr("tests.simulation.__main__.results", lambda seeds: (calm for _ in seeds))
    assert many(range(100)) == 1
    assert "never struck" in capsys.readouterr().out


def test_a_case_may_name_rates_which_are_then_not_drawn() -> None:
    calm = " ".join(f"{kind}=0" for kind in (*CALLS, *SESSIONS, *EVENTS))
    assert not run_case(f"seed 4 with {calm}").fired
    assert set(run_case(f"seed 4 with {calm} webhook.lost=1").fired) == {"webhook.lost"}
    drawn, given = Faults.drawn(4).rates, Faults.drawn(4, {"webhook.lost": 0.7}).rates
    assert given == {**drawn, "webhook.lost": 0.7}


def test_what_the_service_rules_out_befalls_only_a_case_that_names_it() -> None:
    assert BEYOND
    for kind in BEYOND:
        assert kind not in Faults.drawn(4).rates
        assert run_case(f"seed 4 with {kind}=0.01").fired[kind]


def test_a_rate_of_no_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no such fault"):
        run_case("seed 4 with webhook.gone=1")


def test_a_kind_of_fault_that_is_added_leaves_the_dice_of_the_others() -> None:
    alone, beside = Faults("1", {"webhook.lost": 0.5}), Faults("1", {"webhook.lost": 0.5, "hint.lost": 0.5})
    struck = [
        (alone.strikes("webhook.lost"), beside.strikes("hint.lost"), beside.strikes("webhook.lost")) for _ in KINDS
    ]
    assert [first for first, _, _ in struck] == [last for _, _, last in struck]
