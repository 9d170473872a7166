"""Temporary keys for the recorder: those that this host's role has, as fresh as each start and renewal needs them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from actors.ports import StorageDenied, StorageUnavailable
from clients.agora.requests import S3Target
from clients.storage.s3.credentials import Keys

LEAST_MS = 4 * 3_600_000
"""So long keys must still hold when Agora is given them (reference 3.5)."""
MARGIN_MS = 60_000
"""For the way, and for clocks that differ."""


class TemporaryTarget:
    """`clients.agora.requests.StorageTarget` with keys that end. They are looked for anew after `look_ms`."""

    def __init__(
        self, target: S3Target, find: Callable[[], Awaitable[Keys]], now_ms: Callable[[], int], look_ms: int
    ) -> None:
        self._target = target
        self._find = find
        self._now_ms = now_ms
        self._look_ms = look_ms
        self._look_at_ms = 0
        self._lock = asyncio.Lock()

    async def keys_end_at_ms(self) -> int | None:
        """Raises StorageDenied, StorageUnavailable: there are none that hold long enough."""
        async with self._lock:
            if self._now_ms() >= self._look_at_ms or not self._lasts(self._target.ends_at_ms):
                await self._renew()
        return self._target.ends_at_ms

    def config(self, prefix: tuple[str, ...]) -> dict[str, Any]:
        return self._target.config(prefix)

    async def _renew(self) -> None:
        """Keys that still hold long enough serve on where others cannot be had now."""
        try:
            keys = await self._find()
        except (StorageDenied, StorageUnavailable):
            if self._lasts(self._target.ends_at_ms):
                return
            raise
        if keys.session_token is None or not self._lasts(keys.ends_at_ms):
            raise StorageDenied("temporary keys for a recorder must hold for four hours more, and these do not")
        self._target = replace(
            self._target,
            access_key=keys.access_key,
            secret_key=keys.secret_key,
            session_token=keys.session_token,
            ends_at_ms=keys.ends_at_ms,
        )
        self._look_at_ms = self._now_ms() + self._look_ms

    def _lasts(self, ends_at_ms: int | None) -> bool:
        return ends_at_ms is not None and ends_at_ms - self._now_ms() >= LEAST_MS + MARGIN_MS
