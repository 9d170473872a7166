"""What a caller gets to play: the files of a recording that is over, or what there is already of one that is not."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from actors.domain.evidence import so_far
from actors.domain.media import MediaReport
from actors.domain.model import MediaFile, Recording
from actors.ports import Clock, StorageDenied, StorageNotFound, StorageUnavailable
from server.errors import Problem, invalid
from server.media_metrics import PlaybackMetrics
from server.playback import Signer, Urls, availability, playback_items
from server.settings import PlaybackSettings

log = structlog.get_logger(__name__)


class Playlists(Protocol):
    """What storage holds for players."""

    async def playlists(self, prefix: tuple[str, ...]) -> MediaReport:
        """Everything below the prefix, and its playlists read. Raises StorageNotFound, StorageDenied, StorageUnavailable."""
        ...


class Player:
    """Hands out URLs that play, counts them, and logs who asked."""

    def __init__(
        self,
        playlists: Playlists,
        urls: Urls,
        clock: Clock,
        settings: PlaybackSettings,
        metrics: PlaybackMetrics,
    ) -> None:
        self._playlists = playlists
        self._urls = urls
        self._clock = clock
        self._settings = settings
        self._metrics = metrics

    def seconds(self, asked: int | None) -> int:
        """For how long URLs are to last. Raises Problem 422."""
        if asked is not None and asked > self._settings.expires_seconds_max:
            limit = self._settings.expires_seconds_max
            raise invalid("/expiresIn", f"{limit} at most (playback.expires_seconds_max)")
        return asked or self._settings.expires_seconds_default

    async def play(self, recording: Recording, expires_in: int, sub: str) -> dict[str, Any]:
        """The body of the playback call. Raises Problem: there is nothing to play, not yet, or no more."""
        ready = availability(recording)
        if ready not in ("ready", "recording_not_ready"):
            raise Problem(ready)
        try:
            files = recording.files if ready == "ready" else await self._so_far(recording)
            signer = await self._urls.signer()
        except (StorageDenied, StorageUnavailable) as error:
            raise Problem("storage_unavailable", str(error)) from None
        items = self._mint(recording, files, signer, expires_in, sub)
        if not items:
            raise Problem("recording_not_ready")
        return {"items": items}

    async def play_all(self, recordings: Sequence[Recording], sub: str) -> list[dict[str, Any]]:
        """The same for each of a list, with no items where there is nothing to play, or storage does not tell."""
        return await asyncio.gather(*(self._play_or_not(recording, sub) for recording in recordings))

    async def _play_or_not(self, recording: Recording, sub: str) -> dict[str, Any]:
        try:
            return await self.play(recording, self._settings.expires_seconds_default, sub)
        except Problem:
            return {"items": []}

    async def _so_far(self, recording: Recording) -> tuple[MediaFile, ...]:
        try:
            report = await self._playlists.playlists(recording.prefix)
        except StorageNotFound:
            return ()
        return await asyncio.to_thread(so_far, report, recording)

    def _mint(
        self, recording: Recording, files: Sequence[MediaFile], signer: Signer, seconds: int, sub: str
    ) -> list[dict[str, Any]]:
        expires_at = self._clock.now_ms() // 1000 + seconds
        items = playback_items(recording, files, signer, expires_at)
        for item in items:
            self._metrics.minted(item["kind"])
        if items:
            log.info(
                "playback.minted",
                recording=recording.recording_id,
                meeting=recording.meeting_id,
                sub=sub,
                urls=len(items),
                seconds=seconds,
            )
        return items
