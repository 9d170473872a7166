"""The promises of product.md under faults. `make sim` runs more seeds of the same."""

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.faults import KINDS, Faults
from tests.simulation.run import run_seed

SEEDS = range(40)
ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("chunk", range(4))
def test_every_promise_is_kept_under_faults(chunk: int) -> None:
    for seed in SEEDS[chunk::4]:
        result = run_seed(seed)
        assert result.error is None, f"make sim SEED={seed}\n{result.story}"


def test_every_kind_of_fault_strikes() -> None:
    fired: Counter[str] = Counter()
    for seed in SEEDS:
        fired.update(run_seed(seed).fired)
        if all(fired[kind] for kind in KINDS):
            return
    pytest.fail(f"never struck: {[kind for kind in KINDS if not fired[kind]]}")


@pytest.mark.parametrize("first", [1, 21, 41, 61])
@pytest.mark.parametrize("seed", [7, 11])
def test_a_crash_at_each_port_call_in_turn_breaks_nothing(seed: int, first: int) -> None:
    """No other fault: the node dies once, at the k-th crossing of the wire, for every k of the beginning of a run."""
    for crash_at in range(first, first + 20):
        result = run_seed(seed, crash_at, Faults(random.Random(seed)))
        assert result.error is None, f"crash at {crash_at}\n{result.story}"


def test_a_seed_repeats_exactly_whatever_the_hash_seed() -> None:
    code = "from tests.simulation.run import run_seed; print(run_seed(3).digest)"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1
    assert digests.pop().strip()
