"""A JSON Web Key Set (RFC 7517) as far as tokens are verified with it: RSA keys for RS256, P-256 keys for ES256.

Each key verifies the one algorithm that its type stands for, whatever a token's header says: that is what keeps a public key
from being used as a shared secret. Other keys of the set are passed over, as RFC 7517 5 asks, each with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt
import orjson

ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
RSA_BITS_MIN = 2048


class KeySetError(Exception):
    """There is no key set to be read here. Its text says why and holds nothing of the content."""


class UselessKey(Exception):
    """A key that verifies no token. Its text says why."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """Usable keys, and for each of the others why it was passed over, such as `key 2: of 1024 bits, not 2048 or more`."""

    keys: tuple[jwt.PyJWK, ...] = ()
    passed_over: tuple[str, ...] = ()

    def named(self, key_id: str | None) -> Sequence[jwt.PyJWK]:
        """The keys with this `kid`; all of them for a token that names none."""
        return [key for key in self.keys if key_id is None or key.key_id == key_id]


def parse_key_set(document: bytes) -> KeySet:
    """The keys of a JWKS document, which may be anything. Raises KeySetError."""
    try:
        content = orjson.loads(document)
    except orjson.JSONDecodeError:
        raise KeySetError("it is not JSON") from None
    listed = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise KeySetError('it is not a key set: {"keys": [...]} is expected')
    keys, passed_over = [], []
    for number, each in enumerate(listed, start=1):
        try:
            keys.append(_usable(each))
        except UselessKey as error:
            passed_over.append(f"key {number}: {error}")
    return KeySet(tuple(keys), tuple(passed_over))


def _usable(data: Any) -> jwt.PyJWK:
    algorithm = _algorithm(data)
    try:
        key = jwt.PyJWK(data, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
        raise UselessKey("malformed") from None
    if data["kty"] == "RSA" and key.key.key_size < RSA_BITS_MIN:
        raise UselessKey(f"of {key.key.key_size} bits, not {RSA_BITS_MIN} or more")
    return key


def _algorithm(data: Any) -> str:
    """What a key may verify, by its type and what it says of itself. Raises UselessKey."""
    kind = data.get("kty") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in ALGORITHMS or (kind == "EC" and data.get("crv") != "P-256"):
        raise UselessKey("neither RSA nor P-256")
    if "d" in data:
        raise UselessKey("a private key")
    if data.get("alg", ALGORITHMS[kind]) != ALGORITHMS[kind] or data.get("use", "sig") != "sig":
        raise UselessKey(f"not for {ALGORITHMS[kind]} signatures")
    if not isinstance(data.get("kid", ""), str):
        raise UselessKey("kid is no text")
    return ALGORITHMS[kind]
