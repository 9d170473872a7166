"""Servers on wrapped ports, each of which kills itself at a named point.

A point is `CALL before` or `CALL after`: just before a port call goes out, or when it has come back and nobody knows yet. A
commit is called by what it stores. `MEETING` names whose calls count, `POINT` where it dies.
"""

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from actors.domain.ids import MeetingId
from actors.ports import Append, Claim, Ports
from server.config import load_config
from server.main import serve
from tests.acceptance.forked import Forked, fork
from tests.acceptance.running import RunningServer

MEETING, POINT = "CRASHING_MEETING", "CRASHING_POINT"
COMMITS = {
    "commit the request": "recording.starting",
    "commit the resource": "recorder.acquired",
    "commit the sid": "recorder.accepted",
    "commit the proof": "recording.active",
    "commit the stop": "recording.stopping",
    "commit the exit": "recording.processing",
    "commit the end": "recording.completed",
    "commit the manifest": "media.sealed",
}
"""By the event that they store."""
OTHERS = (
    "find the command",
    "claim",
    "store a notice",
    "find a notice's meeting",
    "commit a notice",
    "acquire",
    "start",
    "query",
    "stop",
    "examine",
    "seal",
)
POINTS = [f"{call} {side}" for call in (*COMMITS, *OTHERS) for side in ("before", "after")]


class Trap:
    """Dies where it was told to, if it is about the meeting."""

    def __init__(self, meeting_id: str, point: str) -> None:
        self._meeting_id = meeting_id
        self._point = point
        self._known: set[Any] = set()

    def at(self, about: str, calls: Sequence[str], side: str) -> None:
        if about == self._meeting_id and self._point in [f"{call} {side}" for call in calls]:
            os.kill(os.getpid(), signal.SIGKILL)

    def knows(self, state: Any) -> None:
        """Provider and storage are asked by recording and by prefix: remember those of the meeting."""
        if state.meeting_id == self._meeting_id:
            for recording in [*([] if state.live is None else [state.live]), *state.finishing.values()]:
                self._known |= {recording.recording_id, recording.prefix}

    def owner_of(self, key: Any) -> str:
        """The meeting, or nothing."""
        return self._meeting_id if key in self._known else ""


class Wrapped:
    """A port whose other methods are those of the real one."""

    def __init__(self, real: Any, trap: Trap) -> None:
        self._real = real
        self._trap = trap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def _around(self, about: str, calls: Sequence[str], method: str, *arguments: Any) -> Any:
        self._trap.at(about, calls, "before")
        answer = await getattr(self._real, method)(*arguments)
        self._trap.at(about, calls, "after")
        return answer


class CrashingJournal(Wrapped):
    """Named by what is stored; a notice is what is marked as applied."""

    async def commit(self, append: Append) -> None:
        self._trap.knows(append.state)
        kinds = {event.event.kind for event in append.events}
        calls = [call for call, kind in COMMITS.items() if kind in kinds]
        if append.notices:
            calls.append("commit a notice")
        await self._around(append.meeting_id, calls, "commit", append)

    async def find_command(self, meeting_id: MeetingId, command_id: str) -> Any:
        return await self._around(meeting_id, ["find the command"], "find_command", meeting_id, command_id)


class CrashingOwnership(Wrapped):
    async def claim(self, meeting_id: MeetingId) -> Claim:
        claim: Claim = await self._around(meeting_id, ["claim"], "claim", meeting_id)
        self._trap.knows(claim.state)
        return claim


class CrashingInbox(Wrapped):
    async def store(self, notice: Any, body: bytes, received_at_ms: int) -> bool:
        stored: bool = await self._around(notice.cname, ["store a notice"], "store", notice, body, received_at_ms)
        return stored

    async def meeting_of(self, notice: Any) -> Any:
        return await self._around(notice.cname, ["find a notice's meeting"], "meeting_of", notice)


class CrashingRecorder(Wrapped):
    async def acquire(self, call: Any) -> Any:
        return await self._around(self._trap.owner_of(call.recording_id), ["acquire"], "acquire", call)

    async def start(self, call: Any) -> Any:
        return await self._around(self._trap.owner_of(call.recording_id), ["start"], "start", call)

    async def query(self, call: Any) -> Any:
        return await self._around(self._trap.owner_of(call.recording_id), ["query"], "query", call)

    async def stop(self, call: Any) -> Any:
        return await self._around(self._trap.owner_of(call.recording_id), ["stop"], "stop", call)


class CrashingMedia(Wrapped):
    async def seal(self, recording_id: Any, prefix: tuple[str, ...]) -> Any:
        return await self._around(self._trap.owner_of(prefix), ["seal"], "seal", recording_id, prefix)

    async def examine(self, prefix: tuple[str, ...]) -> Any:
        return await self._around(self._trap.owner_of(prefix), ["examine"], "examine", prefix)


def trapped(ports: Ports) -> Ports:
    """The real ports, each with the trap around it."""
    trap = Trap(os.environ.get(MEETING, ""), os.environ.get(POINT, ""))
    return replace(
        ports,
        journal=CrashingJournal(ports.journal, trap),
        ownership=CrashingOwnership(ports.ownership, trap),
        inbox=CrashingInbox(ports.inbox, trap),
        recorder=CrashingRecorder(ports.recorder, trap),
        media=CrashingMedia(ports.media, trap),
    )


def main(_: Sequence[str]) -> None:
    """`tapedeck serve` on those ports."""
    serve(load_config(None, os.environ), trapped)


class CrashingServer(RunningServer):
    """As any other, but for its ports."""

    async def _spawn(self, environment: dict[str, str]) -> Forked:
        return await fork(f"{__name__}:main", environment=environment, log=self.log)
