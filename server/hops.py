"""The header by which one node vouches for a request that it hands to another, and how it is signed.

It names no caller: the token travels along, and the other node looks at it as at any other. It only says that the request has
come from a node, so that it is not handed on once more, and for how long its caller has waited.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

HEADER = "Tapedeck-Hop"
SECONDS_OFF_MAX = 60.0
"""Between the clocks of two nodes, and the time on the way."""
_HOP = re.compile(r"t=([0-9]{1,15}), waited=([0-9]{1,9}), sig=([0-9a-f]{64})", re.ASCII)


class Unsigned(Exception):
    """It is none, or nobody who knows the secret has made it for this request and now."""


@dataclass(frozen=True, slots=True)
class Hop:
    """`at_ms`: when it was sent, Unix time. `waited_ms`: for so long the caller has waited by then."""

    at_ms: int
    waited_ms: int


@dataclass(frozen=True, slots=True)
class Handed:
    """What of a request is signed. `target`: path and query; `token`: the header of that name; `node`: who it is for."""

    method: str
    target: str
    token: str
    key: str
    body: bytes
    node: str


class HopSigner:
    """Signs with the first secret, and takes any: secrets are changed one node after the other."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [hmac.new(secret.encode(), b"tapedeck nodes", hashlib.sha256).digest() for secret in secrets]

    def header(self, hop: Hop, handed: Handed) -> str:
        return f"{_words(hop)}, sig={_signature(self._keys[0], hop, handed)}"

    def verified(self, header: str, handed: Handed, now_ms: int) -> Hop:
        """Raises Unsigned."""
        match = _HOP.fullmatch(header)
        if match is None:
            raise Unsigned
        hop = Hop(int(match[1]), int(match[2]))
        good = any(hmac.compare_digest(match[3], _signature(key, hop, handed)) for key in self._keys)
        if not good or abs(now_ms - hop.at_ms) > SECONDS_OFF_MAX * 1000:
            raise Unsigned
        return hop


def _words(hop: Hop) -> str:
    return f"t={hop.at_ms}, waited={hop.waited_ms}"


def _signature(key: bytes, hop: Hop, handed: Handed) -> str:
    body = hashlib.sha256(handed.body).hexdigest()
    parts = [_words(hop), handed.method, handed.target, handed.token, handed.key, handed.node, body]
    return hmac.new(key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()
