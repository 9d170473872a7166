"""`python -m tests.simulation --seeds 100 [--first n]`, or `--seed n` for one story."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.faults import KINDS
from tests.simulation.run import Result, run_seed, story_of


def main() -> int:
    """Exit code 1 if a promise was broken, or a kind of fault never struck in a run of a hundred seeds or more."""
    parser = argparse.ArgumentParser(prog="make sim", description="Run the actors under faults on a virtual clock.")
    parser.add_argument("--seeds", type=int, default=100, help="how many runs")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="repeat one run and print its story")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return one(arguments.seed)
    return many(range(arguments.first, arguments.first + arguments.seeds))


def one(seed: int) -> int:
    result = run_seed(seed)
    print(result.story or story_of(seed))
    print(f"seed {seed}: {result.error or 'all promises kept'}, digest {result.digest}")
    return 1 if result.error else 0


def many(seeds: range) -> int:
    began, fired, broken = time.monotonic(), Counter[str](), list[Result]()
    for seed in seeds:
        result = run_seed(seed)
        fired.update(result.fired)
        if result.error:
            broken.append(result)
            print(f"seed {seed}: {result.error}", flush=True)
        elif seed % 50 == 49:
            print(f"{seed + 1 - seeds.start} of {len(seeds)} seeds", flush=True)
    print(f"{len(seeds)} seeds in {time.monotonic() - began:.1f} s, {len(broken)} broken")
    print("faults: " + ", ".join(f"{kind} {fired[kind]}" for kind in KINDS))
    silent = [kind for kind in KINDS if not fired[kind]] if len(seeds) >= 100 else []
    if silent:
        print(f"never struck: {', '.join(silent)}")
    return 1 if broken or silent else 0


if __name__ == "__main__":
    sys.exit(main())
