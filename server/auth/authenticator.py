"""Turns tokens into principals.

A token is verified once and then found in a bounded cache, where only its expiry is looked at again. Only what was verified is
cached, so nobody can fill it without a key; when the key set changes, the cache begins anew, so that a key that has gone
verifies nothing any more.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jwt

from server.auth.key_set import ALGORITHMS, KeySet
from server.auth.principal import AUDIENCE, Principal, TokenError, to_principal
from server.auth.secrets import checked_secret

SHARED = "HS256"


class UnknownKey(TokenError):
    """The token names a key that is not in the key set, or not yet."""


class KeySource(Protocol):
    """Where the key set comes from. `keys` is another object only when its content has changed."""

    @property
    def keys(self) -> KeySet: ...

    async def look_again(self) -> bool:
        """Brings `keys` up to date; False, without a look, if the last one was too short ago."""


class Authenticator:
    """The first secret signs new tokens, all of them verify HS256; the key set verifies RS256 and ES256."""

    def __init__(
        self,
        secrets: Sequence[str],
        *,
        leeway_seconds: int,
        cache_max: int,
        now: Callable[[], float] = time.time,
        key_source: KeySource | None = None,
    ) -> None:
        self._secrets = [checked_secret(secret) for secret in secrets]
        self._leeway_seconds = leeway_seconds
        self._cache_max = cache_max
        self._now = now
        self._source = key_source
        self._key_set = key_source.keys if key_source else KeySet()
        self._cache: dict[str, Principal] = {}
        self._algorithms = ([SHARED] if secrets else []) + (list(ALGORITHMS.values()) if key_source else [])

    @property
    def cached(self) -> int:
        """How many tokens are remembered."""
        return len(self._cache)

    async def admit(self, token: str) -> Principal:
        """The principal of a token; one of an unknown key waits for a new look at the key set. Raises TokenError."""
        try:
            return self.authenticate(token)
        except UnknownKey:
            if self._source is None or not await self._source.look_again():
                raise
        return self.authenticate(token)

    def authenticate(self, token: str) -> Principal:
        """The principal of a token by the keys that are here. Raises TokenError, and UnknownKey."""
        self._follow_source()
        principal = self._cache.get(token)
        if principal is None:
            principal = to_principal(self._verify(token))
            self._remember(token, principal)
        if principal.expires_at + self._leeway_seconds <= self._now():
            self._cache.pop(token, None)
            raise TokenError("the token has expired")
        return principal

    def _follow_source(self) -> None:
        if self._source is not None and self._source.keys is not self._key_set:
            self._key_set = self._source.keys
            self._cache.clear()

    def _remember(self, token: str, principal: Principal) -> None:
        if len(self._cache) >= self._cache_max:
            del self._cache[next(iter(self._cache))]
        self._cache[token] = principal

    def _verify(self, token: str) -> dict[str, Any]:
        # A header nested a thousand times deep, a lone surrogate, an infinite time: not all of it is PyJWT's error.
        try:
            header = jwt.get_unverified_header(token)
            return self._decode(token, header.get("alg"), header.get("kid"))
        except jwt.ExpiredSignatureError:
            raise TokenError("the token has expired") from None
        except jwt.InvalidAudienceError:
            raise TokenError(f"the token is not for the audience {AUDIENCE}") from None
        except jwt.MissingRequiredClaimError as error:
            raise TokenError(f"the token has no {error.claim}") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise TokenError("the token is malformed or not yet valid") from None

    def _decode(self, token: str, algorithm: object, key_id: str | None) -> dict[str, Any]:
        for key in self._keys_for(algorithm, key_id):
            try:
                return jwt.decode(
                    token,
                    key,
                    # One algorithm, and only keys of its kind: `none` and a public key as a shared secret end here.
                    algorithms=[str(algorithm)],
                    audience=AUDIENCE,
                    leeway=self._leeway_seconds,
                    options={"require": ["sub", "exp", "aud"]},
                )
            except jwt.InvalidSignatureError:
                continue
        raise TokenError("the token's signature is wrong")

    def _keys_for(self, algorithm: object, key_id: str | None) -> Sequence[str | jwt.PyJWK]:
        if algorithm not in self._algorithms:
            raise TokenError(f"the token is not signed with {' or '.join(self._algorithms)}")
        if algorithm == SHARED:
            return self._secrets
        named = self._key_set.named(key_id)
        fitting = [key for key in named if key.algorithm_name == algorithm]
        if key_id is None and len(fitting) > 1:
            raise TokenError("the token does not say which key (kid) it is signed with")
        if not fitting and (key_id is None or not named):
            raise UnknownKey("the key that the token is signed with is not known here")
        if not fitting:
            raise TokenError("the token's alg is not that of its key")
        return fitting
