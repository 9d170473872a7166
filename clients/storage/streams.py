"""Bytes on their way: a file read piece by piece, and streams cut into parts of one size."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from pathlib import Path

CHUNK_BYTES = 1024 * 1024


async def file_chunks(path: Path) -> AsyncGenerator[bytes]:
    """What the file holds. Raises OSError."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
    finally:
        file.close()


class Parts:
    """The bytes of a stream in parts of `size`; the last may be shorter. No more than one is held, and what was taken is not."""

    def __init__(self, chunks: AsyncIterable[bytes], size: int) -> None:
        self._chunks = aiter(chunks)
        self._size = size
        self._held = bytearray()

    @property
    def holds(self) -> bool:
        """Whether there is something to take."""
        return bool(self._held)

    async def fill(self) -> bool:
        """Read until there is a whole part. False: the stream has ended before. Raises what the stream raises."""
        while len(self._held) < self._size:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                return False
            self._held += chunk
        return True

    def take(self) -> bytes:
        """The part that is there."""
        with memoryview(self._held) as view:  # a slice would be a second copy
            part = bytes(view[: self._size])
        del self._held[: self._size]
        return part
