"""Media that is encoded once and copied for every session (recipe 3.11).

A track is a loop of encoded packets on the grid of Unix time: packet *n* is what is heard or seen from n * ticks / rate on.
120 s of the tone are exactly 5,625 AAC frames, so the loop closes without a seam: a round is encoded between the end of the
round before and the beginning of the next, which are thrown away.
"""

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame

from clients.agora.simulator.digits import draw_clock

RATE = 48_000
SAMPLES = 1024
ROUND_SECONDS = 120
AMPLITUDE = 10 ** (-12 / 20)
"""-12 dBFS."""
BIT_RATE = 64_000
CODER = {"aac_coder": "fast"}
"""The other one lets a pure tone swell by half for tenths of a second."""
LEAD_FRAMES = 47
"""A second of the round before, in which the encoder settles."""


@dataclass(frozen=True, slots=True)
class Track:
    """`packets`: data and whether it is a key frame; each lasts `ticks` of 1/`rate` s. `template`: its stream's parameters."""

    kind: str
    packets: tuple[tuple[bytes, bool], ...]
    ticks: int
    rate: int
    template: Any

    def index_at(self, unix_seconds: float) -> int:
        """The first packet that begins at or after a time."""
        return math.ceil(round(unix_seconds * self.rate, 3) / self.ticks)

    def key_at(self, unix_seconds: float) -> int:
        """The first key packet that begins at or after a time: any of a sound's, a whole second's of a picture's."""
        step = 1 if self.kind == "audio" else self.rate
        return -(-self.index_at(unix_seconds) // step) * step

    def seconds(self, packets: int) -> float:
        """How long so many packets last."""
        return packets * self.ticks / self.rate


def tone_track(cache: Path) -> Track:
    """The tone of api.md 7: second *t* is a sine of 300 + 10 * (t mod 120) Hz."""
    file = cache / "tone.mp4"
    if not file.exists():
        _encode_audio(file, _round(_tone()))
    return _load(file, "audio", count=ROUND_SECONDS * RATE // SAMPLES)


def file_track(media: Path, cache: Path) -> Track:
    """Any audio file, looped: its sound begins anew at Unix times that its length divides."""
    samples = _samples_of(media)
    if len(samples) < RATE:
        raise ValueError(f"{media}: less than a second of sound")
    frames = len(samples) // SAMPLES
    file = cache / f"media-{media.stat().st_mtime_ns}-{media.stat().st_size}.mp4"
    if not file.exists():
        _encode_audio(file, _round(samples[: frames * SAMPLES]))
    return _load(file, "audio", count=frames)


def clock_track(cache: Path, width: int, height: int, fps: int) -> Track:
    """A picture that shows t mod 120, with a key frame on each whole second."""
    file = cache / f"clock-{width}x{height}-{fps}.mp4"
    if not file.exists():
        _encode_clock(file, width, height, fps)
    return _load(file, "video", count=ROUND_SECONDS * fps, rate=fps)


def _tone() -> "array[float]":
    one = array("f")
    for second in range(ROUND_SECONDS):
        step = 2 * math.pi * (300 + 10 * second) / RATE
        tenth = array("f", (AMPLITUDE * math.sin(step * sample) for sample in range(RATE // 10)))
        one.extend(tenth * 10)  # all frequencies are multiples of 10 Hz
    return one


def _round(one: "array[float]") -> "Iterator[array[float]]":
    """The frames of a round, with the end of the one before and the first frame of the next."""
    whole = len(one) // SAMPLES
    for number in range(-min(LEAD_FRAMES, whole), whole + 1):
        at = number % whole * SAMPLES
        yield one[at : at + SAMPLES]


def _encode_audio(file: Path, frames: "Iterator[array[float]]") -> None:
    side = file.with_suffix(".part")
    with av.open(str(side), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono", bit_rate=BIT_RATE, options=CODER)
        for number, samples in enumerate(frames):
            frame = AudioFrame(format="fltp", layout="mono", samples=SAMPLES)
            frame.planes[0].update(samples.tobytes())
            frame.sample_rate, frame.pts, frame.time_base = RATE, number * SAMPLES, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    side.rename(file)


def _encode_clock(file: Path, width: int, height: int, fps: int) -> None:
    side = file.with_suffix(".part")
    options = {"preset": "ultrafast", "tune": "zerolatency", "bf": "0", "x264-params": f"keyint={fps}:min-keyint={fps}"}
    with av.open(str(side), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = fps
        for number in range(ROUND_SECONDS * fps):
            if number % fps == 0:
                frame = VideoFrame(width, height, "yuv420p")
                draw_clock(frame, number // fps)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    side.rename(file)


def _load(file: Path, kind: str, *, count: int, rate: int = RATE) -> Track:
    container = av.open(str(file))  # stays open: its stream is the template of all copies
    stream = container.streams.get({kind: 0})[0]
    packets = [(bytes(packet), bool(packet.is_keyframe)) for packet in container.demux(stream) if packet.size]
    # The encoder's first packet holds the silence before the sound; what follows is on the grid.
    skip = min(LEAD_FRAMES, count) + 1 if kind == "audio" else 0
    kept = tuple(packets[skip : skip + count])
    if len(kept) != count:
        file.unlink()
        raise ValueError(f"{file.name} holds {len(kept)} packets and not {count}: it is made anew at the next start")
    return Track(kind, kept, SAMPLES if kind == "audio" else 1, rate, stream)


def _samples_of(media: Path) -> "array[float]":
    samples = array("f")
    resampler = AudioResampler(format="fltp", layout="mono", rate=RATE)
    with av.open(str(media)) as container:
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                samples.frombytes(bytes(part.planes[0])[: part.samples * 4])
    return samples
