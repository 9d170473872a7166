"""The mutants fit the code as it is; `make sim-mutants` runs all of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.mutate import Moved, caught, mutate

ENOUGH = 15


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_rule_stands_where_its_mutant_looks_for_it(mutant: Mutant, tmp_path: Path) -> None:
    mutate(mutant, tmp_path)
    text = (tmp_path / mutant.file).read_text()
    compile(text, mutant.file, "exec")
    assert mutant.new in text


def test_there_are_enough_of_them_and_each_has_a_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= ENOUGH


def test_a_rule_that_has_moved_is_no_rule_that_was_caught(tmp_path: Path) -> None:
    with pytest.raises(Moved, match="the rule has moved: gone: 0 times"):
        mutate(replace(MUTANTS[0], name="gone", old="no such line"), tmp_path)


def test_a_mutant_is_caught_by_its_case_and_the_sound_code_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "command mark not stored")
    assert caught(mutant)
    assert f"{mutant.name}: caught, {mutant.case}" in capsys.readouterr().out
    assert not caught(replace(mutant, new=mutant.old))
    assert "NOT CAUGHT" in capsys.readouterr().out
