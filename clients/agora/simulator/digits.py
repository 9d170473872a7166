"""Draws the clock into a picture by hand: seven-segment digits in the luma plane, no font, no imaging library."""

from av.video.frame import VideoFrame

SEGMENTS = {"0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd", "6": "afgedc", "7": "abc",
            "8": "abcdefg", "9": "abcdfg"}  # fmt: skip
BACKGROUND, INK, GREY = 40, 220, 128


def draw_clock(frame: VideoFrame, seconds: int) -> None:
    """Fill the frame with a dark ground and the number of seconds, three digits, in the middle."""
    width, height = frame.width, frame.height
    stride = frame.planes[0].line_size
    luma = bytearray([BACKGROUND]) * (stride * height)
    unit = max(1, min(width // 18, height // 9))
    left, top = (width - 17 * unit) // 2, (height - 9 * unit) // 2
    for place, digit in enumerate(f"{seconds:03d}"):
        for segment in SEGMENTS[digit]:
            _fill(luma, stride, _box(segment, left + place * 6 * unit, top, unit), (width, height))
    frame.planes[0].update(bytes(luma))
    for plane in frame.planes[1:]:
        plane.update(bytes([GREY]) * plane.buffer_size)


def _box(segment: str, left: int, top: int, unit: int) -> tuple[int, int, int, int]:
    x, y, wide, high = {
        "a": (0, 0, 5, 1),
        "g": (0, 4, 5, 1),
        "d": (0, 8, 5, 1),
        "f": (0, 0, 1, 5),
        "b": (4, 0, 1, 5),
        "e": (0, 4, 1, 5),
        "c": (4, 4, 1, 5),
    }[segment]
    return left + x * unit, top + y * unit, wide * unit, high * unit


def _fill(luma: bytearray, stride: int, box: tuple[int, int, int, int], size: tuple[int, int]) -> None:
    left, top, wide, high = box
    left, right = max(0, left), min(size[0], left + wide)
    for row in range(max(0, top), min(size[1], top + high)):
        luma[row * stride + left : row * stride + right] = bytes([INK]) * max(0, right - left)
