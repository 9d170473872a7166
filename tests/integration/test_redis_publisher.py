"""The cache and the hints, and what happens when nobody takes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from redis.asyncio import Redis

from actors.domain.codec import decode
from actors.domain.model import Phase, Recording
from clients.redis.publisher import CHANNEL, QUEUE_MAX, RedisPublisher, live_key
from tests.unit.domain.story import in_phase
from tests.waiting import eventually


@asynccontextmanager
async def running(publisher: RedisPublisher) -> AsyncIterator[None]:
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await publisher.close()


async def test_the_live_state_is_cached_and_told_until_it_is_over(valkey_url: str) -> None:
    story, redis = in_phase(Phase.ACTIVE), Redis.from_url(valkey_url)
    channel = redis.pubsub()
    await channel.subscribe(CHANNEL)
    publisher = RedisPublisher(valkey_url, 2.0)
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
    publisher = RedisPublisher(f"unix://{tmp_path}/nobody.sock", 0.2, lambda: dropped.append(1))
    story = in_phase(Phase.ACTIVE)
    async with running(publisher):
        for _ in range(QUEUE_MAX + 10):
            publisher.hint(story.meeting, story.log[-1:])
        assert len(dropped) >= 9

        async def tried() -> bool:
            return len(dropped) >= 10

        await eventually(tried)
