"""`python -m tests.simulation --seeds 100 [--first n]`, or `--seed n` for one story."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.cases import rates_of
from tests.simulation.faults import KINDS
from tests.simulation.run import Result, run_seed

ENOUGH = 100
"""In so many runs every kind of fault must strike."""


def main() -> int:
    """Exit code 1 if a promise was broken, or a kind of fault never struck in a run of a hundred seeds or more."""
    parser = argparse.ArgumentParser(prog="make sim", description="Run the actors under faults on a virtual clock.")
    parser.add_argument("--seeds", type=int, default=100, help="how many runs")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="repeat one run and print its story")
    parser.add_argument("--rates", default="", help="of faults in that run, as in `webhook.lost=1 provider.late=0.3`")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return one(arguments.seed, rates_of(arguments.rates.split()))
    return many(range(arguments.first, arguments.first + arguments.seeds))


def one(seed: int, rates: Mapping[str, float]) -> int:
    result = run_seed(seed, rates, told=True)
    print(result.story)
    print(f"seed {seed}: {result.error or 'all promises kept'}, digest {result.digest}")
    return 1 if result.error else 0


def many(seeds: range) -> int:
    began, fired, broken, done = time.monotonic(), Counter[str](), list[int](), 0
    for result in results(seeds):
        done += 1
        fired.update(result.fired)
        if result.error:
            broken.append(result.seed)
            print(f"make sim SEED={result.seed}: {result.error}", flush=True)
        if done % 50 == 0:
            print(f"{done} of {len(seeds)} seeds, {done / (time.monotonic() - began):.1f} a second", flush=True)
    seconds = time.monotonic() - began
    print(f"{done} seeds in {seconds:.1f} s, {done / seconds:.1f} a second, {len(broken)} broken: {sorted(broken)}")
    print("faults: " + ", ".join(f"{kind} {fired[kind]}" for kind in KINDS))
    silent = [kind for kind in KINDS if not fired[kind]] if len(seeds) >= ENOUGH else []
    if silent:
        print(f"never struck: {', '.join(silent)}")
    return 1 if broken or silent else 0


def results(seeds: range) -> Iterator[Result]:
    """On all cores, as they come in the order of the seeds."""
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        yield from workers.map(run_seed, seeds, chunksize=5)


if __name__ == "__main__":
    sys.exit(main())
