"""The closed list of errors that a client can see, and their one form: problem+json of RFC 9457 (`api.md` 2).

Whoever refuses a request raises a `Problem` with a code of this list; nothing else decides on a status. What a client should
do stands here too, so that the documents, the pages and `docs/errors.md` agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from aiohttp import web

PROBLEM_TYPE = "application/problem+json"


class Action(StrEnum):
    """What a client should do, in a word."""

    MEND = "mend the request"
    GIVE_UP = "give up"
    WAIT = "wait, then repeat with the same key"
    REPEAT = "repeat with the same key"


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code: its status and title, what it means, what a client should do, and whether a repeat may help.

    `retry_after_seconds` is sent where the refusal names no other wait. Nothing answers with a `reserved` code yet.
    """

    status: int
    title: str
    explanation: str
    action: Action
    advice: str
    retryable: bool = False
    retry_after_seconds: int | None = None
    reserved: bool = False


ERRORS: Mapping[str, ErrorCode] = {
    "bad_request": ErrorCode(
        400,
        "The request cannot be read",
        "It is not HTTP as this server takes it: the body is not JSON or not UTF-8, or a header has no legal value.",
        Action.MEND,
        "Send JSON in UTF-8 and legal headers.",
    ),
    "unauthenticated": ErrorCode(
        401,
        "A valid token is missing",
        "Send Authorization: Bearer with a token that is signed with the server's secret, has not expired, is for the "
        "audience tapedeck, and names known roles only.",
        Action.MEND,
        "Get a new token, then send the same request with the same key.",
    ),
    "invalid_signature": ErrorCode(
        401,
        "The signature is wrong",
        "The notification does not carry the signature that its content asks for. Check the shared secret, and that nothing "
        "on the way changes the body.",
        Action.MEND,
        "Give both sides the same secret.",
    ),
    "forbidden": ErrorCode(
        403,
        "The role does not allow this",
        "The token is valid, but neither its role in this meeting nor its scope allows the call; or a media URL is not signed, "
        "was changed, or has expired: the playback call gives a new one.",
        Action.GIVE_UP,
        "Another token is needed: ask whoever mints them, or fetch a new playback URL.",
    ),
    "not_found": ErrorCode(
        404,
        "There is no such thing here",
        "The address names nothing, or nothing that this token may know of: a meeting in which it has no role, for "
        "example.",
        Action.GIVE_UP,
        "Check the address, and the meetings that the token names.",
    ),
    "no_active_recording": ErrorCode(
        409,
        "No recording is live",
        "Nothing is being recorded in this meeting now. A stop answers 409, with the last recording if there was one; "
        "the call for the live recording answers 404.",
        Action.GIVE_UP,
        "Take it as done: nothing is recorded.",
    ),
    "no_media": ErrorCode(
        404,
        "There is nothing to play",
        "The recording ended without media that is worth playing; its error says why.",
        Action.GIVE_UP,
        "Show the recording's error instead of a player.",
    ),
    "method_not_allowed": ErrorCode(
        405,
        "The address does not take this method",
        "The header Allow lists the methods that it takes.",
        Action.MEND,
        "Use a method that Allow lists.",
    ),
    "recording_already_active": ErrorCode(
        409,
        "A recording is live already",
        "One recording of a meeting is live at most; the answer holds it. While it is stopping, wait for Retry-After and "
        "start again.",
        Action.GIVE_UP,
        "Use the recording of the answer. If retryable is true, it is being stopped: wait for Retry-After and start again.",
    ),
    "recording_aborted": ErrorCode(
        409,
        "The recording was stopped before it began",
        "Somebody stopped the recording while this start was waiting for it. The answer holds it.",
        Action.GIVE_UP,
        "Somebody else decided; start again only if a user asks for it.",
    ),
    "recording_live": ErrorCode(
        409,
        "The recording is not over",
        "A recording can be deleted once it is completed, failed or aborted, and take a file once it is completed or failed. "
        "Stop it first.",
        Action.GIVE_UP,
        "Stop it, follow its events until it is over, then repeat.",
    ),
    "recording_not_active": ErrorCode(
        409,
        "The recording is not active",
        "Layout and subscription can be changed while a recording is active or paused, not while it starts or stops.",
        Action.GIVE_UP,
        "Repeat when the recording is active, which its events tell.",
    ),
    "recording_not_ready": ErrorCode(
        409,
        "There is nothing to play yet",
        "The recording has only begun, or its files are still on their way. Ask again after Retry-After, or follow the events.",
        Action.WAIT,
        "Ask again after Retry-After, or when its events say that it is over.",
        retryable=True,
        retry_after_seconds=5,
    ),
    "recording_locked": ErrorCode(
        409,
        "The recording is locked",
        "The bucket keeps an object of it under a lock until a date, which lockedUntil tells, or under somebody's legal hold; "
        "then lockedUntil is null. Nothing was deleted.",
        Action.GIVE_UP,
        "Delete it after lockedUntil; a hold has to be lifted by whoever put it there.",
    ),
    "sweep_running": ErrorCode(
        409,
        "A sweep is running",
        "One sweep runs at a time, over all nodes: another caller's, or the one that nobody asks for.",
        Action.WAIT,
        "Ask again after Retry-After.",
        retryable=True,
        retry_after_seconds=30,
    ),
    "recording_deleted": ErrorCode(
        410,
        "The recording was deleted",
        "Its media is gone; its entry is kept as a record.",
        Action.GIVE_UP,
        "Forget its URLs.",
    ),
    "payload_too_large": ErrorCode(
        413,
        "The body is too large",
        "The body has more bytes than the server takes (http.body_bytes_max; of files attach.bytes_max).",
        Action.MEND,
        "Send less.",
    ),
    "uri_too_long": ErrorCode(
        414,
        "The address is too long",
        "Path and query have more bytes than the server takes (http.uri_bytes_max).",
        Action.MEND,
        "Send a shorter query.",
    ),
    "unsupported_media_type": ErrorCode(
        415,
        "The body's type is not taken",
        "Bodies are application/json in UTF-8, without a Content-Encoding; files that are added are media (attach.types).",
        Action.MEND,
        "Send application/json in UTF-8, not compressed.",
    ),
    "validation_failed": ErrorCode(
        422,
        "Some values are not allowed",
        "The list errors names each of them: a JSON pointer into the body, or the name of a parameter, and what is wrong.",
        Action.MEND,
        "Correct what errors[] points at.",
    ),
    "idempotency_key_reused": ErrorCode(
        422,
        "The Idempotency-Key was used for something else",
        "The same key came with another body before. Use a new key for a new command.",
        Action.MEND,
        "Use a new key for another command, and the same body for the same one.",
    ),
    "rate_limited": ErrorCode(
        429,
        "Too many requests",
        "Slow down, and repeat after Retry-After.",
        Action.WAIT,
        "Repeat after Retry-After with the same key, and less often from then on.",
        retryable=True,
        retry_after_seconds=1,
        reserved=True,
    ),
    "headers_too_large": ErrorCode(
        431,
        "The headers are too large",
        "A header, or all of them together, has more bytes than the server takes (http.header_bytes_max, "
        "http.headers_bytes_max).",
        Action.MEND,
        "Send fewer and smaller headers, cookies above all.",
    ),
    "internal": ErrorCode(
        500,
        "Something is wrong in the server",
        "This is a defect of the server. Its log has the request's id.",
        Action.REPEAT,
        "Repeat once; report the requestId if it stays.",
        retryable=True,
    ),
    "provider_rejected": ErrorCode(
        502,
        "The provider refused",
        "The recording service refused for good. The recording under recording has failed and says why; after a change of "
        "a live one, it goes on as it was before.",
        Action.GIVE_UP,
        "Look at the recording's error; a new key makes a new attempt.",
    ),
    "provider_unauthorized": ErrorCode(
        502,
        "The provider does not accept the credentials",
        "The recording service refused the server's credentials. An operator has to correct them.",
        Action.GIVE_UP,
        "Tell the operators; nothing is recorded until they act.",
    ),
    "provider_unavailable": ErrorCode(
        503,
        "The provider cannot be reached",
        "The recording service does not answer, or no secret is set to verify its notifications by. Nothing was stored; "
        "repeat after Retry-After.",
        Action.WAIT,
        "Repeat after Retry-After with the same key.",
        retryable=True,
        retry_after_seconds=5,
    ),
    "recording_capacity_exhausted": ErrorCode(
        503,
        "No recorder is free",
        "A limit of the recording service is reached; limit names it. Nothing was stored; repeat after Retry-After.",
        Action.WAIT,
        "Repeat after Retry-After with the same key; other recordings have to end first.",
        retryable=True,
        retry_after_seconds=30,
    ),
    "storage_unavailable": ErrorCode(
        503,
        "The storage cannot take a recording",
        "The storage is full or does not answer. Nothing was stored; repeat after Retry-After.",
        Action.WAIT,
        "Repeat after Retry-After with the same key; if it stays, tell the operators.",
        retryable=True,
        retry_after_seconds=5,
    ),
    "database_unavailable": ErrorCode(
        503,
        "The database does not answer",
        "Nothing was stored, unless outcome is unknown: then repeat with the same Idempotency-Key.",
        Action.REPEAT,
        "Repeat after Retry-After, with the same key without fail: it keeps the command from being done twice.",
        retryable=True,
        retry_after_seconds=1,
    ),
    "draining": ErrorCode(
        503,
        "The server is being restarted",
        "It takes no new commands. Nothing was stored; repeat after Retry-After. Recordings go on.",
        Action.WAIT,
        "Repeat after Retry-After with the same key; another server will answer.",
        retryable=True,
        retry_after_seconds=1,
    ),
    "overloaded": ErrorCode(
        503,
        "The server has too much to do",
        "A queue is full, or another server has the meeting. Nothing was stored; repeat after Retry-After.",
        Action.WAIT,
        "Repeat after Retry-After with the same key, with longer pauses each time.",
        retryable=True,
        retry_after_seconds=1,
    ),
    "meeting_quarantined": ErrorCode(
        503,
        "The meeting is set aside after repeated errors",
        "Handling this meeting failed several times. It is tried again by itself; an operator has been told.",
        Action.WAIT,
        "Repeat after Retry-After with the same key; other meetings are not affected.",
        retryable=True,
        retry_after_seconds=1,
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
        wait = retry_after_seconds or self.error.retry_after_seconds
        if wait is not None:
            self.headers["Retry-After"] = str(wait)

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
