"""A sweep over many objects and recordings: requests to the store against its pages, memory, and seconds against a bare loop."""

import argparse
import statistics

from benchmarks.measuring import LOAD_CORE, interleaved, pin, run, serving, table
from benchmarks.sink import PAGE

PEERS = ("bare", "Tapedeck")
BESIDE = 2
"""Requests that have nothing to do with how much lies there: for open uploads, and for probes of the preflight."""
FEW = 5000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    grown: dict[str, list[float]] = {name: [] for name in PEERS}
    requests: list[int] = []

    def measure(port: int, name: str, objects: int) -> float:
        told = run("benchmarks.sweep_peers", name, f"http://127.0.0.1:{port}", str(objects)).split()
        grown[name].append(float(told[1]) / 1024**2)
        requests.append(int(told[2]))
        return float(told[0])

    pin(LOAD_CORE)
    with serving("benchmarks.sink", str(FEW), core=LOAD_CORE) as sink:
        measure(sink.port, "Tapedeck", FEW)
        few = grown["Tapedeck"].pop()
    with serving("benchmarks.sink", str(given.objects), core=LOAD_CORE) as sink:
        found = interleaved(PEERS, given.repeats, lambda name: measure(sink.port, name, given.objects))
    table(f"{given.objects} objects and as many recordings", "seconds", found, "bare")
    table(f"{given.objects} objects, most memory above idle", "MiB", grown, "bare")
    many = statistics.median(grown["Tapedeck"])
    print(f"\nMemory above idle, Tapedeck: {many:.1f} MiB, with {FEW} objects {few:.1f} MiB")
    least = -(-given.objects // PAGE) + BESIDE
    print(
        f"Requests to the store, Tapedeck / fewest that paging allows: {requests[-1] / least:.2f} ({requests[-1]} of {least})"
    )


if __name__ == "__main__":
    main()
