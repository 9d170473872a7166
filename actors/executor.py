"""Carries out effects: one port call each, and its outcome comes back as a command.

Nothing is repeated here. What an unclear answer leads to is decided, and journaled, by the core.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, assert_never

import structlog

from actors.capacity import Capacity
from actors.domain.commands import (
    AcquireAnswered,
    BanAnswered,
    Command,
    MediaErased,
    MediaExamined,
    MediaSealed,
    MediaSurveyed,
    MembersAnswered,
    QueryAnswered,
    RekeyAnswered,
    StartAnswered,
    StopAnswered,
    UpdateAnswered,
)
from actors.domain.effects import (
    AgoraAcquire,
    AgoraBan,
    AgoraMembers,
    AgoraQuery,
    AgoraRekey,
    AgoraStart,
    AgoraStop,
    AgoraUpdate,
    AgoraUpdateLayout,
    Effect,
    StorageErase,
    StorageExamine,
    StorageSeal,
    StorageSurvey,
    is_slow,
)
from actors.domain.outcomes import Ambiguous, Outcome
from actors.ports import MediaStore, Observer, Recorder

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Executor:
    """Performs effects over the provider's and the storage's port, so many at once, and none that `calm` holds back."""

    def __init__(
        self,
        recorder: Recorder,
        media: MediaStore,
        observe: Observer,
        capacity: Capacity,
        calls_max: int,
        calm: Callable[[], Awaitable[None]],
    ) -> None:
        self._recorder = recorder
        self._media = media
        self._observe = observe
        self._capacity = capacity
        self._slots = asyncio.Semaphore(calls_max)
        self._calm = calm

    async def perform(self, effect: Effect) -> Command:
        """The command that tells the actor what came of it. Never raises, but when it is cancelled."""
        if is_slow(effect):  # the adapter has a limit of its own; others must not wait behind it
            await self._calm()
            return await self._call(effect)
        async with self._slots:
            await self._calm()
            return await self._call(effect)

    async def _call(self, effect: Effect) -> Command:
        match effect:
            case AgoraAcquire(recording_id=recording_id, attempt=attempt):
                acquired = await self._guard(effect, self._recorder.acquire(effect))
                self._capacity.heard(acquired)
                return AcquireAnswered(recording_id=recording_id, attempt=attempt, outcome=acquired)
            case AgoraStart(recording_id=recording_id, attempt=attempt):
                started = await self._guard(effect, self._recorder.start(effect))
                return StartAnswered(recording_id=recording_id, attempt=attempt, outcome=started)
            case AgoraQuery(recording_id=recording_id, attempt=attempt):
                seen = await self._guard(effect, self._recorder.query(effect))
                return QueryAnswered(recording_id=recording_id, attempt=attempt, outcome=seen)
            case AgoraStop(recording_id=recording_id, attempt=attempt):
                stopped = await self._guard(effect, self._recorder.stop(effect))
                return StopAnswered(recording_id=recording_id, attempt=attempt, outcome=stopped)
            case AgoraUpdate(recording_id=recording_id, attempt=attempt, subscribe=subscribe):
                heard = await self._guard(effect, self._recorder.update(effect))
                return UpdateAnswered(recording_id=recording_id, attempt=attempt, sent=subscribe, outcome=heard)
            case AgoraUpdateLayout(recording_id=recording_id, attempt=attempt, layout=layout):
                shown = await self._guard(effect, self._recorder.update_layout(effect))
                return UpdateAnswered(recording_id=recording_id, attempt=attempt, sent=layout, outcome=shown)
            case AgoraRekey(recording_id=recording_id, attempt=attempt):
                rekeyed = await self._guard(effect, self._recorder.rekey(effect))
                return RekeyAnswered(recording_id=recording_id, attempt=attempt, outcome=rekeyed)
            case AgoraBan(recording_id=recording_id, attempt=attempt, uid=uid):
                banned = await self._guard(effect, self._recorder.ban(effect))
                return BanAnswered(recording_id=recording_id, attempt=attempt, uid=uid, outcome=banned)
            case AgoraMembers(recording_id=recording_id, attempt=attempt):
                members = await self._guard(effect, self._recorder.members(effect))
                return MembersAnswered(recording_id=recording_id, attempt=attempt, outcome=members)
            case StorageExamine(recording_id=recording_id, prefix=prefix):
                report = await self._guard(effect, self._media.examine(prefix))
                return MediaExamined(recording_id=recording_id, outcome=report)
            case StorageSeal(recording_id=recording_id, prefix=prefix):
                sealed = await self._guard(effect, self._media.seal(recording_id, prefix))
                return MediaSealed(recording_id=recording_id, outcome=sealed)
            case StorageSurvey(recording_id=recording_id, prefix=prefix, after=after):
                listed = await self._guard(effect, self._media.survey(prefix, after))
                return MediaSurveyed(recording_id=recording_id, after=after, outcome=listed)
            case StorageErase(recording_id=recording_id, prefix=prefix):
                erased = await self._guard(effect, self._media.erase(prefix))
                return MediaErased(recording_id=recording_id, outcome=erased)
            case _:
                assert_never(effect)

    async def _guard(self, effect: Effect, call: Awaitable[Outcome[T]]) -> Outcome[T]:
        """A port that raises has a bug; what it did is not known, so the outcome is ambiguous."""
        name = type(effect).__name__
        try:
            outcome = await call
        except Exception as error:
            log.exception("effect.failed", effect=name, recording=effect.recording_id)
            outcome = Ambiguous(f"internal error: {type(error).__name__}")
        self._observe.call(name, type(outcome).__name__)
        return outcome
