"""Bytes on their way: a file read piece by piece, off the event loop."""

import asyncio
from collections.abc import AsyncGenerator
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
