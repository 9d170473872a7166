"""Hears the hints of other nodes, for as long as Redis can be had. What is missed meanwhile is read from the journal."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from actors.domain.codec import CodecError
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from clients.redis.hints import unpacked

RETRY_SECONDS = 1.0
QUIET_SECONDS = 5.0
"""After so long without a word the connection is asked whether it still is one."""
log = structlog.get_logger(__name__)


Heard = Callable[[MeetingId, Sequence[JournalEvent]], None]
"""Is told of other nodes' events."""
Missed = Callable[[], Awaitable[None]]
"""Is told when hints may have been lost: the journal is to be looked at."""


class HintListener:
    """`listening`: what others commit now is heard. `origin`: this process, whose own hints are none to it."""

    def __init__(self, url: str, timeout_seconds: float, channel: str, origin: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)
        self._channel = channel
        self._origin = origin
        self.listening = False

    async def run(self, heard: Heard, missed: Missed) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._listen(heard, missed)
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("redis.hints_not_heard", error=type(error).__name__)
            finally:
                self.listening = False
            await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        await self._redis.aclose()

    async def _listen(self, heard: Heard, missed: Missed) -> None:
        async with self._redis.pubsub() as channel:
            await channel.subscribe(self._channel)
            while True:
                message = await self._next(channel)
                if message["type"] == "subscribe":  # the first time, and after each connection that was lost
                    self.listening = True
                    await missed()
                elif message["type"] == "message":
                    self._take(message["data"], heard)

    async def _next(self, channel: PubSub) -> dict[str, Any]:
        """The next message, an answer to a question included. Raises TimeoutError if there is none."""
        message: dict[str, Any] | None = await channel.get_message(timeout=QUIET_SECONDS)
        if message is None:
            await channel.ping()
            message = await channel.get_message(timeout=QUIET_SECONDS)
        if message is None:
            raise TimeoutError
        return message

    def _take(self, data: bytes, heard: Heard) -> None:
        try:
            hint = unpacked(data)
        except CodecError as error:
            log.warning("redis.hint_not_read", error=str(error)[:200])
            return
        if hint.origin != self._origin:
            heard(hint.meeting_id, hint.events)
