"""What can be run and named: a seed, or a start and a stop in which the node dies at given crossings of the wire.

A seed may name rates of faults that are then not drawn, so that what is rare can be looked for.
"""

from collections.abc import Sequence
from pathlib import Path

from tests.simulation.run import Result, run_crashes, run_seed

HARD = Path(__file__).parent / "seeds.txt"

CRASHES_MAX = 120
"""So many single crashes are tried before seeds when something is sought."""


def run_case(case: str, *, told: bool = False) -> Result:
    """`seed 17`, `seed 17 with webhook.lost=1 provider.late=0.3`, or `crash 3 9`."""
    kind, *numbers = case.split()
    if kind == "seed":
        return run_seed(int(numbers[0]), rates_of(numbers[2:]), told=told)
    return run_crashes(frozenset(map(int, numbers)), told=told)


def rates_of(words: Sequence[str]) -> dict[str, float]:
    """`webhook.lost=1` and so on."""
    return {kind: float(rate) for kind, _, rate in (word.partition("=") for word in words)}


def first_broken(first: int, seeds: int, rates: str = "") -> tuple[str, str] | None:
    """The first case in which a promise is broken, and which one; crashes at one point each are tried before seeds, unless
    it is to be a seed with those rates."""
    crashes = [] if rates else [f"crash {point}" for point in range(1, CRASHES_MAX)]
    with_rates = f" with {rates}" if rates else ""
    for case in [*crashes, *(f"seed {seed}{with_rates}" for seed in range(first, first + seeds))]:
        error = run_case(case).error
        if error is not None:
            return case, error
    return None


def hard_cases() -> list[str]:
    """Those that once broke a promise."""
    lines = (line for line in HARD.read_text().splitlines() if line and not line.startswith("#"))
    return [line.partition("\t")[0] for line in lines]
