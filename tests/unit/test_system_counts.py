"""What the shell tells its observer of commands: each once, by what the caller was answered."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from actors.errors import ActorError, Draining
from actors.mailbox import CommandKey
from actors.ports import JournalUnavailable, Observer
from actors.system import ActorSystem, SystemSettings
from tests.fakes.shell import World, virtual


class Counts(Observer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.commands: Counter[tuple[str, str]] = Counter()
        self.facts: Counter[tuple[str, str]] = Counter()

    def command(self, kind: str, outcome: str) -> None:
        self.commands[kind, outcome] += 1

    def fact(self, kind: str, outcome: str) -> None:
        self.facts[kind, outcome] += 1


class Counted(World):
    """A world whose observer counts."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counts()
        self.ports = replace(self.ports, observe=self.counts)
        self.system = ActorSystem(self.ports, self.system._policy, SystemSettings(), self.lease)


def test_a_command_is_counted_by_its_answer() -> None:
    async def story() -> None:
        world = Counted()
        key = CommandKey("k", "h")
        await world.start(key)
        await world.start(key)
        await world.start()
        await world.stop()
        with pytest.raises(ActorError):
            await world.start(CommandKey("k", "another body"))
        assert world.counts.commands == {
            ("StartRecording", "accepted"): 1,
            ("StartRecording", "replayed"): 1,
            ("StartRecording", "recording_already_active"): 1,
            ("StartRecording", "idempotency_key_reused"): 1,
            ("StopRecording", "accepted"): 1,
        }
        assert world.counts.facts
        assert not {kind for kind, _ in world.counts.facts} & {"StartRecording", "StopRecording"}

    virtual(story)


def test_what_was_not_answered_is_counted_too() -> None:
    async def story() -> None:
        world = Counted()
        world.journal.failures = [JournalUnavailable("away")]
        with pytest.raises(ActorError):
            await world.start()
        asked = asyncio.ensure_future(world.start())
        await asyncio.sleep(0.001)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        await world.system.drain(1)
        with pytest.raises(Draining):
            await world.stop()
        assert world.counts.commands == {
            ("StartRecording", "database_unavailable"): 1,
            ("StartRecording", "left"): 1,
            ("StopRecording", "draining"): 1,
        }

    virtual(story)
