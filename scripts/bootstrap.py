"""Makes `.venv` from a lock, once: `python scripts/bootstrap.py run|test`. Only the standard library, before there is more.

The environment is stamped with what it was made from; a run finds it unchanged and does nothing. Two runs side by side wait
for one another, and what an interrupted one left is repaired by the next.
"""

from __future__ import annotations  # an older Python shall come as far as to be told

import contextlib
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "tapedeck-stamp"
LOCKS = {"run": "requirements.lock", "test": "requirements-dev.lock"}
PYTHON_MIN = (3, 11)
PIPS_MAX = 4
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "-qq")


def main(arguments: list[str]) -> int:
    """Exit code 0 when `.venv` is as the lock wants it."""
    if len(arguments) != 1 or arguments[0] not in LOCKS:
        print(f"usage: python scripts/bootstrap.py {'|'.join(LOCKS)}", file=sys.stderr)
        return 2
    if sys.version_info < PYTHON_MIN:
        wanted = ".".join(map(str, PYTHON_MIN))
        print(f"tapedeck needs Python {wanted} or newer, this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    with locked(ROOT / ".venv.lock") as lock:
        return 0 if is_made(arguments[0]) else make(arguments[0], lock)


def is_made(kind: str) -> bool:
    """Whether the environment is there and complete. One for tests serves for running too."""
    try:
        stamp = STAMP.read_text(encoding="utf-8")
    except OSError:
        return False
    return stamp in {fingerprint(kind), fingerprint("test")}


def fingerprint(kind: str) -> str:
    """Of everything that the environment is made from."""
    parts = [kind.encode(), sys.version.encode(), str(ROOT).encode()]
    parts += [(ROOT / name).read_bytes() for name in (LOCKS[kind], "pyproject.toml")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make(kind: str, lock: int) -> int:
    """Build it. The stamp goes first and comes last, so that a half-made one is never taken for whole.

    Each step holds the lock too: one that outlives us, because only we were killed, is waited for.
    """
    began = time.monotonic()
    STAMP.unlink(missing_ok=True)
    say(f"making .venv from {LOCKS[kind]} (once; about half a minute)")
    python = VENV / "bin" / "python"
    # A server may be running from the environment, so one that works is added to and not made anew.
    fresh = [] if works(python) else [[sys.executable, "-m", "venv", "--clear", str(VENV)]]
    install = [str(python), *PIP, "install", "--no-compile", "--no-deps"]
    with tempfile.TemporaryDirectory() as folder:
        packages = [[*install, "--require-hashes", "-r", str(part)] for part in split(ROOT / LOCKS[kind], Path(folder))]
        for steps in (fresh, packages, [[*install, "--no-build-isolation", "-e", str(ROOT)]]):
            failed = run(steps, lock)
            if failed is not None:
                say(f"this failed: {' '.join(failed)}")
                say("on Debian, `python3 -m venv` needs the package python3-venv" if steps is fresh else "see above")
                return 1
    # On all cores, as pip does not. What is not for this Python is nobody's loss.
    run([[str(python), "-m", "compileall", "-qq", "-j", "0", str(VENV / "lib")]], lock)
    STAMP.write_text(fingerprint(kind), encoding="utf-8")
    say(f"made in {time.monotonic() - began:.0f} s")
    return 0


def split(lock: Path, folder: Path) -> list[Path]:
    """The lock in parts, one for each core: pip unpacks one package after the other, and none of them needs another."""
    requirements = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
    count = min(os.cpu_count() or 1, PIPS_MAX)
    parts = [folder / f"{lock.stem}-{number}{lock.suffix}" for number in range(count)]
    for number, part in enumerate(parts):
        part.write_text("\n".join(requirements[number::count]) + "\n", encoding="utf-8")
    return parts


def run(steps: list[list[str]], lock: int) -> list[str] | None:
    """Run them at once, and wait for all. The first one that fails, if any does."""

    def ran(step: list[str]) -> int:
        return subprocess.run(step, check=False, stdin=subprocess.DEVNULL, pass_fds=[lock]).returncode

    with ThreadPoolExecutor(PIPS_MAX) as workers:
        codes = list(workers.map(ran, steps))
    return next((step for step, code in zip(steps, codes, strict=True) if code), None)


def works(python: Path) -> bool:
    """Whether there is an environment with a pip, of this very Python."""
    code = "import pip, sys; print(sys.version)"
    try:
        ran = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return ran.stdout.strip() == sys.version.strip()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """One at a time; the lock goes with the last process that has the file open."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def say(text: str) -> None:
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
