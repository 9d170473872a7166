"""Objects read: whole, by ranges, or only asked about."""

import asyncio
import io
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from actors.domain.media import StoredObject
from actors.ports import StorageUnavailable
from clients.storage.s3.line import OnLine, checked

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

AHEAD_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """What the store knows of an object. `modified_at_ms` by its clock."""

    size: int
    etag: str
    content_type: str
    modified_at_ms: int
    encryption: str | None
    storage_class: str | None


class Reading(OnLine):
    """Raises StorageNotFound, StorageDenied, StorageUnavailable."""

    async def get(self, key: str) -> bytes:
        return await self._get(key, {})

    async def get_range(self, key: str, first: int, last: int) -> bytes:
        """The bytes from `first` to `last`, that one too."""
        return await self._get(key, {"Range": f"bytes={first}-{last}"})

    async def chunks(self, found: StoredObject) -> AsyncGenerator[bytes]:
        """All of the object, by ranges: each is a call of its own, so that none takes longer than a call may."""
        size = self._line.settings.part_bytes
        for first in range(0, found.size, size):
            yield await self.get_range(found.key, first, min(first + size, found.size) - 1)

    async def head(self, key: str) -> Head:
        async with self._line.call("head") as s3:
            told = await s3.head_object(Bucket=self._bucket, Key=checked(key))
        return Head(
            size=told["ContentLength"],
            etag=told["ETag"].strip('"'),
            content_type=told["ContentType"],
            modified_at_ms=int(told["LastModified"].timestamp() * 1000),
            encryption=told.get("ServerSideEncryption"),
            storage_class=told.get("StorageClass"),
        )

    @contextmanager
    def source(self, found: StoredObject) -> Iterator[BinaryIO]:
        """What a media library opens, in a thread: the object as a file, which is read by ranges. Raises at its end if it
        could not be read: libraries take a failed read for the end of the file."""
        ranges = Ranges(partial(self.get_range, found.key), found.size, 2 * self._line.settings.call_seconds)
        yield io.BufferedReader(ranges, AHEAD_BYTES)
        if ranges.trouble is not None:
            raise ranges.trouble

    async def _get(self, key: str, asked: dict[str, str]) -> bytes:
        async with self._line.call("get") as s3:
            answer = await s3.get_object(Bucket=self._bucket, Key=checked(key), **asked)  # type: ignore[arg-type]
            async with answer["Body"] as body:
                return await body.read()


class Ranges(io.RawIOBase):
    """A file whose bytes `read` gets, from first to last, on the event loop of whoever made it. `seconds`: for each range at
    most. `trouble`: why it could not be read."""

    def __init__(self, read: Callable[[int, int], Coroutine[Any, Any, bytes]], size: int, seconds: float) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._read = read
        self._size = size
        self._seconds = seconds
        self._position = 0
        self.trouble: Exception | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer)
        last = min(self._position + len(room), self._size) - 1
        if last < self._position:
            return 0
        data = self._fetched(self._position, last)
        room[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _fetched(self, first: int, last: int) -> bytes:
        reading = asyncio.run_coroutine_threadsafe(self._read(first, last), self._loop)
        try:
            return reading.result(self._seconds)  # a loop that has stopped would never answer
        except Exception as error:
            self.trouble = StorageUnavailable("the store is gone") if isinstance(error, TimeoutError) else error
            raise self.trouble from None
