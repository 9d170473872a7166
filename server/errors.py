"""The closed list of errors that a client can see, and their one form: problem+json of RFC 9457 (`api.md` 2).

Whoever refuses a request raises a `Problem` with a code of this list; nothing else decides on a status.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import orjson
from aiohttp import web

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code: its status, its title, whether a repeat may help, and the text of its page."""

    status: int
    title: str
    explanation: str
    retryable: bool = False


ERRORS: Mapping[str, ErrorCode] = {
    "bad_request": ErrorCode(
        400,
        "The request cannot be read",
        "It is not HTTP as this server takes it: the body is not JSON or not UTF-8, or a header has no legal value.",
    ),
    "unauthenticated": ErrorCode(
        401,
        "A valid token is missing",
        "Send Authorization: Bearer with a token that is signed with the server's secret, has not expired, is for the "
        "audience tapedeck, and names known roles only.",
    ),
    "invalid_signature": ErrorCode(
        401,
        "The signature is wrong",
        "The notification does not carry the signature that its content asks for. Check the shared secret, and that nothing "
        "on the way changes the body.",
    ),
    "forbidden": ErrorCode(
        403,
        "The role does not allow this",
        "The token is valid, but neither its role in this meeting nor its scope allows the call; or a media URL is not signed, "
        "was changed, or has expired: the playback call gives a new one.",
    ),
    "not_found": ErrorCode(
        404,
        "There is no such thing here",
        "The address names nothing, or nothing that this token may know of: a meeting in which it has no role, for "
        "example.",
    ),
    "no_active_recording": ErrorCode(
        409,
        "No recording is live",
        "Nothing is being recorded in this meeting now. A stop answers 409, with the last recording if there was one; "
        "the call for the live recording answers 404.",
    ),
    "no_media": ErrorCode(
        404,
        "There is nothing to play",
        "The recording ended without media that is worth playing; its error says why.",
    ),
    "method_not_allowed": ErrorCode(
        405,
        "The address does not take this method",
        "The header Allow lists the methods that it takes.",
    ),
    "recording_already_active": ErrorCode(
        409,
        "A recording is live already",
        "One recording of a meeting is live at most; the answer holds it. While it is stopping, wait for Retry-After and "
        "start again.",
    ),
    "recording_aborted": ErrorCode(
        409,
        "The recording was stopped before it began",
        "Somebody stopped the recording while this start was waiting for it. The answer holds it.",
    ),
    "recording_live": ErrorCode(
        409,
        "The recording is not over",
        "A recording can be deleted once it is completed, failed or aborted. Stop it first.",
    ),
    "recording_not_active": ErrorCode(
        409,
        "The recording is not active",
        "Layout and subscription can be changed while a recording is active or paused, not while it starts or stops.",
    ),
    "recording_not_ready": ErrorCode(
        409,
        "There is nothing to play yet",
        "The recording has only begun, or its files are still on their way. Ask again after Retry-After, or follow the events.",
        retryable=True,
    ),
    "recording_locked": ErrorCode(
        409,
        "The recording is locked",
        "Something protects the recording from deletion, a legal hold for example.",
    ),
    "recording_deleted": ErrorCode(
        410,
        "The recording was deleted",
        "Its media is gone; its entry is kept as a record.",
    ),
    "payload_too_large": ErrorCode(
        413,
        "The body is too large",
        "The body has more bytes than the server takes (http.body_bytes_max).",
    ),
    "uri_too_long": ErrorCode(
        414,
        "The address is too long",
        "Path and query have more bytes than the server takes (http.uri_bytes_max).",
    ),
    "unsupported_media_type": ErrorCode(
        415,
        "The body's type is not taken",
        "Bodies are application/json in UTF-8, without a Content-Encoding.",
    ),
    "validation_failed": ErrorCode(
        422,
        "Some values are not allowed",
        "The list errors names each of them: a JSON pointer into the body, or the name of a parameter, and what is wrong.",
    ),
    "idempotency_key_reused": ErrorCode(
        422,
        "The Idempotency-Key was used for something else",
        "The same key came with another body before. Use a new key for a new command.",
    ),
    "rate_limited": ErrorCode(
        429,
        "Too many requests",
        "Slow down, and repeat after Retry-After.",
        retryable=True,
    ),
    "headers_too_large": ErrorCode(
        431,
        "The headers are too large",
        "A header, or all of them together, has more bytes than the server takes (http.header_bytes_max, "
        "http.headers_bytes_max).",
    ),
    "internal": ErrorCode(
        500,
        "Something is wrong in the server",
        "This is a defect of the server. Its log has the request's id.",
        retryable=True,
    ),
    "provider_rejected": ErrorCode(
        502,
        "The provider refused",
        "The recording service refused for good. The recording under recording has failed and says why; after a change of "
        "a live one, it goes on as it was before.",
    ),
    "provider_unauthorized": ErrorCode(
        502,
        "The provider does not accept the credentials",
        "The recording service refused the server's credentials. An operator has to correct them.",
    ),
    "provider_unavailable": ErrorCode(
        503,
        "The provider cannot be reached",
        "The recording service does not answer. Nothing was stored; repeat after Retry-After.",
        retryable=True,
    ),
    "recording_capacity_exhausted": ErrorCode(
        503,
        "No recorder is free",
        "A limit on recorders is reached; limit names it. Nothing was stored; repeat after Retry-After.",
        retryable=True,
    ),
    "storage_unavailable": ErrorCode(
        503,
        "The storage cannot take a recording",
        "The storage is full or does not answer. Nothing was stored; repeat after Retry-After.",
        retryable=True,
    ),
    "database_unavailable": ErrorCode(
        503,
        "The database does not answer",
        "Nothing was stored, unless outcome is unknown: then repeat with the same Idempotency-Key.",
        retryable=True,
    ),
    "draining": ErrorCode(
        503,
        "The server is being restarted",
        "It takes no new commands. Nothing was stored; repeat after Retry-After. Recordings go on.",
        retryable=True,
    ),
    "overloaded": ErrorCode(
        503,
        "The server has too much to do",
        "A queue is full. Nothing was stored; repeat after Retry-After.",
        retryable=True,
    ),
    "meeting_quarantined": ErrorCode(
        503,
        "The meeting is set aside after repeated errors",
        "Handling this meeting failed several times. It is tried again by itself; an operator has been told.",
        retryable=True,
    ),
}


