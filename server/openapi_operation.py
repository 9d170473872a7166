"""How the OpenAPI document is told of a route."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel

from server.schemas import NoParameters


class Access(StrEnum):
    """What a call is let in by."""

    BEARER = "bearer"
    STREAM = "stream"
    SIGNATURE = "signature"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. `answers` maps a status to a schema's name, None for no JSON; `problems` are those beside the common ones.

    `headers` are those of a request that mean something here, `sends` those of the good answers. `who` names the roles that
    are let in, and `operator`. `shows` names the examples of a status, where not all of the schema fit.
    """

    method: str
    path: str
    summary: str
    answers: dict[int, str | None]
    problems: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    shows: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    query: type[BaseModel] = NoParameters
    body: type[BaseModel] | None = None
    access: Access = Access.BEARER
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """The chapter that it belongs to."""
        if self.access is Access.STREAM:
            return "Streams"
        if self.access is not Access.BEARER:
            return "Server"
        return "Reading" if self.method == "get" else "Commands"
