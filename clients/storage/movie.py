"""Whether an MP4 can be played to its end. Blocking: to be called in a thread."""

from typing import BinaryIO

import av
from av.container import InputContainer

_MICROSECONDS = 1_000_000
_SHORT_SECONDS = 1.0


def probe(source: str | BinaryIO) -> tuple[float | None, str | None]:
    """Its seconds, or None and why it cannot be played.

    The index may stand before media that was cut off, so the last second is read too.
    """
    try:
        with av.open(source, "r") as container:
            return _check(container)
    except (av.error.FFmpegError, OSError, ValueError, EOFError) as error:
        return None, getattr(error, "strerror", None) or "it cannot be read"


def _check(container: InputContainer) -> tuple[float | None, str | None]:
    if not container.streams or not container.duration:
        return None, "it holds no media"
    seconds = container.duration / _MICROSECONDS
    container.seek(max(0, container.duration - 2 * _MICROSECONDS))
    end = _last_seconds(container)
    if end < seconds - _SHORT_SECONDS:
        return None, f"it is cut off after {end:.3f} of {seconds:.3f} s"
    return seconds, None


def _last_seconds(container: InputContainer) -> float:
    """Where the last packet that can be read ends."""
    end = 0.0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base is not None and packet.size and not packet.is_corrupt:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return end
