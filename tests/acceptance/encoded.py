"""The tone that a simulator encodes at its first start, which takes it seconds: made once for all of a process of tests."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from clients.agora.simulator.tracks import tone_track


def give_tone(state: Path) -> None:
    """Put it where a simulator with this folder finds its own of an earlier start."""
    if not (state / _tone().name).exists():
        state.mkdir(parents=True, exist_ok=True)
        shutil.copy(_tone(), state)


@cache
def _tone() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tapedeck-tone-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tone_track(folder)
    (file,) = folder.glob("tone*")
    return file
