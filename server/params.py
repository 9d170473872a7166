"""What stands in a request's path, query and body, checked in one way: what is malformed is a 422 with a pointer.

Nothing is guessed and nothing dropped: an unknown or doubled query parameter is a mistake of the caller, who would
otherwise believe that a filter works.
"""

import asyncio
import re
from typing import TypeVar, get_origin
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ValidationError

from server.errors import Problem, invalid
from server.settings import HttpSettings

Model = TypeVar("Model", bound=BaseModel)
HTTP_SETTINGS: web.AppKey[HttpSettings] = web.AppKey("http_settings", HttpSettings)
VALUE_CHARACTERS_MAX = 512
_BODY: web.RequestKey[bytes] = web.RequestKey("body", bytes)
_MEETING_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_meeting_id(text: str) -> bool:
    """1 to 64 characters of `A-Z a-z 0-9 _ . : -`, not `.` or `..` (api.md 1)."""
    return _MEETING_ID.fullmatch(text) is not None and text not in (".", "..")


def meeting_id_of(request: web.Request) -> str:
    """The path's meeting id. Raises Problem 422 with the pointer `/meetingId`."""
    meeting_id = request.match_info["meetingId"]
    if not is_meeting_id(meeting_id):
        raise invalid("/meetingId", "1 to 64 characters of A-Z a-z 0-9 _ . : - and neither . nor ..")
    return meeting_id


def recording_id_of(request: web.Request) -> str:
    """The path's recording id. The server makes these ids, so what is none of its form names nothing: Problem 404."""
    recording_id = request.match_info["id"].lower()
    if _UUID.fullmatch(recording_id) is None:
        raise Problem("not_found", "there is no such recording")
    return str(UUID(recording_id))


def parse_query(request: web.Request, model: type[Model]) -> Model:
    """The query as a model. Fields that are lists may stand there several times, all others once. Raises Problem 422."""
    lists = {field.alias or name for name, field in model.model_fields.items() if _is_list(field.annotation)}
    values: dict[str, object] = {}
    for name in request.query:
        given = request.query.getall(name)
        if name not in lists and len(given) > 1:
            raise invalid(f"/{name}", "this parameter stands there more than once")
        if any(len(value) > VALUE_CHARACTERS_MAX for value in given):
            raise invalid(f"/{name}", f"{VALUE_CHARACTERS_MAX} characters at most")
        values[name] = given if name in lists else given[0]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise validation_problem(error) from None


def _is_list(annotation: object) -> bool:
    return get_origin(annotation) in (list, tuple, set, frozenset)


async def read_json(request: web.Request, bytes_max: int) -> bytes:
    """The body's JSON text in UTF-8; `{}` without a body, whatever its Content-Type says. Raises Problem 413, 415."""
    body = await read_body(request, bytes_max)
    if not body:
        return b"{}"
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise Problem("unsupported_media_type", "the body is application/json in UTF-8")
    return body


async def read_body(request: web.Request, bytes_max: int) -> bytes:
    """The raw body, also when it is asked for again. Raises Problem 413 above the limit, without reading on, and 400 when it
    does not come to an end."""
    if _BODY in request:
        return request[_BODY]
    if (request.content_length or 0) > bytes_max:
        raise _too_large(bytes_max)
    body = bytearray()
    seconds = request.app[HTTP_SETTINGS].body_seconds_max
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > bytes_max:
                    raise _too_large(bytes_max)
    except TimeoutError:
        raise Problem("bad_request", f"the body did not arrive within {seconds:g} s") from None
    request[_BODY] = bytes(body)
    return request[_BODY]


def _too_large(bytes_max: int) -> Problem:
    return Problem("payload_too_large", f"the body has more than {bytes_max} bytes")


def parse_body(body: bytes, model: type[Model]) -> Model:
    """A JSON body as a model. Raises Problem 400 for what is not JSON, 422 for what is not allowed."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise validation_problem(error) from None


def validation_problem(error: ValidationError) -> Problem:
    """A model's complaints as a problem with JSON pointers; the values themselves are not repeated."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    if any(each["type"] == "json_invalid" for each in found):
        return Problem("bad_request", "the body is not JSON in UTF-8")
    errors = [("".join(f"/{_escape(str(part))}" for part in each["loc"]), each["msg"]) for each in found[:20]]
    return Problem("validation_failed", f"{errors[0][0] or '/'}: {errors[0][1]}", errors=errors)


def _escape(part: str) -> str:
    # RFC 6901; a lone surrogate in an unknown key could not be sent back.
    return part.replace("~", "~0").replace("/", "~1").encode("utf-8", "replace").decode()[:VALUE_CHARACTERS_MAX]
