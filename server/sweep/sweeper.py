"""A sweep: one at a time over all nodes, with a memory of what was found before, and no haste in deleting."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby

import structlog

from actors.errors import ActorError
from actors.ports import JournalUnavailable, StorageDenied, StorageNotFound, StorageUnavailable
from actors.sweeping import SweepRecords
from server.settings import SweepSettings
from server.sweep.findings import DONE, Action, Item, Kind
from server.sweep.looking import Count, Found, Looking
from server.sweep.metrics import SweepMetrics

PROGRESS_SECONDS = 0.5
BATCH = 500
"""Findings that are asked about at once."""
TROUBLE = (StorageDenied, StorageNotFound, StorageUnavailable, JournalUnavailable, ActorError)
log = structlog.get_logger(__name__)


class SweepRuns(Exception):
    """Another sweep has the turn, here or on another node."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the walk is done. `recordings_total`: how many there were when it began."""

    objects: int
    recordings: int
    recordings_total: int


class Sweeper:
    """`looking` makes a look that counts in what it is given."""

    def __init__(
        self,
        sweeps: SweepRecords,
        looking: Callable[[Count], Looking],
        node: str,
        settings: SweepSettings,
        metrics: SweepMetrics,
    ) -> None:
        self._sweeps = sweeps
        self._looking = looking
        self._node = node
        self._settings = settings
        self._metrics = metrics

    async def sweep(self, *, delete: bool, since_seconds: float = 0.0) -> AsyncGenerator[Item | Progress]:
        """What it finds, and how far it is. Nothing is deleted without `delete`, but what an erasure has asked for.

        Raises SweepRuns, also if the last one began within `since_seconds`; StorageDenied, StorageUnavailable,
        JournalUnavailable.
        """
        began = time.monotonic()
        outcome = "failed"
        try:
            async with self._turn(since_seconds) as (began_at_ms, hold):
                async for told in self._items(began_at_ms, hold, delete=delete):
                    yield told
                await self._sweeps.forget(began_at_ms)
            outcome = "done"
        except SweepRuns:
            outcome = "refused"
            raise
        finally:
            self._metrics.swept(outcome, time.monotonic() - began)

    @asynccontextmanager
    async def _turn(self, since_seconds: float) -> AsyncIterator[tuple[int, Callable[[], Awaitable[None]]]]:
        lease_seconds, holder = self._settings.lease_seconds, f"{self._node} {uuid.uuid4().hex}"
        began_at_ms = await self._sweeps.take(holder, lease_seconds, since_seconds)
        if began_at_ms is None:
            raise SweepRuns
        held_at = time.monotonic()

        async def hold() -> None:
            nonlocal held_at
            if time.monotonic() - held_at > lease_seconds / 4:
                held_at = time.monotonic()
                if not await self._sweeps.hold(holder, lease_seconds):
                    raise SweepRuns

        try:
            yield began_at_ms, hold
        finally:
            await asyncio.shield(self._sweeps.leave(holder))

    async def _items(
        self, began_at_ms: int, hold: Callable[[], Awaitable[None]], *, delete: bool
    ) -> AsyncIterator[Item | Progress]:
        count, total = Count(), await self._sweeps.count()
        batch: list[Found] = []
        told_at = time.monotonic()
        found_by_kind: dict[str, int] = dict.fromkeys(Kind, 0)
        erased_after_ms = began_at_ms - round(self._settings.erased_seconds * 1000)
        look = self._looking(count).everything(erased_after_ms, self._settings.strangers_seconds)
        async for found in look:
            await hold()
            if found is not None:
                found_by_kind[found.finding.kind] += 1
                batch.append(found)
            if len(batch) == BATCH:
                for item in await self._known(batch, began_at_ms, delete=delete):
                    yield item
                batch = []
            if time.monotonic() - told_at > PROGRESS_SECONDS:
                told_at = time.monotonic()
                yield Progress(count.objects, count.recordings, total)
        for item in await self._known(batch, began_at_ms, delete=delete):
            yield item
        yield Progress(count.objects, count.recordings, total)
        self._metrics.found(found_by_kind)

    async def _known(self, batch: Sequence[Found], began_at_ms: int, *, delete: bool) -> list[Item]:
        items = []
        for kind, group in groupby(sorted(batch, key=_kind_of), key=_kind_of):
            each_of_kind = list(group)
            seen = await self._sweeps.seen(kind, [found.finding.key for found in each_of_kind])
            for found in each_of_kind:
                first_ms = seen[found.finding.key]
                action = await self._act(found, first_ms, began_at_ms, delete=delete)
                items.append(Item(found.finding, first_ms, action))
        return items

    async def _act(self, found: Found, first_seen_at_ms: int, began_at_ms: int, *, delete: bool) -> Action:
        if found.remove is None or not (delete or found.at_once):
            return Action.REPORTED
        if not found.at_once and not self._is_ripe(found, first_seen_at_ms, began_at_ms):
            return Action.WAITS
        try:
            await found.remove()
        except TROUBLE as error:
            log.warning("sweep.not_removed", kind=found.finding.kind, key=found.finding.key, why=str(error))
            return Action.FAILED
        log.info("sweep.removed", kind=found.finding.kind, key=found.finding.key, objects=found.finding.objects)
        self._metrics.removed(found.finding.kind)
        return DONE.get(found.finding.kind, Action.DELETED)

    def _is_ripe(self, found: Found, first_seen_at_ms: int, began_at_ms: int) -> bool:
        """Seen by an earlier sweep, and old."""
        age_at_ms = found.finding.age_at_ms
        old = age_at_ms is not None and age_at_ms < began_at_ms - self._settings.age_seconds_min * 1000
        return old and first_seen_at_ms < began_at_ms


def _kind_of(found: Found) -> Kind:
    return found.finding.kind
