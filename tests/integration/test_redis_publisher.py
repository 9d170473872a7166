"""The cache and the hints, and what happens when nobody takes them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from redis.asyncio import Redis

from actors.domain.codec import decode
from actors.domain.model import Phase, Recording
from clients.embedded.rundir import fresh_run_dir, remove_run_dir
from clients.embedded.valkey import EmbeddedValkey
from clients.ending import end
from clients.redis.hints import channel_of
from clients.redis.publisher import QUEUE_MAX, RedisPublisher, live_key
from tests.unit.domain.story import in_phase
from tests.waiting import eventually

CHANNEL = channel_of("a-journal")


@asynccontextmanager
async def running(publisher: RedisPublisher) -> AsyncIterator[None]:
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        await end(task)
        await publisher.close()


async def test_the_live_state_is_cached_and_told_until_it_is_over(valkey_url: str) -> None:
    story, redis = in_phase(Phase.ACTIVE), Redis.from_url(valkey_url)
    channel = redis.pubsub()
    await channel.subscribe(CHANNEL)
    publisher = RedisPublisher(valkey_url, 2.0, CHANNEL, "p-1")
    async with running(publisher):
        publisher.hint(story.meeting, story.log[-1:])

        async def cached() -> bytes | None:
            return await redis.get(live_key("m-1"))

        assert decode(Recording, orjson.loads(await eventually(cached) or b"")) == story.live
        story.later(1).stop()
        story.stopped()
        publisher.hint(story.meeting, story.log[-1:])

        async def forgotten() -> bool:
            return await cached() is None

        await eventually(forgotten)

        async def told() -> dict[str, object] | None:
            return await channel.get_message(ignore_subscribe_messages=True)

        assert orjson.loads((await eventually(told) or {})["data"])["meeting"] == "m-1"
    await channel.aclose()
    await redis.aclose()


async def test_a_server_that_is_away_costs_hints_and_nothing_else(tmp_path: object) -> None:
    dropped: list[int] = []
    publisher = RedisPublisher(f"unix://{tmp_path}/nobody.sock", 0.2, CHANNEL, "p-1", lambda: dropped.append(1))
    story = in_phase(Phase.ACTIVE)
    async with running(publisher):
        for _ in range(QUEUE_MAX + 10):
            publisher.hint(story.meeting, story.log[-1:])
        assert len(dropped) >= 9

        async def tried() -> bool:
            return len(dropped) >= 10

        await eventually(tried)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server of the test's own, not started."""
    run_dir = fresh_run_dir(tmp_path)
    yield EmbeddedValkey(tmp_path, run_dir)
    remove_run_dir(tmp_path, run_dir)


async def _published(publisher: RedisPublisher, redis: Redis) -> None:
    """Publish, until it is in the cache."""
    story = in_phase(Phase.ACTIVE)
    publisher.hint(story.meeting, story.log[-1:])

    async def cached() -> bytes | None:
        return await redis.get(live_key("m-1"))

    await eventually(cached)
    await redis.flushall()


async def _dropped(publisher: RedisPublisher, drop: asyncio.Event) -> None:
    """Publish, until it is given up."""
    story = in_phase(Phase.ACTIVE)
    publisher.hint(story.meeting, story.log[-1:])
    await asyncio.wait_for(drop.wait(), 15)
    drop.clear()


async def test_a_server_that_went_away_and_came_back_is_written_to_again(server: EmbeddedValkey) -> None:
    drop = asyncio.Event()
    redis, publisher = Redis.from_url(server.url), RedisPublisher(server.url, 0.5, CHANNEL, "p-1", drop.set)
    async with running(publisher):
        await _dropped(publisher, drop)
        await server.start()
        await _published(publisher, redis)
        await server.stop()
        await _dropped(publisher, drop)
        await server.start()
        await _published(publisher, redis)
    await redis.aclose()
    await server.stop()


async def test_a_server_that_hangs_is_given_up_and_written_to_again_when_it_answers(server: EmbeddedValkey) -> None:
    drop = asyncio.Event()
    redis, publisher = Redis.from_url(server.url), RedisPublisher(server.url, 0.2, CHANNEL, "p-1", drop.set)
    await server.start()
    assert server.pid is not None
    async with running(publisher):
        await _published(publisher, redis)
        os.kill(server.pid, signal.SIGSTOP)
        await _dropped(publisher, drop)
        os.kill(server.pid, signal.SIGCONT)
        await _published(publisher, redis)
    await redis.aclose()
    await server.stop()
