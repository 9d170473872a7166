"""Writes each meeting's live state as a cache, and publishes what changed as a hint, after the commit.

Fire and forget: what cannot be written at once waits in a bounded queue, is written by one task, and is dropped when the
queue is full or the server is away. Nobody ever waits for it.
"""

import asyncio
from collections.abc import Callable, Sequence

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.domain.codec import encode
from actors.domain.events import JournalEvent
from actors.domain.model import Meeting
from clients.redis.hints import Hint, packed

log = structlog.get_logger(__name__)

QUEUE_MAX = 1000
LIVE_SECONDS = 86_400
RETRY_SECONDS = 1.0


def live_key(meeting_id: str) -> str:
    """Where a meeting's live recording is cached."""
    return f"tapedeck:live:{meeting_id}"


class RedisPublisher:
    """Implements `actors.ports.Publisher`."""

    def __init__(
        self,
        url: str,
        timeout_seconds: float,
        channel: str,
        origin: str,
        on_drop: Callable[[], None] = lambda: None,
    ) -> None:
        self._redis = Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)
        self._queue: asyncio.Queue[tuple[Meeting, tuple[JournalEvent, ...]]] = asyncio.Queue(QUEUE_MAX)
        self._channel = channel
        self._origin = origin
        self._on_drop = on_drop

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        try:
            self._queue.put_nowait((state, tuple(events)))
        except asyncio.QueueFull:
            self._on_drop()

    async def run(self) -> None:
        """Write what is queued, until cancelled."""
        while True:
            state, events = await self._queue.get()
            try:
                await self._write(state, events)
            except (RedisError, OSError, TimeoutError) as error:
                self._on_drop()
                log.warning("redis.unavailable", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def ping(self) -> str:
        """Raises if it does not answer."""
        await self._redis.ping()
        return "answers"

    async def close(self) -> None:
        await self._redis.aclose()

    async def _write(self, state: Meeting, events: tuple[JournalEvent, ...]) -> None:
        key = live_key(state.meeting_id)
        async with self._redis.pipeline(transaction=False) as pipeline:
            if state.live is None:
                pipeline.delete(key)
            else:
                pipeline.set(key, orjson.dumps(state.live, default=encode), ex=LIVE_SECONDS)
            pipeline.publish(self._channel, packed(Hint(self._origin, state.meeting_id, events)))
            await pipeline.execute()
