"""Who is calling: bearer tokens to principals, and the secrets that sign them (`api.md` 3).

A token is verified once and then found in a bounded cache (54 µs against 3), where only its expiry is looked at
again. Only what was verified is cached, so nobody can fill it without a secret. Roles belong to meetings and come
from the token alone; the server keeps no users.
"""

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from secrets import token_urlsafe
from types import MappingProxyType
from typing import Any

import jwt

from server.config import Config, ConfigError

AUDIENCE = "tapedeck"
OPERATOR = "operator"
SECRET_BYTES_MIN = 32
SUBJECT_CHARACTERS_MAX = 255
EXPIRES_AT_MAX = 253402300799  # the end of the year 9999: a stream's timer is set by it
SECRET_FILE = "jwt-secret"  # noqa: S105


class Role(StrEnum):
    """What somebody is in one meeting."""

    HOST = "HOST"
    CO_HOST = "CO_HOST"
    PARTICIPANT = "PARTICIPANT"


class TokenError(Exception):
    """The token gives no principal. Its text says why and holds nothing of the token."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller. `expires_at` is Unix seconds; a stream ends then."""

    sub: str
    meetings: Mapping[str, Role]
    scopes: frozenset[str]
    expires_at: int

    def role_in(self, meeting_id: str) -> Role | None:
        """The role in a meeting; its exact name beats `*`."""
        return self.meetings.get(meeting_id) or self.meetings.get("*")

    @property
    def is_operator(self) -> bool:
        """Reads everything, plays, deletes and stops by id; never starts by this alone."""
        return OPERATOR in self.scopes

    @property
    def is_service(self) -> bool:
        """A back end that may act on behalf of its users: its token holds `*`."""
        return "*" in self.meetings


class Authenticator:
    """Turns tokens into principals. The first secret signs new tokens, all of them verify."""

    def __init__(
        self, secrets: Sequence[str], *, leeway_seconds: int, cache_max: int, now: Callable[[], float] = time.time
    ) -> None:
        self._keys = [_checked(secret) for secret in secrets]
        self._leeway_seconds = leeway_seconds
        self._cache_max = cache_max
        self._now = now
        self._cache: dict[str, Principal] = {}

    def authenticate(self, token: str) -> Principal:
        """The principal of a token. Raises TokenError."""
        principal = self._cache.get(token)
        if principal is None:
            principal = to_principal(self._verify(token))
            self._remember(token, principal)
        if principal.expires_at + self._leeway_seconds <= self._now():
            self._cache.pop(token, None)
            raise TokenError("the token has expired")
        return principal

    def _remember(self, token: str, principal: Principal) -> None:
        if len(self._cache) >= self._cache_max:
            del self._cache[next(iter(self._cache))]
        self._cache[token] = principal

    def _verify(self, token: str) -> dict[str, Any]:
        for key in self._keys:
            try:
                return _decode(token, key, self._leeway_seconds)
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError:
                raise TokenError("the token has expired") from None
            except jwt.InvalidAudienceError:
                raise TokenError(f"the token is not for the audience {AUDIENCE}") from None
            except jwt.InvalidAlgorithmError:
                raise TokenError("the token is not signed with HS256") from None
            except jwt.MissingRequiredClaimError as error:
                raise TokenError(f"the token has no {error.claim}") from None
            # A header nested a thousand times deep, a lone surrogate, an infinite time: not all of it is PyJWT's error.
            except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
                raise TokenError("the token is malformed or not yet valid") from None
        raise TokenError("the token's signature is wrong")


def _decode(token: str, key: str, leeway_seconds: int) -> dict[str, Any]:
    # The list of algorithms is what refuses `none` and a public key used as a shared secret.
    return jwt.decode(
        token,
        key,
        algorithms=["HS256"],
        audience=AUDIENCE,
        leeway=leeway_seconds,
        options={"require": ["sub", "exp", "aud"]},
    )


def to_principal(claims: Mapping[str, Any]) -> Principal:
    """The principal that verified claims describe. Raises TokenError."""
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise TokenError("scope is a text")
    expires_at = int(claims["exp"])
    if expires_at > EXPIRES_AT_MAX:
        raise TokenError("exp is Unix time in seconds")
    roles = _roles(claims.get("meetings", {}))
    return Principal(_subject(claims["sub"]), MappingProxyType(roles), frozenset(scope.split()), expires_at)


def _roles(meetings: Any) -> dict[str, Role]:
    if isinstance(meetings, dict):
        try:
            return {meeting_id: Role(role) for meeting_id, role in meetings.items()}
        except ValueError:
            pass  # another word than those of the contract: no token of ours, the same answer
    raise TokenError(f"meetings maps meeting ids to one of {', '.join(Role)}")


def _subject(sub: str) -> str:
    # It is stored as `startedBy`: Postgres takes neither U+0000 nor a lone surrogate.
    storable = "\0" not in sub and not any("\ud800" <= character <= "\udfff" for character in sub)
    if not storable or not 0 < len(sub) <= SUBJECT_CHARACTERS_MAX:
        raise TokenError(f"sub is a text of 1 to {SUBJECT_CHARACTERS_MAX} characters")
    return sub


def mint_token(
    secret: str,
    *,
    sub: str,
    meetings: Mapping[str, str],
    operator: bool = False,
    ttl_seconds: int = 3600,
    now: Callable[[], float] = time.time,
) -> str:
    """A token signed with a secret, for the command line and tests."""
    issued_at = int(now())
    claims: dict[str, Any] = {"sub": sub, "aud": AUDIENCE, "iat": issued_at, "exp": issued_at + ttl_seconds}
    claims["meetings"] = dict(meetings)
    if operator:
        claims["scope"] = OPERATOR
    return jwt.encode(claims, _checked(secret), algorithm="HS256")


def signing_secrets(config: Config) -> list[str]:
    """The configured secrets, or the development secret of the data directory. Raises ConfigError."""
    configured = config.auth.jwt_secret
    if configured is None:
        return [load_or_create_secret(config.data_dir)]
    return [_checked(secret.strip()) for secret in configured.get_secret_value().split(",")]


def load_or_create_secret(data_dir: Path) -> str:
    """The development secret, random, made on first use and readable by its owner only. Raises ConfigError."""
    path = data_dir / SECRET_FILE
    try:
        if not path.exists():
            data_dir.mkdir(parents=True, exist_ok=True)
            _create_once(path, token_urlsafe(48))
        return _checked(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; set TAPEDECK_JWT_SECRET or a writable TAPEDECK_DATA_DIR"
        ) from None
    except (ConfigError, UnicodeDecodeError):
        raise ConfigError(f"{path}: does not hold a secret; delete it, and a new one is made") from None


def _create_once(path: Path, secret: str) -> None:
    """Written aside and linked, so that a server and `tapedeck token` that start together agree on one."""
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret)
        os.link(aside, path)
    except FileExistsError:
        pass  # another process was first: its secret is the one
    finally:
        Path(aside).unlink()


def _checked(secret: str) -> str:
    """A secret that PyJWT takes for HS256 and that is long enough. Raises ConfigError without showing it."""
    if len(secret.encode()) < SECRET_BYTES_MIN:
        raise ConfigError(f"TAPEDECK_JWT_SECRET: each secret has {SECRET_BYTES_MIN} bytes or more")
    try:
        jwt.get_algorithm_by_name("HS256").prepare_key(secret)
    except jwt.InvalidKeyError:
        raise ConfigError("TAPEDECK_JWT_SECRET: this is an asymmetric key, not a shared secret") from None
    return secret
