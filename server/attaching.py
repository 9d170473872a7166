"""Files of elsewhere, put beside those of a recording: sent to us, or fetched by us. What is refused leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import Protocol

from actors.domain.media import StoredObject
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from clients.storage.fetching import Fetcher, FetchLimits, SourceFailed, SourceRefused
from clients.storage.keys import content_type_of
from clients.storage.media import folder_of
from server.errors import Problem, invalid
from server.media_metrics import AttachMetrics
from server.routes.files import Attached
from server.settings import AttachSettings

RETRY_SECONDS = 30


class StreamStore(Protocol):
    """Takes streams. Raises StorageDenied, StorageNotFound, StorageUnavailable, and whatever the stream raises."""

    async def put_stream(self, key: str, chunks: AsyncIterable[bytes], content_type: str | None = None) -> int: ...

    async def delete(self, keys: Sequence[str]) -> None: ...

    async def list(self, prefix: str) -> list[StoredObject]: ...


class Attachments:
    """`server.routes.files.Files` on a store. All raise Problem."""

    def __init__(self, store: StreamStore, settings: AttachSettings, metrics: AttachMetrics) -> None:
        self._store = store
        self._settings = settings
        self._metrics = metrics
        self._under_way = 0
        self._fetcher = Fetcher(
            FetchLimits(
                bytes_max=settings.bytes_max,
                seconds_max=settings.seconds_max,
                silence_seconds_max=settings.silence_seconds_max,
                redirects_max=settings.redirects_max,
                types=settings.types,
                private=settings.private_addresses,
            )
        )

    async def receive(
        self, prefix: tuple[str, ...], name: str, chunks: AsyncIterable[bytes], content_type: str, size: int | None
    ) -> Attached:
        """Store what is sent."""
        if not self._is_media(content_type):
            raise Problem("unsupported_media_type", f"a file of the type {content_type} is not taken (attach.types)")
        if size is not None and size > self._settings.bytes_max:
            raise self._too_large()
        with self._place():
            return await self._put(prefix, name, self._limited(chunks), content_type, size, "sent")

    async def fetch(self, prefix: tuple[str, ...], name: str, url: str) -> Attached:
        """Store what is at a URL."""
        with self._place():
            try:
                async with self._fetcher.open(url) as source:
                    return await self._put(prefix, name, source.chunks, source.content_type, source.size, "fetched")
            except (SourceRefused, SourceFailed) as error:
                raise invalid("/url", str(error)) from None

    async def discard(self, file: Attached) -> None:
        """Take away what nobody wants after all."""
        if file.new:
            with _as_problems():
                await self._store.delete([file.key])

    async def _put(
        self,
        prefix: tuple[str, ...],
        name: str,
        chunks: AsyncIterable[bytes],
        content_type: str,
        size: int | None,
        way: str,
    ) -> Attached:
        if not self._is_media(content_type_of(name)):
            raise invalid("/name", "its ending names no type of media that is taken (attach.types)")
        with _as_problems():
            key = folder_of(prefix) + name
            there = next((found.size for found in await self._store.list(key) if found.key == key), 0)
            if there and there == size:  # a repetition: the answer to the first may have been lost
                return Attached(key, there, new=False)
            if there:
                raise invalid("/name", f"there is a file of that name, of {there} bytes")
            stored = await self._store.put_stream(key, chunks, content_type)
        self._metrics.attached(way, stored)
        return Attached(key, stored, new=True)

    def _is_media(self, content_type: str) -> bool:
        return any(fnmatch(content_type.lower(), pattern) for pattern in self._settings.types)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of so many that may be on their way."""
        if self._under_way >= self._settings.at_once_max:
            why = f"{self._under_way} files are on their way already (attach.at_once_max)"
            raise Problem("overloaded", why, retry_after_seconds=RETRY_SECONDS)
        self._under_way += 1
        self._metrics.under_way(1)
        try:
            yield
        finally:
            self._under_way -= 1
            self._metrics.under_way(-1)

    async def _limited(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """What comes, as long as it comes, and no more of it than is taken."""
        size, clock = 0, asyncio.get_running_loop().time
        ends, coming = clock() + self._settings.seconds_max, aiter(chunks)
        while True:
            try:
                async with asyncio.timeout(min(self._settings.silence_seconds_max, ends - clock())):
                    chunk = await anext(coming, None)
            except TimeoutError:
                raise Problem("bad_request", "the body did not arrive in time (attach.seconds_max)") from None
            if chunk is None:
                return
            size += len(chunk)
            if size > self._settings.bytes_max:
                raise self._too_large()
            yield chunk

    def _too_large(self) -> Problem:
        return Problem(
            "payload_too_large", f"the file has more than {self._settings.bytes_max} bytes (attach.bytes_max)"
        )


@contextmanager
def _as_problems() -> Iterator[None]:
    try:
        yield
    except (StorageDenied, StorageNotFound, StorageUnavailable) as error:
        raise Problem("storage_unavailable", f"the file cannot be stored: {error}") from None
