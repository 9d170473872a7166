"""What a simulated hour of a node costs, and what one decision of the core does: CPU of this process."""

import argparse
import time
from collections.abc import Callable

from actors.domain.decide import decide
from actors.domain.evolve import evolve
from tests.simulation.run import run_seed
from tests.simulation.stories import Recorded, recorded

TARGET_HOURS = 3.0
"""Simulated hours of a node for each second of CPU, at least."""


def hours_per_second(seeds: range) -> float:
    """Virtual hours that nodes lived, for each second of CPU."""
    began, hours = time.process_time(), 0.0
    for seed in seeds:
        result = run_seed(seed)
        hours += result.nodes * result.seconds / 3600
    return hours / (time.process_time() - began)


def microseconds(work: Callable[[], object], times: int, repeats: int) -> float:
    """CPU of one piece of work, the best of several rounds."""
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, time.process_time() - began)
    return best / times * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    hours = hours_per_second(range(given.seeds))
    print("\nTapedeck's simulation\n\n| | figure | ratio |\n|---|---|---|")
    print(f"| node-hours for each second of CPU | {hours:.2f} | {hours / TARGET_HOURS:.2f} of {TARGET_HOURS:.0f} |")
    story = recorded(0)
    base = microseconds(lambda: _replay(story), 1, given.repeats) / len(story)
    whole = microseconds(lambda: _decide(story), 1, given.repeats) / len(story)
    print(f"| decide and evolve, µs a command, {len(story)} commands | {whole:.1f} | 1 |")
    print(f"| evolve alone, µs a command | {base:.1f} | {whole / max(base, 1e-9):.1f} |")


def _decide(story: list[Recorded]) -> None:
    for each in story:
        after = each.meeting
        for event in decide(each.meeting, each.command, each.moment, each.policy).events:
            after = evolve(after, event, each.moment.at_ms)


def _replay(story: list[Recorded]) -> None:
    for each in story:
        after = each.meeting
        for event in each.events:
            after = evolve(after, event, each.moment.at_ms)


if __name__ == "__main__":
    main()
