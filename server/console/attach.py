"""`tapedeck recordings attach`: a file is sent, or fetched by the server, and the recording is proven again."""

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from server.console.actions import end_of
from server.console.api import Api
from server.console.tables import print_json

CHUNK_BYTES = 1024 * 1024
TYPES = {".ts": "video/mp2t", ".m3u8": "application/vnd.apple.mpegurl"}
"""Which systems take for something else."""


async def attach(api: Api, recording_id: str, source: str, name: str | None, *, as_json: bool) -> None:
    """Raises OSError for a file that cannot be read."""
    with _progress() as progress:
        if source.startswith(("http://", "https://")):
            progress.add_task("fetching", total=None)
            recording = await api.attach_from(recording_id, name, source)
        else:
            recording = await _send(api, recording_id, Path(source), name, progress)
    if as_json:
        print_json(recording)
    else:
        print(end_of(recording))


async def _send(api: Api, recording_id: str, path: Path, name: str | None, progress: Progress) -> Any:
    with path.open("rb") as file:
        size = path.stat().st_size
        kind = TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return await api.attach(recording_id, name or path.name, _read(file, size, progress), size, kind)


async def _read(file: BinaryIO, size: int, progress: Progress) -> AsyncIterator[bytes]:
    sending = progress.add_task("sending", total=size)
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk
        progress.advance(sending, len(chunk))
    progress.update(sending, description="proving")


def _progress() -> Progress:
    """On a terminal only; on stderr, since the outcome goes to stdout."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
