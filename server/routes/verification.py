"""Whether a recording's files are still what they were when its manifest was written."""

from collections.abc import Mapping
from typing import Any, Protocol

from aiohttp import hdrs, web

from actors.domain.ids import RecordingId
from actors.domain.media import Checked, Verification
from actors.domain.model import Recording
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from server.answers import as_problems, json
from server.errors import Problem
from server.params import parse_query, recording_id_of
from server.playback import availability
from server.policy import OPERATOR, route
from server.routes.media import RecordingReader
from server.schemas import VerifyParameters


class Verifier(Protocol):
    """Holds files against their manifest."""

    async def verify(self, prefix: tuple[str, ...], sha256: str, after: int) -> Verification:
        """Raises StorageNotFound, StorageDenied, StorageUnavailable."""
        ...


class VerificationRoutes:
    """POST, though it changes nothing: it reads every byte, which no cache and no prefetch should cause."""

    def __init__(self, records: RecordingReader, verifier: Verifier) -> None:
        self._records = records
        self._verifier = verifier

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_POST, "/api/v1/recordings/{id}/verify", self.verify, policy=OPERATOR)

    async def verify(self, request: web.Request) -> web.Response:
        """As much as can be looked at in a call. Raises Problem."""
        after = int(parse_query(request, VerifyParameters).cursor or 0)
        recording = await self._recording(request)
        sha256 = _manifest_of(recording)
        try:
            found = await self._verifier.verify(recording.prefix, sha256, after)
        except (StorageNotFound, StorageDenied, StorageUnavailable) as error:
            raise Problem("storage_unavailable", str(error)) from None
        return json(verification_item(found))

    async def _recording(self, request: web.Request) -> Recording:
        with as_problems():
            recording = await self._records.recording(RecordingId(recording_id_of(request)))
        if recording is None:
            raise Problem("not_found", "there is no such recording")
        return recording


def _manifest_of(recording: Recording) -> str:
    """The SHA-256 of its manifest. Raises Problem where there is none, or not yet."""
    code = availability(recording)
    if code != "ready":
        raise Problem(code)
    if recording.manifest_sha256 is None:
        raise Problem("recording_not_ready", "its manifest is not written yet; the history says why")
    return recording.manifest_sha256


def verification_item(found: Verification) -> Mapping[str, Any]:
    """A part of a verification as JSON."""
    cursor = None if found.following is None else str(found.following)
    return {"items": [_item(look) for look in found.looks], "total": found.total, "nextCursor": cursor}


def _item(look: Checked) -> Mapping[str, Any]:
    return {"key": look.key, "fileSize": look.size, "finding": look.finding.value, "detail": look.why}
