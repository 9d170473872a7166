"""What schemathesis is told beside the document: how to sign notifications, and which refusals no schema can foresee."""

import hashlib
import hmac
import json
import os

import requests
import schemathesis
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

WEBHOOK_SECRET = os.environ["AGORA_WEBHOOK_SECRET"]
UNFORESEEN = (
    "cursor and offset exclude each other",
    "this is no cursor of this list",
    "this cursor was made for other filters",
    "has more than 1920 x 1080 pixels",
    "is not a uid: a decimal number from 1 to 4294967295 as text",
    "holds U+0000 or a lone surrogate",
    "is longer than 4096 bytes",
    "is nested deeper than 32",
    "holds an integer of more than 64 bits",
    "is needed, since the meeting id has 64 characters",
    "say what the file is to be called",  # the body is optional in the document, as JSON or as the file itself
    "names no file that could be called so: say how it is to be called",
    "names no type of media that is taken (attach.types)",
)
"""Of validation_failed: they depend on several values at once, on the server's own earlier words, or on bytes."""


class SignedNotice(requests.auth.AuthBase):
    """Signs the body as Agora does."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        request.headers["Agora-Signature-V2"] = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
        return request


schemathesis.auth.set_from_requests(SignedNotice()).apply_to(path="/api/v1/webhooks/agora")


@schemathesis.check
def valid_data_is_taken(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """schemathesis' own check, but for what no schema can foresee."""
    if response.status_code == 410:
        return None  # as 404 and 409: it depends on what happened before
    if response.status_code == 422 and _is_unforeseen(case.method, json.loads(response.content)):
        return None
    # The body is optional in the document, as JSON or as the file itself; without one there is no type.
    if case.operation.path.endswith("/files") and response.status_code == 415:
        return None
    # A URL of /media/ opens something only if this server has signed it.
    if case.operation.path == "/media/{key}" and response.status_code == 403:
        return None
    return positive_data_acceptance(ctx, response, case)


def _is_unforeseen(method: str, problem: dict[str, object]) -> bool:
    if problem["code"] == "idempotency_key_reused":
        return True
    errors = problem["errors"]
    assert isinstance(errors, list)
    # Whether a layout may be changed depends on what the recording was started with.
    more = ("goes with streams audio_video only",) if method == "PATCH" else ()
    # Whether something can be fetched from a URL is for the world to say.
    return all(each["pointer"] == "/url" or each["detail"].endswith((*UNFORESEEN, *more)) for each in errors)
