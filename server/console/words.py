"""How the command line writes times, lengths and sizes, and what it makes of texts that others chose."""

from typing import Any

from rich.filesize import decimal

NOTHING = "-"


def clean(value: Any) -> str:
    """A text that cannot steer a terminal."""
    text = NOTHING if value is None else str(value)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def moment(time: str | None) -> str:
    """`2026-11-22T10:00:00.123Z` without its milliseconds."""
    return NOTHING if time is None else clean(time).replace("T", " ").partition(".")[0] + "Z"


def length(seconds: float | None) -> str:
    """Seconds as `1:02:03`."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def size(count: int | None) -> str:
    """Bytes as `1.2 MB`."""
    return NOTHING if count is None else decimal(count)


def outcome(recording: Any) -> str:
    """What came of a recording, or what is missing of it, in a few words; empty while all is well."""
    if recording["error"] is not None:
        return clean(f"{recording['error']['message']} ({recording['error']['code']})")
    if recording["completeness"] == "partial" or recording["gaps"]:
        word = "partial" if recording["completeness"] == "partial" else "with gaps"
        return clean(f"{word}: " + ", ".join(_gap(gap) for gap in recording["gaps"]))
    return ""


def _gap(gap: Any) -> str:
    end = "until now" if gap["to"] is None else f"to {gap['to']}"
    return f"{gap['reason']} from {gap['from']} {end}"
