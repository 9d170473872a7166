"""A fresh, short, private folder for sockets at each start: a socket's path may have 107 bytes, and must not be used twice.

An old server that is still leaving would unlink the socket of the new one if both had the same path. The folder's name is
kept in the data directory, so that the next start can remove what a killed one left.
"""

import shutil
import tempfile
from pathlib import Path

PREFIX = "tapedeck-"


def fresh_run_dir(data_dir: Path) -> Path:
    """Make the folder (0700), and remove the one of the start before."""
    note = data_dir / "run-dir"
    if note.exists():
        old = Path(note.read_text(encoding="utf-8").strip())
        if old.name.startswith(PREFIX):
            shutil.rmtree(old, ignore_errors=True)
    run_dir = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_short_temp()))
    note.write_text(str(run_dir), encoding="utf-8")
    return run_dir


def remove_run_dir(data_dir: Path, run_dir: Path) -> None:
    """At the end of an orderly life."""
    shutil.rmtree(run_dir, ignore_errors=True)
    (data_dir / "run-dir").unlink(missing_ok=True)


def _short_temp() -> str | None:
    """The usual folder for temporary files, unless its name alone would use up a socket's path."""
    usual = tempfile.gettempdir()
    return usual if len(usual) < 60 else "/tmp"  # noqa: S108
