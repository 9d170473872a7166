"""What a verified token says of its caller. Roles belong to meetings and come from the token alone; the server keeps no
users."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

AUDIENCE = "tapedeck"
OPERATOR = "operator"
SUBJECT_CHARACTERS_MAX = 255
EXPIRES_AT_MAX = 253402300799  # the end of the year 9999: a stream's timer is set by it


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


def to_principal(claims: Mapping[str, Any]) -> Principal:
    """The principal that verified claims describe. Raises TokenError."""
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise TokenError("scope is a text")
    roles = _roles(claims.get("meetings", {}))
    return Principal(_subject(claims["sub"]), MappingProxyType(roles), frozenset(scope.split()), _expiry(claims))


def _expiry(claims: Mapping[str, Any]) -> int:
    for name in ("exp", "nbf", "iat"):
        # PyJWT takes "1790000000" and true for numbers (RFC 7519 2: a NumericDate is a JSON number).
        if type(claims.get(name, 0)) not in (int, float):
            raise TokenError(f"{name} is a number")
    expires_at = int(claims["exp"])
    if expires_at > EXPIRES_AT_MAX:
        raise TokenError("exp is Unix time in seconds")
    return expires_at


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
