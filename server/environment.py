"""What the environment says about the settings, under its usual names and as `TAPEDECK_<SECTION>__<KEY>`.

A name that looks like ours and is none ends the start: a limit or `TAPEDECK_REQUIRE_REAL` with a slip in its name
must not be ignored silently. An empty variable counts as unset, as container files leave many of them empty.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

PREFIX = "TAPEDECK_"
CONFIG_VARIABLE = "TAPEDECK_CONFIG"
TOKEN_VARIABLE = "TAPEDECK_TOKEN"  # noqa: S105 (what `tapedeck recordings` sends; no setting)

USUAL_NAMES: Mapping[str, tuple[str, str]] = {
    "HOST": ("server", "host"),
    "PORT": ("server", "port"),
    "TAPEDECK_PUBLIC_URL": ("server", "public_url"),
    "TAPEDECK_DATA_DIR": ("server", "data_dir"),
    "TAPEDECK_REQUIRE_REAL": ("server", "require_real"),
    "TAPEDECK_JWT_SECRET": ("auth", "jwt_secret"),
    "TAPEDECK_JWKS": ("auth", "jwks"),
    "TAPEDECK_NODE_URL": ("node", "url"),
    "TAPEDECK_CLUSTER_SECRET": ("node", "cluster_secret"),
    "DATABASE_URL": ("database", "url"),
    "REDIS_URL": ("redis", "url"),
    "AGORA_APP_ID": ("agora", "app_id"),
    "AGORA_CUSTOMER_ID": ("agora", "customer_id"),
    "AGORA_CUSTOMER_SECRET": ("agora", "customer_secret"),
    "AGORA_APP_CERTIFICATE": ("agora", "app_certificate"),
    "AGORA_WEBHOOK_SECRET": ("agora", "webhook_secret"),
    "AGORA_BASE_URL": ("agora", "base_url"),
    "AWS_S3_BUCKET": ("storage", "bucket"),
    "AWS_REGION": ("storage", "region"),
    "AWS_REGION_ID": ("storage", "region_id"),
    "AWS_ENDPOINT_URL_S3": ("storage", "endpoint_url"),
    "AWS_ACCESS_KEY_ID": ("storage", "access_key_id"),
    "AWS_SECRET_ACCESS_KEY": ("storage", "secret_access_key"),
    "AWS_SESSION_TOKEN": ("storage", "session_token"),
}


class ConfigError(Exception):
    """The configuration cannot be used. Its text is one line that names the key or variable, never a secret."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value that the environment gives, and the variable that gave it."""

    variable: str
    value: Any


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting may come from the environment only."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def read_environment(root: type[BaseModel], environ: Mapping[str, str]) -> dict[tuple[str, str], Given]:
    """The settings that the environment gives, by (section, key). Raises ConfigError.

    `TAPEDECK_<SECTION>__<KEY>` beats a usual name: platforms set `PORT` and `HOST` without being asked.
    """
    fields = fields_of(root)
    variables = [*USUAL_NAMES.items(), *((_own_name(*place), place) for place in fields)]
    _refuse_unknown(variables, fields, environ)
    found: dict[tuple[str, str], Given] = {}
    for variable, place in variables:
        given = _given(variable, fields[place], environ)
        if given is not None:
            found[place] = given
    return found


def fields_of(root: type[BaseModel]) -> dict[tuple[str, str], FieldInfo]:
    """All settings by (section, key)."""
    return {
        (section, key): field
        for section, table in root.model_fields.items()
        if isinstance(table.annotation, type) and issubclass(table.annotation, BaseModel)
        for key, field in table.annotation.model_fields.items()
    }


def _own_name(section: str, key: str) -> str:
    return f"{PREFIX}{section}__{key}".upper()


def _refuse_unknown(
    variables: list[tuple[str, tuple[str, str]]],
    fields: Mapping[tuple[str, str], FieldInfo],
    environ: Mapping[str, str],
) -> None:
    files = {f"{variable}_FILE" for variable, place in variables if is_secret(fields[place])}
    known = {variable for variable, _ in variables} | files | {CONFIG_VARIABLE, TOKEN_VARIABLE}
    for variable in sorted(name for name, text in environ.items() if text and name not in known):
        if variable.startswith(PREFIX):
            _refuse_slip(variable, known)


def _refuse_slip(variable: str, known: set[str]) -> None:
    # Kubernetes sets TAPEDECK_SERVICE_HOST and the like for a service of this name: only what is ours by its
    # form, or is nearly one of our names, is a mistake.
    own_form = "__" in variable
    near = difflib.get_close_matches(variable, [name for name in known if ("__" in name) is own_form], n=1, cutoff=0.85)
    if near or own_form:
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"{variable}: there is no such setting{hint}")


def _given(variable: str, field: FieldInfo, environ: Mapping[str, str]) -> Given | None:
    text = environ.get(variable, "")
    file = environ.get(f"{variable}_FILE", "") if is_secret(field) else ""
    if text and file:
        raise ConfigError(f"{variable} and {variable}_FILE are both set; unset one")
    if file:
        return Given(f"{variable}_FILE", _read_secret(f"{variable}_FILE", Path(file)))
    return Given(variable, _convert(variable, field, text)) if text else None


def _read_secret(variable: str, path: Path) -> SecretStr:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{variable}: cannot read {path}: {_reason(error)}") from None
    if not text:
        raise ConfigError(f"{variable}: {path} is empty")
    return SecretStr(text)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "it is not UTF-8"


def _convert(variable: str, field: FieldInfo, text: str) -> Any:
    """The text as the setting's type; lists and tables are JSON. What it may hold is checked with the whole."""
    origins = {get_origin(field.annotation), *(get_origin(part) for part in get_args(field.annotation))}
    try:
        if origins & {tuple, dict}:
            return json.loads(text)
        kind: Any = field.annotation
        return TypeAdapter(kind).validate_strings(text)
    except ValidationError as error:
        raise ConfigError(f"{variable}: {error.errors()[0]['msg']}") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{variable}: a list or table is written as JSON") from None
