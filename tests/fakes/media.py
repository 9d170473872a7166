"""Small real recordings as the provider leaves them: AAC in MPEG-TS slices, an MP4, and a playlist without commas."""

import math
from array import array
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame

from clients.storage.media import StoredMedia
from clients.storage.sealing import Hashing, Sealing

RATE = 48_000
FRAME = 1024
SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
START_MS = 1_790_000_000_000


def slice_name(at_ms: int, sid: str = SID, cname: str = "m-1") -> str:
    """`<sid>_<cname>_<utc>.ts`, the time with 17 digits (reference 8.1)."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{sid}_{cname}_{moment:%Y%m%d%H%M%S}{at_ms % 1000:03}.ts"


def encode(path: Path, frames: int, *, hertz: float = 440.0, first_frame: int = 0, faststart: bool = False) -> Path:
    """A tone of so many AAC frames (1024 samples each), as the path's suffix says."""
    options = {"movflags": "+faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        for number in range(first_frame, first_frame + frames):
            container.mux(stream.encode(_tone(number, hertz)))
        container.mux(stream.encode(None))
    return path


def repeat(path: Path, once: Path, times: int, *, faststart: bool = False) -> Path:
    """A long film of the same sound again and again, which takes no encoder."""
    with (
        av.open(str(once)) as source,
        av.open(str(path), "w", options={"movflags": "+faststart"} if faststart else {}) as container,
    ):
        stream = container.add_stream_from_template(source.streams.audio[0])
        packets = [bytes(packet) for packet in source.demux(audio=0) if packet.size]
        for number, data in enumerate(packets * times):
            packet = av.Packet(data)
            packet.pts = packet.dts = number * FRAME
            packet.duration, packet.time_base, packet.stream = FRAME, Fraction(1, RATE), stream
            container.mux(packet)
    return path


def decoded_seconds(source: Path | str) -> float:
    """How long the sound is that comes out of a file or a URL."""
    with av.open(str(source)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def playlist(slices: list[tuple[str, float]], *, ended: bool = True) -> bytes:
    """As the provider writes it: no comma behind the duration, tags of its own (reference 8.2)."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-ALLOW-CACHE:YES",
        "#EXT-X-TARGETDURATION:16",
    ]
    lines += ["#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=20260921142640000", "#EXT-X-DISCONTINUITY"]
    for name, seconds in slices:
        lines += [f"#EXTINF:{seconds:.6f}", name]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if ended else []), ""]).encode()


def _tone(number: int, hertz: float) -> AudioFrame:
    at = range(number * FRAME, (number + 1) * FRAME)
    samples = array("f", (0.25 * math.sin(2 * math.pi * hertz * sample / RATE) for sample in at))
    frame = AudioFrame(format="fltp", layout="mono", samples=FRAME)
    frame.planes[0].update(samples.tobytes())
    frame.sample_rate, frame.pts, frame.time_base = RATE, number * FRAME, Fraction(1, RATE)
    return frame


def media_in(store: Any) -> StoredMedia:
    """The port over a store."""
    return StoredMedia(store, Sealing(store, Hashing(store, 2)))
