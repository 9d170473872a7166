"""An issuer of tokens: keys, tokens signed with them, and the key set that it publishes."""

import json
import time
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

FAR = int(time.time()) + 100_000


@dataclass(frozen=True)
class IssuerKey:
    """A private key under its `kid` (None: it has none). `algorithm` is what it signs with."""

    kid: str | None
    private: Any
    algorithm: str

    def token(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """For the audience, HOST everywhere, unless the claims say otherwise."""
        whole = {"sub": "user-1", "aud": "tapedeck", "exp": FAR, "meetings": {"*": "HOST"}, **claims}
        named = {} if self.kid is None else {"kid": self.kid}
        return jwt.encode(whole, self.private, self.algorithm, headers={**named, **(header or {})})

    def public(self, **more: Any) -> dict[str, Any]:
        """Its entry in a key set."""
        of_kind = RSAAlgorithm if isinstance(self.private, rsa.RSAPrivateKey) else ECAlgorithm
        entry = of_kind.to_jwk(self.private.public_key(), as_dict=True)
        entry.pop("key_ops", None)
        return {**entry, **({} if self.kid is None else {"kid": self.kid}), **more}


def rsa_key(kid: str | None, bits: int = 2048) -> IssuerKey:
    return IssuerKey(kid, rsa.generate_private_key(public_exponent=65537, key_size=bits), "RS256")


def ec_key(kid: str | None) -> IssuerKey:
    return IssuerKey(kid, ec.generate_private_key(ec.SECP256R1()), "ES256")


def key_set(*keys: IssuerKey | dict[str, Any]) -> bytes:
    """The document that publishes them."""
    return json.dumps({"keys": [key.public() if isinstance(key, IssuerKey) else key for key in keys]}).encode()
