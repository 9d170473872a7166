"""The look itself: a walk through storage and database side by side, then what is found in places of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from actors.domain.commands import DeleteRecording, ExamineAgain, UserCommand
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Actor, ActorKind
from actors.domain.rules.exits import RECORDER_LEAVE, SESSION_EXIT, UPLOADED
from actors.domain.rules.steps import SYSTEM
from actors.sweeping import FolderRow, SessionRow, SweepRecords, SweepStore, Upload
from server.preflight.probe import FOLDER
from server.sweep.findings import Finding, Kind, is_a_recordings
from server.sweep.merge import Folder, folders_of, merged

ENDS = (SESSION_EXIT, UPLOADED, RECORDER_LEAVE)
"""After these a session records no more."""
SESSIONS_MAX = 1000
Remove = Callable[[], Awaitable[object]]


class Actors(Protocol):
    """Who erases or proves what came late. Raises an ActorError."""

    async def ask(self, meeting_id: MeetingId, command: UserCommand) -> object: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and how it is removed, if it may be. `at_once`: that was asked for long ago."""

    finding: Finding
    remove: Remove | None = None
    at_once: bool = False


@dataclass(slots=True)
class Count:
    """How far the walk is."""

    objects: int = 0
    recordings: int = 0


class Looking:
    """`root`: what our keys begin with, with its slash. `node`: whose files those are that are no objects yet, None where they
    lie in the store. Later than `erased_after_ms` deletions still mean what comes after them."""

    def __init__(
        self, store: SweepStore, sweeps: SweepRecords, actors: Actors, root: str, node: str | None, count: Count
    ) -> None:
        self._store = store
        self._sweeps = sweeps
        self._actors = actors
        self._root = root
        self._node = node
        self._count = count

    async def everything(self, erased_after_ms: int, strangers_seconds: float) -> AsyncIterator[Found | None]:
        """All that is not as it should be, and None for each step on the way.

        Raises StorageDenied, StorageUnavailable, JournalUnavailable.
        """
        folders = folders_of(self._root, self._store.pages(self._root))
        async for folder, row in merged(folders, self._sweeps.rows()):
            self._count.objects += 0 if folder is None else folder.objects
            self._count.recordings += 0 if row is None else 1
            yield await self._side_by_side(folder, row, erased_after_ms)
        async for found in self._elsewhere(strangers_seconds):
            yield found

    async def _elsewhere(self, strangers_seconds: float) -> AsyncIterator[Found]:
        async for found in self._unended():
            yield found
        for probe in await self._store.list(f"{self._root}{FOLDER}/"):
            finding = Finding(
                kind=Kind.PROBE, key=probe.key, age_at_ms=probe.modified_at_ms, objects=1, bytes=probe.size
            )
            yield Found(finding, partial(self._store.delete, [probe.key]))
        for session in await self._sweeps.evicting(SESSIONS_MAX):
            yield Found(Finding(kind=Kind.EVICTING, key=_name_of(session)))
        for session in await self._sweeps.strangers(strangers_seconds, ENDS, SESSIONS_MAX):
            yield Found(Finding(kind=Kind.STRANGER, key=_name_of(session)))

    async def _side_by_side(self, folder: Folder | None, row: FolderRow | None, erased_after_ms: int) -> Found | None:
        if folder is None:
            return None if row is None else await self._without_objects(row)
        if folder.name == FOLDER:
            return None
        if row is None and not (is_a_recordings(folder.name) and folder.key.endswith("/")):
            return Found(_finding(Kind.FOREIGN, folder))
        # The objects were listed before: whose they are stands there by now.
        row = row or await self._sweeps.row(folder.name)
        if row is None:
            return Found(_finding(Kind.MEDIA, folder), partial(self._remove_orphan, folder))
        return self._of_a_recording(folder, row, erased_after_ms)

    def _of_a_recording(self, folder: Folder, row: FolderRow, erased_after_ms: int) -> Found | None:
        if row.deleted_at_ms is not None:
            late = _finding(Kind.LATE, folder)
            return Found(late, partial(self._erase, row), at_once=row.deleted_at_ms > erased_after_ms)
        if row.completeness == "partial" and folder.media_bytes > (row.bytes or 0):
            return Found(_finding(Kind.ARRIVED, folder), partial(self._examine, row), at_once=True)
        return None

    async def _without_objects(self, row: FolderRow) -> Found | None:
        """It may have been deleted since its row was read, and some stores list in an order of their own."""
        if row.state != "completed" or await self._store.list(f"{self._root}{row.folder}/"):
            return None
        now = await self._sweeps.row(row.folder)
        if now is None or now.state != "completed":
            return None
        return Found(Finding(kind=Kind.MISSING, key=row.recording_id, bytes=row.bytes or 0))

    async def _remove_orphan(self, folder: Folder) -> None:
        if await self._sweeps.row(folder.name) is None:
            await self._store.delete_prefix(folder.key)

    async def _erase(self, row: FolderRow) -> None:
        command = DeleteRecording(
            recording_id=RecordingId(row.recording_id), by=Actor(ActorKind.SYSTEM, SYSTEM), late=True
        )
        await self._actors.ask(MeetingId(row.meeting_id), command)

    async def _examine(self, row: FolderRow) -> None:
        command = ExamineAgain(recording_id=RecordingId(row.recording_id), by=Actor(ActorKind.SYSTEM, SYSTEM))
        await self._actors.ask(MeetingId(row.meeting_id), command)

    async def _unended(self) -> AsyncIterator[Found]:
        async for upload in self._store.uploads(self._root):
            kind = Kind.UPLOAD if self._node is None else Kind.TEMPORARY
            if kind is Kind.UPLOAD and not await self._may_end(upload):
                continue
            key = f"{upload.key} {upload.upload_id}" if self._node is None else f"{self._node}/{upload.key}"
            finding = Finding(kind=kind, key=key, age_at_ms=upload.began_at_ms)
            yield Found(finding, partial(self._store.abort, upload))

    async def _may_end(self, upload: Upload) -> bool:
        """Not what somebody else has, nor what an open recording may still be writing."""
        folder = upload.key.removeprefix(self._root).partition("/")[0]
        row = await self._sweeps.row(folder) if is_a_recordings(folder) else None
        return is_a_recordings(folder) and (row is None or row.state in ("completed", "failed", "aborted", "deleted"))


def _finding(kind: Kind, folder: Folder) -> Finding:
    return Finding(kind=kind, key=folder.key, age_at_ms=folder.newest_ms, objects=folder.objects, bytes=folder.bytes)


def _name_of(session: SessionRow) -> str:
    return f"{session.cname} {session.uid} {session.sid or '-'}"
