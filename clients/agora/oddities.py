"""What Agora says that makes no sense: counted each time, and logged once for each shape it comes in.

A shape is made of types and of the names of fields. Values never stand in it: nobody knows what they are.
"""

import re
from typing import Any

import structlog

from clients.agora.observing import CallObserver

log = structlog.get_logger(__name__)

SHAPES_MAX = 1000
"""So many shapes are remembered, and so logged, in the life of a process."""
FIELDS_MAX, DEPTH_MAX = 12, 3
_NAME = re.compile(r"[A-Za-z_][A-Za-z_-]{0,31}")
TYPES = {bool: "boolean", int: "number", float: "number", str: "text", type(None): "null"}


class Oddities:
    """Where odd things are reported. `call` is as in `CallObserver`, or `webhook`."""

    def __init__(self, observe: CallObserver) -> None:
        self._observe = observe
        self._seen: set[tuple[str, str, str]] = set()

    def note(self, call: str, kind: str, shape: str) -> None:
        """One more of this kind."""
        self._observe.odd(call, kind)
        seen = (call, kind, shape)
        if seen not in self._seen and len(self._seen) < SHAPES_MAX:
            self._seen.add(seen)
            log.warning("agora.odd", call=call, kind=kind, shape=shape)


def shape_of(value: Any, depth: int = DEPTH_MAX) -> str:
    """`{sid: text, serverResponse: {status: number}}`. A name that looks like a value is a `?`."""
    if isinstance(value, dict):
        if depth == 0:
            return "{…}"
        fields = [f"{_name(name)}: {shape_of(each, depth - 1)}" for name, each in list(value.items())[:FIELDS_MAX]]
        return f"{{{', '.join([*sorted(set(fields)), *(['…'] if len(value) > FIELDS_MAX else [])])}}}"
    if isinstance(value, list):
        return f"[{shape_of(value[0], depth - 1) if value and depth else ''}]"
    return TYPES.get(type(value), "?")


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) else "?"