class Problem(Exception):
    """A refusal in the form that the client gets.

    `code` is one of `ERRORS`; `status` is given only for `no_active_recording`, whose status depends on the call.
    `errors` are the pairs (pointer, detail) of `validation_failed`; `extra` are further members, such as `recording`.
    """

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        status: int | None = None,
        retryable: bool | None = None,
        retry_after_seconds: int | None = None,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.error = ERRORS[code]
        self.status = status or self.error.status
        self.detail = detail or self.error.explanation
        self.retryable = self.error.retryable if retryable is None else retryable
        self.errors = errors
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        if retry_after_seconds is not None:
            self.headers["Retry-After"] = str(retry_after_seconds)

    def body(self, request_id: str) -> dict[str, Any]:
        """The members of the problem document."""
        members: dict[str, Any] = {
            "type": f"/errors/{self.code}",
            "title": self.error.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "requestId": request_id,
            "retryable": self.retryable,
        }
        if self.errors:
            members["errors"] = [{"pointer": pointer, "detail": detail} for pointer, detail in self.errors]
        return {**self.extra, **members}

    def response(self, request_id: str) -> web.Response:
        """The answer that carries the problem."""
        return web.Response(
            status=self.status,
            body=orjson.dumps(self.body(request_id)),
            content_type=PROBLEM_TYPE,
            headers=self.headers,
        )


def invalid(pointer: str, detail: str) -> Problem:
    """The problem of one value that is not allowed."""
    return Problem("validation_failed", f"{pointer}: {detail}", errors=[(pointer, detail)])


async def explain(request: web.Request) -> web.Response:
    """`GET /errors/{code}`: what a code means, as a page for people."""
    code = request.match_info["code"]
    error = ERRORS.get(code)
    if error is None:
        raise Problem("not_found", "there is no such error code")
    return web.Response(text=_page(code, error), content_type="text/html")


def _page(code: str, error: ErrorCode) -> str:
    repeat = "A repeat may help." if error.retryable else "A repeat of the same request does not help."
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{code}</title>'
        f"<h1>{escape(error.title)}</h1><p><code>{code}</code>, status {error.status}</p>"
        f"<p>{escape(error.explanation)} {repeat}</p></html>"
    )
