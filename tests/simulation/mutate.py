"""`make sim-mutants`: takes the protective rules out of a copy of the shipped code, one by one, and sees that a case fails.

A case that fails with the rule and one that passes without it are both news: the first a bug, the second a rule that nothing
proves.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.simulation.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parent.parent.parent
COPIED = ("actors", "tests/fakes", "tests/simulation")
"""Packages are found whole or not at all, so what lies beside a fake comes along."""
CAUGHT, SURVIVED = 3, 0
"""Exit codes of a child: a promise was broken, or none. Any other says that the mutant does not even run."""
SECONDS_MAX = 120
SEARCH_SECONDS_MAX = 1800
_CASE = """
import sys
from tests.simulation.cases import run_case
error = run_case(sys.argv[1]).error
print(error or "")
sys.exit(3 if error else 0)
"""
_SEARCH = """
import sys
from tests.simulation.cases import first_broken
found = first_broken(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
print(": ".join(found) if found else "")
sys.exit(3 if found else 0)
"""


class Moved(Exception):
    """The text of a rule is not in its file exactly once."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make sim-mutants", description=__doc__)
    parser.add_argument("--search", type=int, metavar="SEEDS", help="look for the first case that catches each")
    parser.add_argument("--first", type=int, default=0, help="the first seed of the search")
    parser.add_argument(
        "--rates", default="", help="of faults in that search, as in `webhook.lost=1 provider.late=0.3`"
    )
    parser.add_argument("--only", help="mutants whose names hold this")
    given = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if given.only is None or given.only in mutant.name]

    def tried(mutant: Mutant) -> bool:
        return caught(mutant) if given.search is None else found(mutant, given.first, given.search, given.rates)

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        return 0 if all(list(workers.map(tried, chosen))) else 1


def caught(mutant: Mutant) -> bool:
    """Whether its case breaks a promise without the rule, and none with it. Says so in a line."""
    with tempfile.TemporaryDirectory() as copy:
        mutate(mutant, Path(copy))
        code, words = _run(_CASE, [mutant.case], Path(copy))
    if code != CAUGHT:
        print(f"{mutant.name}: NOT CAUGHT by {mutant.case} {words}", flush=True)
        return False
    sound, broke = _run(_CASE, [mutant.case], ROOT)
    if sound != SURVIVED:
        print(f"{mutant.name}: {mutant.case} fails without it too: {broke}", flush=True)
        return False
    print(f"{mutant.name}: caught, {mutant.case}: {words}", flush=True)
    return True


def found(mutant: Mutant, first: int, seeds: int, rates: str) -> bool:
    """Whether there is a case that breaks a promise without the rule. Says which."""
    with tempfile.TemporaryDirectory() as copy:
        mutate(mutant, Path(copy))
        code, words = _run(_SEARCH, [str(first), str(seeds), rates], Path(copy), seconds=SEARCH_SECONDS_MAX)
    print(f"{mutant.name}: {'caught by ' + words if code == CAUGHT else 'NOT CAUGHT ' + words}", flush=True)
    return code == CAUGHT


def mutate(mutant: Mutant, copy: Path) -> None:
    """A copy of the core, and of the simulation with its fakes, without that rule. Raises Moved."""
    for part in COPIED:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests" / "__init__.py", copy / "tests")
    file = copy / mutant.file
    text = file.read_text()
    if text.count(mutant.old) != 1:
        raise Moved(f"the rule has moved: {mutant.name}: {text.count(mutant.old)} times in {mutant.file}")
    file.write_text(text.replace(mutant.old, mutant.new))


def _run(code: str, arguments: Sequence[str], first: Path, seconds: float = SECONDS_MAX) -> tuple[int, str]:
    """A child that finds the core in `first`."""
    command = [sys.executable, "-P", "-c", code, *arguments]
    environment = {**os.environ, "PYTHONPATH": f"{first}{os.pathsep}{ROOT}"}
    try:
        ran = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return CAUGHT, f"it goes on for more than {seconds:.0f} s"
    last = (ran.stderr.strip() or "?").splitlines()[-1]
    return ran.returncode, ran.stdout.strip() if ran.returncode in (CAUGHT, SURVIVED) else f"it does not run: {last}"


if __name__ == "__main__":
    sys.exit(main())
