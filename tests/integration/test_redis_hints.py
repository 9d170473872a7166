"""What one node publishes, and another hears."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.domain.model import Phase
from clients.embedded.rundir import fresh_run_dir, remove_run_dir
from clients.embedded.valkey import EmbeddedValkey
from clients.ending import end
from clients.redis import listener
from clients.redis.hints import Hint, channel_of, packed, unpacked
from clients.redis.listener import HintListener
from clients.redis.publisher import RedisPublisher
from tests.unit.domain.story import Story, in_phase
from tests.waiting import eventually

CHANNEL = channel_of("a-journal")


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(listener, "QUIET_SECONDS", 0.3)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server of the test's own, not started."""
    run_dir = fresh_run_dir(tmp_path)
    yield EmbeddedValkey(tmp_path, run_dir)
    remove_run_dir(tmp_path, run_dir)


@dataclass
class Ears:
    """What a node has heard, and how often it was told to look for itself."""

    events: list[JournalEvent] = field(default_factory=list)
    looks: int = 0

    def heard(self, _: MeetingId, events: Sequence[JournalEvent]) -> None:
        self.events += events

    async def missed(self) -> None:
        self.looks += 1


@asynccontextmanager
async def listening(url: str, origin: str = "p-2") -> AsyncIterator[tuple[Ears, HintListener]]:
    ears, hints = Ears(), HintListener(url, 0.5, CHANNEL, origin)
    task = asyncio.create_task(hints.run(ears.heard, ears.missed))
    try:
        yield ears, hints
    finally:
        await end(task)
        await hints.close()


async def until(hints: HintListener, *, listens: bool) -> None:
    async def look() -> bool:
        return hints.listening == listens

    await eventually(look)


def told(story: Story) -> tuple[JournalEvent, ...]:
    """Its public events."""
    return tuple(item for item in story.log if item.sequence is not None)


def test_events_come_out_as_they_went_in() -> None:
    story = in_phase(Phase.COMPLETED)
    hint = Hint("p-1", MeetingId("m-1"), told(story))
    assert unpacked(packed(hint)) == hint


async def test_another_nodes_events_are_heard_and_its_own_are_not(valkey_url: str) -> None:
    story = in_phase(Phase.ACTIVE)
    publishers = {name: RedisPublisher(valkey_url, 2.0, CHANNEL, name) for name in ("p-1", "p-2")}
    async with listening(valkey_url) as (ears, hints):
        await until(hints, listens=True)
        tasks = [asyncio.create_task(each.run()) for each in publishers.values()]
        publishers["p-2"].hint(story.meeting, told(story)[:1])
        publishers["p-1"].hint(story.meeting, told(story))

        async def heard() -> bool:
            return tuple(ears.events) == told(story)

        await eventually(heard)
        await end(*tasks)
    for publisher in publishers.values():
        await publisher.close()


@pytest.mark.parametrize(
    "message",
    [b"", b"[]", b'{"origin":"p-1","meeting":"m-1","events":[{}]}', b'{"origin":"p-1","meeting":"m-1","events":5}'],
)
async def test_what_is_no_hint_is_passed_over(valkey_url: str, message: bytes) -> None:
    story, redis = in_phase(Phase.ACTIVE), Redis.from_url(valkey_url)
    async with listening(valkey_url) as (ears, hints):
        await until(hints, listens=True)
        await redis.publish(CHANNEL, message)
        await redis.publish(CHANNEL, packed(Hint("p-1", MeetingId("m-1"), told(story))))

        async def heard() -> bool:
            return tuple(ears.events) == told(story)

        await eventually(heard)
    await redis.aclose()


async def test_what_was_missed_while_the_server_was_away_is_looked_for(server: EmbeddedValkey) -> None:
    async with listening(server.url) as (ears, hints):
        await server.start()
        await until(hints, listens=True)
        assert ears.looks == 1
        await server.stop()
        await until(hints, listens=False)
        await server.start()
        await until(hints, listens=True)
        assert ears.looks == 2
    await server.stop()


async def test_a_server_that_hangs_is_not_taken_for_a_quiet_one(server: EmbeddedValkey) -> None:
    await server.start()
    assert server.pid is not None
    async with listening(server.url) as (_, hints):
        await until(hints, listens=True)
        os.kill(server.pid, signal.SIGSTOP)
        await until(hints, listens=False)
        os.kill(server.pid, signal.SIGCONT)
        await until(hints, listens=True)
    await server.stop()
