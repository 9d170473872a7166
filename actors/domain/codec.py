"""Domain values to plain JSON values and back.

The journal's rows, the snapshot of a meeting and the Redis cache are written with it. Fields that a stored value lacks take
their defaults, so a field can be added with one; events carry a version, and `upcast` lifts old ones.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from actors.domain.events import AnyEvent

T = TypeVar("T")

EVENT_VERSION = 1
EVENT_TYPES: dict[str, type[Any]] = {event.kind: event for event in get_args(AnyEvent)}


class CodecError(ValueError):
    """The stored value is not of the expected shape."""


def encode(value: Any) -> Any:
    """A value of the domain as dicts, lists, strings and numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], data: Any) -> T:
    """The inverse of `encode`. Raises CodecError."""
    try:
        return _decode(kind, data)  # type: ignore[no-any-return]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CodecError(f"not a {kind.__name__}: {error!r}") from error


def encode_event(event: AnyEvent) -> dict[str, Any]:
    """An event's fields; its kind and version are stored beside them."""
    return encode(event)  # type: ignore[no-any-return]


def decode_event(kind: str, version: int, data: Mapping[str, Any]) -> AnyEvent:
    """An event from its stored kind, version and fields. Raises CodecError."""
    if kind not in EVENT_TYPES or version != EVENT_VERSION:
        raise CodecError(f"unknown event {kind} of version {version}")
    event: AnyEvent = decode(EVENT_TYPES[kind], data)
    return event


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode(kind: Any, data: Any) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return data
    if origin in (Union, UnionType):
        return _decode_optional(kind, data)
    if origin is tuple:
        item_kinds = get_args(kind)
        if len(item_kinds) == 2 and item_kinds[1] is Ellipsis:
            return tuple(_decode(item_kinds[0], item) for item in data)
        return tuple(_decode(item_kind, item) for item_kind, item in zip(item_kinds, data, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {key: _decode(get_args(kind)[1], item) for key, item in data.items()}
    if is_dataclass(kind):
        return _decode_dataclass(kind, data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return _decode_scalar(kind, data)


def _decode_optional(kind: Any, data: Any) -> Any:
    if data is None:
        return None
    (present,) = (item for item in get_args(kind) if item is not NoneType)
    return _decode(present, data)


def _decode_dataclass(kind: Any, data: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    values = {
        field.name: _decode(hints[field.name], data[field.name])
        for field in fields(kind)
        if field.name in data or (field.default is MISSING and field.default_factory is MISSING)
    }
    return kind(**values)


def _decode_scalar(kind: Any, data: Any) -> Any:
    kind = getattr(kind, "__supertype__", kind)
    if kind is float and isinstance(data, int):
        return float(data)
    if not isinstance(data, kind):
        raise CodecError(f"expected {kind.__name__}, got {type(data).__name__}")
    return data
