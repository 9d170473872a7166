"""Playlists, and the files of local storage, for whoever has a URL that was signed for them."""

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from actors.domain.ids import RecordingId
from actors.domain.model import Phase, Recording
from actors.domain.projections import OVER_PHASES
from actors.ports import Clock, JournalUnavailable, StorageDenied, StorageNotFound, StorageUnavailable
from server.errors import Problem
from server.playback import (
    ALL_PARTS,
    CONTENT_TYPES,
    BadSignature,
    ExpiredUrl,
    Grant,
    Signer,
    UnsignedUrl,
    Urls,
    UrlSigner,
)
from server.policy import SIGNED, route

HOW_TO_PLAY = "GET /api/v1/recordings/{id}/playback gives a URL that plays"
_TYPES = {".m3u8": CONTENT_TYPES["hls"], ".mp4": CONTENT_TYPES["mp4"], ".ts": "video/mp2t"}


class MediaFolder(Protocol):
    """Objects as files."""

    def path(self, key: str) -> Path:
        """Raises StorageDenied."""
        ...


class Playlists(Protocol):
    """Playlists as players take them."""

    async def playlist(self, key: str, url_of: Callable[[str, float], str], *, over: bool | None, whole: bool) -> str:
        """`url_of` makes a slice's URL of its key and the list's seconds. `over`: whether the list is closed, None if it
        tells itself; `whole`: with all parts. Raises StorageNotFound, StorageDenied, StorageUnavailable."""
        ...


class RecordingReader(Protocol):
    """A part of `actors.ports.Records`."""

    async def recording(self, recording_id: RecordingId) -> Recording | None: ...


class SentFile(web.FileResponse):
    """A file that its handler sends itself, so that the log and the metrics see the status, which its headers decide."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Sends all of it, the first time; aiohttp asks again when the handler has returned."""
        return self._payload_writer if self.prepared else await super().prepare(request)


class MediaRoutes:
    """GET and HEAD `/media/{key}`. `folder` None: the files are in a bucket, and its own server hands them out.
    `signer` checks URLs, `urls` makes those of slices."""

    def __init__(
        self,
        folder: MediaFolder | None,
        playlists: Playlists,
        records: RecordingReader,
        signer: UrlSigner,
        urls: Urls,
        clock: Clock,
    ) -> None:
        self._folder = folder
        self._playlists = playlists
        self._records = records
        self._signer = signer
        self._urls = urls
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_GET, "/media/{key:.+}", self.serve, policy=SIGNED)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The object, by ranges if asked for. Raises Problem."""
        key = request.match_info["key"]
        grant = self._grant(key, request.raw_path.partition("?")[2])
        try:
            if key.lower().endswith(".m3u8"):
                return await self._playlist(key, grant)
            return await self._file(request, key, grant)
        except (StorageNotFound, StorageDenied):
            raise Problem("not_found", "the object is not there; it may have been deleted") from None
        except StorageUnavailable as error:
            raise Problem("storage_unavailable", str(error)) from None

    def _grant(self, key: str, query: str) -> Grant:
        try:
            return self._signer.verify(key, query, self._clock.now_ms() / 1000)
        except UnsignedUrl:
            raise Problem("forbidden", f"this URL names the object and opens nothing; {HOW_TO_PLAY}") from None
        except BadSignature:
            raise Problem("forbidden", f"the signature does not fit this URL; {HOW_TO_PLAY}") from None
        except ExpiredUrl:
            raise Problem("forbidden", f"this URL has expired; {HOW_TO_PLAY}") from None

    async def _file(self, request: web.Request, key: str, grant: Grant) -> web.StreamResponse:
        if self._folder is None:
            raise StorageNotFound(key)
        path = self._folder.path(key)
        if not await asyncio.to_thread(path.is_file):
            raise StorageNotFound(key)
        left = max(0, grant.expires_at - self._clock.now_ms() // 1000)
        response = SentFile(path, headers=_headers(key, f"private, max-age={left}"))
        await response.prepare(request)
        return response

    async def _playlist(self, key: str, grant: Grant) -> web.StreamResponse:
        signer = await self._slice_signer()

        def url_of(slice_key: str, seconds: float) -> str:
            # A player reads a finished playlist once, then plays for as long as the recording lasts.
            return signer.sign(slice_key, grant.expires_at + math.ceil(seconds))

        over = await self._is_over(grant)
        whole = grant.parameters.get("parts") == ALL_PARTS
        text = await self._playlists.playlist(key, url_of, over=over, whole=whole)
        return web.Response(body=text.encode(), headers=_headers(key, "private, no-cache"))

    async def _slice_signer(self) -> Signer:
        try:
            return await self._urls.signer()
        except StorageDenied as error:  # the keys, not the object
            raise Problem("storage_unavailable", str(error)) from None

    async def _is_over(self, grant: Grant) -> bool | None:
        """Whether the list grows no more; None where nobody knows."""
        recording_id = grant.parameters.get("recording")
        if recording_id is None:
            return None
        try:
            recording = await self._records.recording(RecordingId(recording_id))
        except JournalUnavailable:
            return None
        if recording is None:
            return None
        if recording.phase in (Phase.DELETING, Phase.DELETED):
            raise Problem("recording_deleted")
        return recording.phase in OVER_PHASES


def _headers(key: str, cache_control: str) -> dict[str, str]:
    content_type = _TYPES.get(Path(key).suffix.lower(), "application/octet-stream")
    return {hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: cache_control}
