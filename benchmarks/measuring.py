"""Servers as child processes on one core, the load on another; CPU by the kernel's own count of the server's run time."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

SERVER_CORE, LOAD_CORE = 0, 1


class Server:
    """One peer in a process of its own. It says its port, then takes commands by the line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise SystemExit("a peer ended before it listened: run its module by itself to see why")
        self.port = int(said)

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

    def cpu_seconds(self) -> float:
        """Run time of all its threads: unlike a rate it hardly depends on what else runs."""
        tasks = Path(f"/proc/{self._process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def memory_bytes(self) -> int:
        return int(psutil.Process(self._process.pid).memory_info().rss)


@contextmanager
def serving(module: str, *arguments: str, core: int = SERVER_CORE) -> Iterator[Server]:
    """`python -m MODULE ARGUMENTS` on that core, until the end of the block; this process on the other core."""
    pin(LOAD_CORE)
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the log: it is written as in earnest, but not kept
        text=True,
        preexec_fn=lambda: pin(core),
    )
    try:
        yield Server(process)
    finally:
        process.kill()
        process.wait()


def run(module: str, *arguments: str) -> str:
    """`python -m MODULE ARGUMENTS` on the servers' core, to its end; what it printed."""
    command = [sys.executable, "-m", module, *arguments]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=lambda: pin(SERVER_CORE))
    return ran.stdout


def pin(core: int) -> None:
    """To one core, where there are several."""
    if core in os.sched_getaffinity(0) or core < (os.cpu_count() or 1):
        os.sched_setaffinity(0, {core})


def interleaved(names: Sequence[str], repeats: int, measure: Callable[[str], float]) -> dict[str, list[float]]:
    """Each peer in turn, so often: what disturbs the machine for a while disturbs all of them."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for round_ in range(repeats):
        for name in names:
            began = time.monotonic()
            found[name].append(measure(name))
            print(
                f"  {round_ + 1}/{repeats} {name}: {found[name][-1]:.2f} ({time.monotonic() - began:.0f} s)",
                file=sys.stderr,
            )
    return found


def table(title: str, unit: str, found: Mapping[str, Sequence[float]], base: str) -> None:
    """Medians with their range, and how the base compares: above 1 the row costs less than the base."""
    print(f"\n{title}\n\n| | {unit}, median (min-max) | {base} / this |\n|---|---|---|")
    of_base = statistics.median(found[base])
    for name, values in found.items():
        median = statistics.median(values)
        print(f"| {name} | {median:.2f} ({min(values):.2f}-{max(values):.2f}) | {of_base / median:.2f} |")
