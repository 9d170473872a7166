"""What the commands do, once their options are read."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from server.console.api import Api, CallFailed
from server.console.story import tell
from server.console.tables import print_json, show_facts, show_recordings
from server.console.words import clean, length, moment, outcome, size

OVER = ("completed", "failed", "aborted", "deleted")
WAIT_SECONDS_MAX = 25
"""What a server makes a caller wait at most (api.md 1); for longer it is asked again."""


async def list_all(
    api: Api, meeting_id: str | None, query: Sequence[tuple[str, str]], *, every: bool, as_json: bool
) -> None:
    """One page, or every one in the form of one."""
    page = await api.page(meeting_id, query)
    while every and page["nextCursor"] is not None:
        following = await api.page(meeting_id, [*query, ("cursor", page["nextCursor"])])
        page = {**following, "items": page["items"] + following["items"]}
    if as_json:
        print_json(page)
        return
    show_recordings(page["items"])
    if page["nextCursor"] is not None:
        print(f"{len(page['items'])} of {page['total']} shown; --all shows every one", file=sys.stderr)


async def show(api: Api, recording_id: str, *, as_json: bool) -> None:
    """A recording and its history; without the latter where the token may not see it."""
    recording = await api.recording(recording_id)
    try:
        history = await api.history(recording_id)
    except CallFailed as error:
        if error.code != "forbidden":
            raise
        history = []
    if as_json:
        print_json({"recording": recording, "history": history})
        return
    show_facts(_facts(recording))
    print()
    sys.stdout.writelines(f"{line}\n" for line in tell(history))


async def stop(api: Api, recording_id: str, wait_seconds: int, *, as_json: bool) -> None:
    """Have it stopped, and wait for what comes of it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    while True:
        left = max(0, round(deadline - loop.time()))
        recording = await api.stop(recording_id, min(left, WAIT_SECONDS_MAX))
        if recording["state"] in OVER or left <= WAIT_SECONDS_MAX:
            break
    if as_json:
        print_json(recording)
    else:
        print(end_of(recording))


def _facts(recording: Any) -> list[tuple[str, str]]:
    state = recording["state"]
    told = {
        "id": recording["id"],
        "meeting": recording["meetingId"],
        "state": state if recording["completeness"] == "unknown" else f"{state}, {recording['completeness']}",
        "note": outcome(recording) or None,
        "external id": recording.get("externalId"),
        "session": recording["agoraRecordingId"],
        "asked for": f"{moment(recording['createdAt'])} by {recording['startedBy']}",
        "recorded": _span(recording["startedAt"], recording["stoppedAt"]),
        "over": recording["completedAt"] and moment(recording["completedAt"]),
        "end": recording["endReason"],
        "until": recording["deadlineAt"] and f"{moment(recording['deadlineAt'])} at the latest",
        "duration": recording["duration"] and length(recording["duration"]),
        "size": recording["fileSize"] and size(recording["fileSize"]),
        "file": recording["storageKey"],
    }
    return [(name, clean(value)) for name, value in told.items() if value is not None]


def _span(started_at: str | None, stopped_at: str | None) -> str | None:
    if started_at is None:
        return None
    return f"from {moment(started_at)}" + (f" to {moment(stopped_at)}" if stopped_at else "")


def end_of(recording: Any) -> str:
    state, note = recording["state"], outcome(recording)
    if state not in OVER:
        return clean(
            f"{recording['id']} is {state}, and ends by itself; see: tapedeck recordings show {recording['id']}"
        )
    if state == "completed":
        shown = f"{length(recording['duration'])}, {size(recording['fileSize'])}"
        return clean(
            f"{recording['id']} is completed, {recording['completeness']}: {shown}{f'; {note}' if note else ''}"
        )
    return clean(f"{recording['id']} is {state}{f': {note}' if note else ''}")
