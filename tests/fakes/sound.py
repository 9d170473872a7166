"""Which seconds a file holds: the simulator's tone names the second by its pitch (api.md 7)."""

import io
from array import array
from itertools import pairwise

import av

RATE = 48_000


def samples_of(data: bytes) -> "array[float]":
    """The decoded sound, mono."""
    samples = array("f")
    with av.open(io.BytesIO(data)) as container:
        for frame in container.decode(audio=0):
            samples.frombytes(bytes(frame.planes[0])[: frame.samples * 4])
    return samples


def pitch_at(samples: "array[float]", second: float) -> float:
    """The frequency in the fifth of a second around a time, by its zero crossings."""
    begin = round((second - 0.1) * RATE)
    part = samples[begin : begin + RATE // 5]
    rising = [index for index, (a, b) in enumerate(pairwise(part)) if a < 0 <= b]
    return (len(rising) - 1) * RATE / (rising[-1] - rising[0])


def tone_of(unix_second: int) -> int:
    """What is to be heard in that second."""
    return 300 + 10 * (unix_second % 120)


def wrong_seconds(samples: "array[float]", began_ms: int) -> list[int]:
    """The whole seconds within the sound whose pitch is not theirs."""
    first, length = -(-began_ms // 1000), len(samples) / RATE
    seconds = range(first, int(began_ms / 1000 + length))
    return [each for each in seconds if abs(pitch_at(samples, each + 0.5 - began_ms / 1000) - tone_of(each)) > 3]
