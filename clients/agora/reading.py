"""Single facts out of an answer's body, each tolerant where the reference marks a conflict."""

import re
from typing import Any

from actors.domain.outcomes import Members
from clients.agora.banning import UID_MAX

_SID = re.compile(r"[0-9a-f]{32}")
_RESOURCE_ID = re.compile(r"[A-Za-z0-9_=.-]{1,2048}")
MILLISECONDS_FROM = 10**11
"""A time above this is in milliseconds, below it in seconds (reference 4.2)."""


def resource_id_of(body: dict[str, Any]) -> str | None:
    """The resource id, if it can stand in a path (reference 2)."""
    value = body.get("resourceId")
    return value if isinstance(value, str) and _RESOURCE_ID.fullmatch(value) else None


def sid_of(body: dict[str, Any]) -> str | None:
    """The sid: 32 lower-case hex characters (reference 3.8)."""
    value = body.get("sid")
    return value if isinstance(value, str) and _SID.fullmatch(value) else None


def is_of_session(body: dict[str, Any]) -> bool:
    """Whether it looks like the service's answer to a call about a session, which names it (reference 5, 6.1)."""
    return sid_of(body) is not None or resource_id_of(body) is not None or bool(_server_response(body))


def status_of(body: dict[str, Any]) -> int | None:
    """`serverResponse.status`, 0-8 or 20 (reference 4.1)."""
    value = _server_response(body).get("status")
    known = isinstance(value, int) and not isinstance(value, bool) and (0 <= value <= 8 or value == 20)
    return value if known else None


def slice_started_at_ms_of(body: dict[str, Any]) -> int | None:
    """When the first slice began, in Unix milliseconds, from wherever this mode tells it (reference 4.2)."""
    response = _server_response(body)
    files = response.get("fileList")
    first = files[0] if isinstance(files, list) and files and isinstance(files[0], dict) else {}
    for value in (response.get("sliceStartTime"), first.get("sliceStartTime")):
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value if value > MILLISECONDS_FROM else value * 1000
    return None


def uploading_of(body: dict[str, Any]) -> str:
    """`uploadingStatus`: "uploaded", "backuped" or "unknown" (older: "unknow"; reference 6.1)."""
    value = _server_response(body).get("uploadingStatus")
    return value if value in ("uploaded", "backuped") else "unknown"


def rule_id_of(body: dict[str, Any]) -> str | None:
    """`id` of a kicking rule, a number (channel management 1.2)."""
    value = body.get("id")
    return str(value) if body.get("status") == "success" and _is_number(value) else None


def members_of(body: dict[str, Any]) -> Members | None:
    """Who is in a channel; None if the answer does not say, or not all of it: an audience is told up to 10,000
    (channel management 2.2)."""
    data = body.get("data")
    if body.get("success") is not True or not isinstance(data, dict):
        return None
    match data:
        case {"channel_exist": False}:
            return Members((), ())
        case {"channel_exist": True, "mode": 1, "users": list(users)}:
            return _members(users, [], users)
        case {"channel_exist": True, "mode": 2, "broadcasters": list(hosts), "audience": list(audience)}:
            whole = data.get("audience_total", len(audience)) == len(audience)
            return _members(hosts, audience, hosts) if whole else None
    return None


def _members(first: list[Any], second: list[Any], hosts: list[Any]) -> Members | None:
    uids = [*first, *second]
    if not all(_is_number(uid) and 0 < uid <= UID_MAX for uid in uids):
        return None
    return Members(tuple(map(str, uids)), tuple(map(str, hosts)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _server_response(body: dict[str, Any]) -> dict[str, Any]:
    value = body.get("serverResponse")
    return value if isinstance(value, dict) else {}
