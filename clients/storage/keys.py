"""Keys of objects: which may be used, and what the object of a key is."""

import mimetypes
from urllib.parse import quote

KEY_BYTES_MAX = 1024
_TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".mp4": "video/mp4", ".ts": "video/mp2t"}
"""Of what recorders write; the tables of systems differ, and take a slice for a program's text."""


def key_is_safe(key: str) -> bool:
    """Whether it is a plain relative key: no empty or hidden segment, no control character, not too long, valid Unicode."""
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return False
    if len(encoded) > KEY_BYTES_MAX or any(ord(c) < 32 or 127 <= ord(c) < 160 or c == "\\" for c in key):
        return False
    return all(segment and not segment.startswith(".") for segment in key.split("/"))


def name_below(prefix: str, key: str) -> str:
    """The key without the prefix, for people to read: what no database or terminal takes is told as in a URL."""
    name = key.removeprefix(prefix)
    return name if name.isprintable() else quote(name, errors="surrogatepass")


def content_type_of(key: str) -> str:
    """What a browser is told that the object is."""
    name = key.rpartition("/")[2].lower()
    known = _TYPES.get(name[name.rfind(".") :]) if "." in name else None
    return known or mimetypes.guess_type(name)[0] or "application/octet-stream"
