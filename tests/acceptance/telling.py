"""The story behind a complaint: what was stored, what the provider did, what it was asked, what was done to both."""

from collections.abc import Iterable
from typing import Any

from tests.acceptance.pair import Pair
from tests.acceptance.truth import Complaint, ms

SHOWN = 300
SHORT = 12
AROUND_MS = 2_000


async def story(pair: Pair, found: Iterable[Complaint], log: Iterable[str]) -> str:
    """Everything about the channels that are complained of, and what the run did to them."""
    lines = ["what was done:", *(f"  {line}" for line in log)]
    for cname in sorted({each.cname for each in found if each.cname is not None}):
        lines += ["", f"channel {cname}:", *[f"  {line}" for line in await _channel(pair, cname)]]
    for at_ms in sorted({each.at_ms for each in found if each.at_ms is not None}):
        lines += ["", f"requests around {at_ms}:", *[f"  {line}" for line in await _around(pair, at_ms)]]
    lines += ["", "complaints:", *(f"  {each.cname or '-'} {each.recording_id or '-'}: {each.what}" for each in found)]
    return "\n".join(lines)


async def _channel(pair: Pair, cname: str) -> list[str]:
    sessions = await pair.sessions(cname)
    lines = [_session(each) for each in sessions]
    for recording in await pair.recordings():
        if recording["channelName"] == cname:
            told = ("state", "completeness", "endReason", "duration", "gaps", "error", "startedAt", "stoppedAt")
            lines.append(f"recording {recording['id']}: { ({name: recording[name] for name in told}) }")
            lines += [f"  {_event(event)}" for event in await pair.history(recording["id"])]
    asked = [each for each in await pair.requests() if _is_about(each, sessions)]
    return [*lines, *map(_request, asked)]


async def _around(pair: Pair, at_ms: int) -> list[str]:
    return [_request(each) for each in await pair.requests() if abs(ms(each["at"]) - at_ms) < AROUND_MS]


def _request(request: dict[str, Any]) -> str:
    return f"{request['at']} {request['call']} {request['status']} {request['fault'] or ''}"


def _session(session: dict[str, Any]) -> str:
    names = ("sid", "uid", "startedAt", "endedAt", "exitReason")
    told = " ".join(f"{name}={session[name]}" for name in names)
    return f"session {told} resource={session['resourceId'][:SHORT]} files={len(session['files'])}"


def _event(event: dict[str, Any]) -> str:
    return f"{event['time']} {event['type']} {event['data']}"[:SHOWN]


def _is_about(request: dict[str, Any], sessions: list[dict[str, Any]]) -> bool:
    return any(each["sid"] in request["path"] or each["resourceId"] in request["path"] for each in sessions)
