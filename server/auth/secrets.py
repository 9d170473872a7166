"""Shared secrets: those of the configuration, the one of the data directory, and tokens signed with them."""

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import jwt
from pydantic import SecretStr

from server.auth.principal import AUDIENCE, OPERATOR, to_principal
from server.config import Config, ConfigError

SECRET_BYTES_MIN = 32
JWT_SECRET = "TAPEDECK_JWT_SECRET"  # noqa: S105
CLUSTER_SECRET = "TAPEDECK_CLUSTER_SECRET"  # noqa: S105
SECRET_FILE = "jwt-secret"  # noqa: S105


def mint_token(
    secret: str,
    *,
    sub: str,
    meetings: Mapping[str, str],
    operator: bool = False,
    ttl_seconds: int = 3600,
    now: Callable[[], float] = time.time,
) -> str:
    """A token signed with a secret, for the command line and tests. Raises TokenError for one that no server would take."""
    issued_at = int(now())
    claims: dict[str, Any] = {"sub": sub, "aud": AUDIENCE, "iat": issued_at, "exp": issued_at + ttl_seconds}
    claims["meetings"] = dict(meetings)
    if operator:
        claims["scope"] = OPERATOR
    to_principal(claims)
    return jwt.encode(claims, checked_secret(secret), algorithm="HS256")


def signing_secrets(config: Config) -> list[str]:
    """The secrets of tokens: the configured ones; none beside a key set alone; else the data directory's, for development.

    The first signs, all of them verify. Raises ConfigError.
    """
    configured = config.auth.jwt_secret
    if configured is not None:
        return _checked_secrets(configured, JWT_SECRET)
    return [] if config.auth.jwks else [load_or_create_secret(config.data_dir)]


def own_secrets(config: Config) -> list[str]:
    """What keys of this server's own are derived from, such as those of playback URLs: never empty. Raises ConfigError."""
    return signing_secrets(config) or [load_or_create_secret(config.data_dir)]


def cluster_secrets(config: Config) -> list[str]:
    """By which nodes of one database know each other. The first signs, all of them verify. Raises ConfigError."""
    configured = config.node.cluster_secret
    return own_secrets(config) if configured is None else _checked_secrets(configured, CLUSTER_SECRET)


def load_or_create_secret(data_dir: Path) -> str:
    """The development secret, random, made on first use and readable by its owner only. Raises ConfigError."""
    path = data_dir / SECRET_FILE
    try:
        if not path.exists():
            data_dir.mkdir(parents=True, exist_ok=True)
            _create_once(path, token_urlsafe(48))
        return checked_secret(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; set TAPEDECK_JWT_SECRET or a writable TAPEDECK_DATA_DIR"
        ) from None
    except (ConfigError, UnicodeDecodeError):
        raise ConfigError(f"{path}: does not hold a secret; delete it, and a new one is made") from None


def _checked_secrets(configured: SecretStr, variable: str) -> list[str]:
    return [checked_secret(secret.strip(), variable) for secret in configured.get_secret_value().split(",")]


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


def checked_secret(secret: str, variable: str = JWT_SECRET) -> str:
    """A secret that PyJWT takes for HS256 and that is long enough. Raises ConfigError without showing it."""
    if len(secret.encode()) < SECRET_BYTES_MIN:
        raise ConfigError(f"{variable}: each secret has {SECRET_BYTES_MIN} bytes or more")
    try:
        jwt.get_algorithm_by_name("HS256").prepare_key(secret)
    except jwt.InvalidKeyError:
        raise ConfigError(f"{variable}: this is an asymmetric key, not a shared secret") from None
    return secret
