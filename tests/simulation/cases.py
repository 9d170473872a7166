"""What can be run and named: a seed, or a start and a stop in which the node dies at given crossings of the wire."""

from pathlib import Path

from tests.simulation.run import Result, run_crashes, run_seed

HARD = Path(__file__).parent / "seeds.txt"

CRASHES_MAX = 120
"""So many single crashes are tried before seeds when something is sought."""


def run_case(case: str, *, told: bool = False) -> Result:
    """`seed 17`, or `crash 3 9`."""
    kind, *numbers = case.split()
    if kind == "seed":
        return run_seed(int(numbers[0]), told=told)
    return run_crashes(frozenset(map(int, numbers)), told=told)


def first_broken(first: int, seeds: int) -> tuple[str, str] | None:
    """The first case in which a promise is broken, and which one; crashes at one point each are tried before seeds."""
    crashes = [f"crash {point}" for point in range(1, CRASHES_MAX)]
    for case in [*crashes, *(f"seed {seed}" for seed in range(first, first + seeds))]:
        error = run_case(case).error
        if error is not None:
            return case, error
    return None


def hard_cases() -> list[str]:
    """Those that once broke a promise."""
    lines = (line for line in HARD.read_text().splitlines() if line and not line.startswith("#"))
    return [line.partition("\t")[0] for line in lines]
