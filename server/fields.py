"""What single values that clients send may be: each kind with its check, and with what the document says of it."""

import math
import re
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from server.moments import unix_ms

METADATA_BYTES_MAX = 4096
METADATA_DEPTH_MAX = 32
INTEGER_MAX = 2**63 - 1
UID_MAX = 2**32 - 1
UIDS_MAX = 32
UID_PATTERN = (
    "^([1-9][0-9]{0,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}"
    "|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5])$"
)
"""The uids as a pattern, for the document; what is checked is `_recorder_uid`."""
NOT_NUL = r"^[^\u0000]*$"
OUTPUTS = [["hls"], ["hls", "mp4"]]
CHANNEL_CHARACTERS = r"^[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]^_{}|~,]{1,63}$"
"""Agora's 89 characters of a channel name, fewer than 64 of them (reference 7.3, code 1013)."""
_DIGITS = re.compile(r"[0-9]{1,18}")
_SELECTION_SCHEMA = {
    "anyOf": [
        {"const": "all"},
        {
            "type": "array",
            "items": {"type": "string", "pattern": UID_PATTERN},
            "minItems": 1,
            "maxItems": UIDS_MAX,
        },
    ]
}


def wrong(text: str) -> PydanticCustomError:
    """A complaint in these very words: pydantic puts its own before those of a ValueError."""
    return PydanticCustomError("not_allowed", text)


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise wrong("holds U+0000 or a lone surrogate")
    return text


def _storable_json(value: dict[str, Any]) -> dict[str, Any]:
    _check_json(value, METADATA_DEPTH_MAX)
    if len(orjson.dumps(value)) > METADATA_BYTES_MAX:
        raise wrong(f"is longer than {METADATA_BYTES_MAX} bytes")
    return value


def _check_json(value: Any, depth: int) -> None:
    if depth == 0:
        raise wrong(f"is nested deeper than {METADATA_DEPTH_MAX}")
    match value:
        case str():
            _storable(value)
        case float() if not math.isfinite(value):
            raise wrong("holds a number that is not finite")
        case bool():
            pass
        case int() if abs(value) > INTEGER_MAX:
            raise wrong("holds an integer of more than 64 bits")
        case dict():
            for key, item in value.items():
                _storable(key)
                _check_json(item, depth - 1)
        case list():
            for item in value:
                _check_json(item, depth - 1)


def _recorder_uid(text: str) -> str:
    if not (text.isascii() and text.isdigit() and str(int(text)) == text and 0 < int(text) <= UID_MAX):
        raise wrong("is not a uid: a decimal number from 1 to 4294967295 as text")
    return text


def _everybody(value: Any) -> Any:
    """`"all"` as the core has it; null is no way to say it."""
    if value is None:
        raise wrong('is "all" or a list of uids')
    return None if value == "all" else value


def _whole(value: Any) -> Any:
    """JSON has one kind of numbers: 60.0 is as whole as 60."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)


def _outputs(values: list[str]) -> list[str]:
    if values not in OUTPUTS:
        raise wrong('is ["hls"] or ["hls","mp4"]')
    return values


def _meeting_id(text: str) -> str:
    if text in (".", ".."):
        raise wrong("is neither . nor ..")
    return text


def _time(value: Any) -> int:
    try:
        return unix_ms(value)
    except ValueError as error:
        raise wrong(str(error)) from None


def _digits(value: Any) -> Any:
    """A query's number is written in digits: no sign, no space, no underscore, all of which `int` would take."""
    if isinstance(value, str) and _DIGITS.fullmatch(value) is None:
        raise wrong("is a whole number, written in digits")
    return value


ShortText = Annotated[
    str, Field(min_length=1, max_length=128, json_schema_extra={"pattern": NOT_NUL}), AfterValidator(_storable)
]
Uid = Annotated[str, Field(max_length=10, json_schema_extra={"pattern": UID_PATTERN}), AfterValidator(_recorder_uid)]
Uids = Annotated[list[Uid], Field(min_length=1, max_length=UIDS_MAX)]
Selection = Annotated[Uids | None, BeforeValidator(_everybody), WithJsonSchema(_SELECTION_SCHEMA)]
"""Uids, or None for everybody. Not a union of two kinds: its errors would point at the kinds instead of the value."""
Outputs = Annotated[
    list[Literal["hls", "mp4"]], AfterValidator(_outputs), Field(max_length=2, json_schema_extra={"enum": OUTPUTS})
]
Metadata = Annotated[
    dict[str, Any], Field(json_schema_extra={"propertyNames": {"pattern": NOT_NUL}}), AfterValidator(_storable_json)
]
IN_DIGITS = BeforeValidator(_digits)
Time = Annotated[int, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339, as Unix milliseconds."""
MeetingName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$"), AfterValidator(_meeting_id)]
