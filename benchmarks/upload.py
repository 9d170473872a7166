"""An upload of a long stream: memory that it takes, and its throughput against the bare loop over aiobotocore."""

import argparse
import statistics

from benchmarks.measuring import LOAD_CORE, interleaved, pin, run, serving, table

PEERS = ("bare", "Tapedeck")
MIB = 1024 * 1024
GROWTH_MAX_MIB, SHARE_MIN = 64, 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    grown: dict[str, list[float]] = {name: [] for name in PEERS}
    busy: dict[str, list[float]] = {name: [] for name in PEERS}

    def measure(port: int, name: str) -> float:
        told = run("benchmarks.upload_peers", name, f"http://127.0.0.1:{port}", str(given.mebibytes))
        seconds, cpu, growth = told.split()
        busy[name].append(float(cpu))
        grown[name].append(float(growth) / MIB)
        return float(seconds)

    with serving("benchmarks.sink", core=LOAD_CORE) as sink:
        pin(LOAD_CORE)
        found = interleaved(PEERS, given.repeats, lambda name: measure(sink.port, name))
    table(f"{given.mebibytes} MiB in parts of 8 MiB", "seconds", found, "bare")
    table(f"{given.mebibytes} MiB in parts of 8 MiB", "seconds of CPU", busy, "bare")
    table(f"{given.mebibytes} MiB, most memory above idle", "MiB", grown, "bare")
    shares = [statistics.median(each["bare"]) / statistics.median(each["Tapedeck"]) for each in (found, busy)]
    growth = statistics.median(grown["Tapedeck"])
    print(f"\nThroughput, Tapedeck / bare: {shares[0]:.2f}, at least {SHARE_MIN}; for a second of CPU: {shares[1]:.2f}")
    print(f"Memory above idle, Tapedeck: {growth:.1f} MiB, at most {GROWTH_MAX_MIB}")


if __name__ == "__main__":
    main()
