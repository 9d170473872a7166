"""Copies packets of tracks into files: a slice of MPEG-TS, or a whole MP4. Nothing is encoded here."""

import heapq
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from clients.agora.simulator.tracks import Track

Stretch = tuple[Track, int, int, int]
"""A track, its first packet, the one behind its last, and the packet that has time 0 in the file."""


def slice_bytes(stretches: Sequence[Stretch]) -> bytes:
    """One slice."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mpegts") as container:
        _copy(container, stretches)
    return buffer.getvalue()


def write_movie(path: Path, stretches: Sequence[Stretch]) -> None:
    """An MP4 that plays while it is loaded: its index stands in front, which needs a file and not a stream."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        _copy(container, stretches)


def _copy(container: Any, stretches: Sequence[Stretch]) -> None:
    streams = [container.add_stream_from_template(track.template) for track, *_ in stretches]
    by_time = heapq.merge(*(_times(number, stretch) for number, stretch in enumerate(stretches)))
    for _, number, index in by_time:
        track, _, _, origin = stretches[number]
        data, key = track.packets[index % len(track.packets)]
        packet = av.Packet(data)
        packet.stream = streams[number]
        packet.time_base = Fraction(1, track.rate)
        packet.pts = packet.dts = (index - origin) * track.ticks
        packet.duration = track.ticks
        packet.is_keyframe = key
        container.mux(packet)


def _times(number: int, stretch: Stretch) -> Iterator[tuple[float, int, int]]:
    track, first, behind, origin = stretch
    return ((track.seconds(index - origin), number, index) for index in range(first, behind))
