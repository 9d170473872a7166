"""Which processes there are, from /proc: what a test checks that nothing was left of."""

from pathlib import Path


def children_of(pid: int) -> list[int]:
    """The processes that this one started and that still run."""
    return [each for each in _pids() if _parent(each) == pid]


def alive(pid: int) -> bool:
    """Whether it runs; one that is dead and not yet buried does not."""
    return _field(pid, 0) not in ("", "Z", "X")


def named(pid: int, word: str) -> bool:
    """Whether the program's name holds the word."""
    try:
        return word in Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")
    except OSError:
        return False


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> int:
    return int(_field(pid, 1) or 0)


def _field(pid: int, number: int) -> str:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    return status.rpartition(")")[2].split()[number]
