"""Temporary keys on a virtual clock: hour after hour, through lost answers and from node to node."""

import asyncio
from typing import Any

import pytest

from actors.domain.effects import AgoraAcquire, AgoraRekey
from actors.domain.model import Phase
from actors.domain.outcomes import Acquired, Ambiguous, Done, Rekeyed
from actors.reconciler import Reconciler, ReconcilerSettings
from tests.fakes.agora import FakeAgora
from tests.fakes.shell import M, World, virtual

HOUR_MS = 3_600_000


def test_a_recorder_has_keys_for_as_long_as_it_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hold for six hours. The answer to the first renewal is lost; the second one is due under another owner."""
    given: list[float] = []
    acquire = FakeAgora.acquire

    async def acquired(agora: FakeAgora, call: AgoraAcquire) -> Any:
        outcome = await acquire(agora, call)
        assert isinstance(outcome, Done)
        return Done(Acquired(outcome.value.resource_id, agora.clock.now_ms() + 6 * HOUR_MS))

    async def rekeyed(agora: FakeAgora, call: AgoraRekey) -> Any:
        assert call.prefix == ("t", "r")
        assert call.sid == agora.running(M)[0].sid
        given.append(asyncio.get_running_loop().time())
        if len(given) == 1:
            return Ambiguous("no answer")
        return Done(Rekeyed(agora.clock.now_ms() + 6 * HOUR_MS))

    async def story() -> None:
        world = World()
        looking = asyncio.create_task(Reconciler(world.system, world.ports, ReconcilerSettings()).run())
        started = (await world.start()).reply.recording_id
        await world.until(Phase.ACTIVE, started)
        await asyncio.sleep(5400)
        looking.cancel()
        await world.system.drain(5)
        heir = World(database=world.database)
        heir.agora.lives = world.agora.lives
        looking = asyncio.create_task(Reconciler(heir.system, heir.ports, ReconcilerSettings()).run())
        await asyncio.sleep(3600)
        looking.cancel()
        assert heir.database.recordings[started].phase is Phase.ACTIVE

    monkeypatch.setattr(FakeAgora, "acquire", acquired)
    monkeypatch.setattr(FakeAgora, "rekey", rekeyed)
    virtual(story)
    assert given == pytest.approx([3600, 3601, 7201], abs=5)
