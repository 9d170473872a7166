"""Domain values to plain JSON values and back.

The journal's rows, the snapshot of a meeting and the Redis cache are written with it. Fields that a stored value lacks take
their defaults, so a field can be added with one; events carry a version, and `upcast` lifts old ones.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from actors.domain.events import AnyEvent

T = TypeVar("T")
Convert = Callable[[Any], Any]

EVENT_VERSION = 1
EVENT_TYPES: dict[str, type[Any]] = {event.kind: event for event in get_args(AnyEvent)}


class CodecError(ValueError):
    """The stored value is not of the expected shape."""


def encode(value: Any) -> Any:
    """A value of the domain as dicts, lists, strings and numbers."""
    return _writer(type(value))(value)


def decode(kind: type[T], data: Any) -> T:
    """The inverse of `encode`. Raises CodecError."""
    try:
        return _reader(kind)(data)  # type: ignore[no-any-return]
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


def _made_once(make: Callable[[Any], Convert]) -> Callable[[Any], Convert]:
    """A writer or reader is kept for each type: every command writes and reads whole recordings."""
    return cache(make)


@_made_once
def _writer(kind: Any) -> Convert:
    if is_dataclass(kind):
        names = tuple(field.name for field in fields(kind))
        return lambda value: {name: encode(getattr(value, name)) for name in names}
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, Mapping):
        return lambda value: {str(key): encode(item) for key, item in value.items()}
    if issubclass(kind, tuple | list | frozenset):
        return lambda value: [encode(item) for item in value]
    return _as_it_is


@_made_once
def _reader(kind: Any) -> Convert:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return _as_it_is
    if origin in (Union, UnionType):
        return _optional_reader(*(item for item in arguments if item is not NoneType))
    if origin is tuple:
        return _tuple_reader(*arguments)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_reader(arguments[1])
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _scalar_reader(getattr(kind, "__supertype__", kind))


def _as_it_is(value: Any) -> Any:
    return value


def _optional_reader(present: Any) -> Convert:
    read = _reader(present)
    return lambda data: None if data is None else read(data)


def _tuple_reader(*kinds: Any) -> Convert:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        read = _reader(kinds[0])
        return lambda data: tuple([read(item) for item in data])
    readers = [_reader(kind) for kind in kinds]
    return lambda data: tuple([read(item) for read, item in zip(readers, data, strict=True)])


def _mapping_reader(item_kind: Any) -> Convert:
    read = _reader(item_kind)
    return lambda data: {key: read(item) for key, item in data.items()}


def _dataclass_reader(kind: Any) -> Convert:
    hints = get_type_hints(kind)
    readers = [
        (field.name, _reader(hints[field.name]), field.default is MISSING and field.default_factory is MISSING)
        for field in fields(kind)
    ]
    return lambda data: kind(**{name: read(data[name]) for name, read, required in readers if required or name in data})


def _scalar_reader(kind: type[Any]) -> Convert:
    def read(data: Any) -> Any:
        if kind is float and isinstance(data, int):
            return float(data)
        if not isinstance(data, kind):
            raise CodecError(f"expected {kind.__name__}, got {type(data).__name__}")
        return data

    return read
