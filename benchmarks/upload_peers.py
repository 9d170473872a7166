"""`python -m benchmarks.upload_peers NAME URL MEBIBYTES` uploads so much, and prints its seconds, those of CPU, and bytes of memory
above idle."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import uvloop
from aiobotocore.session import AioSession

from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import open_store

MIB = 1024 * 1024
CHUNK = bytes(256 * 1024)
"""What a socket gives at once."""
WARM_UP_MIB = 24
BUCKET, KEY = "bench", "tapedeck/x/a.mp4"


def settings_of(url: str) -> S3Settings:
    return S3Settings(bucket=BUCKET, region="us-east-1", endpoint_url=url, access_key="a", secret_key="s")


async def stream(mebibytes: int) -> AsyncIterator[bytes]:
    for _ in range(mebibytes * 4):
        yield CHUNK


async def tapedeck(url: str, measure: Callable[[Callable[[int], Awaitable[object]]], Awaitable[None]]) -> None:
    async with open_store(settings_of(url)) as store:
        await measure(lambda mebibytes: store.put_stream(KEY, stream(mebibytes)))


async def bare(url: str, measure: Callable[[Callable[[int], Awaitable[object]]], Awaitable[None]]) -> None:
    """The loop of the library's documentation, with as large parts and as many at once as ours."""
    session = AioSession()
    session.set_credentials("a", "s")
    async with session.create_client("s3", region_name="us-east-1", endpoint_url=url) as s3:

        async def upload(mebibytes: int) -> None:
            where: dict[str, Any] = {"Bucket": BUCKET, "Key": KEY}
            made = await s3.create_multipart_upload(**where)
            where["UploadId"] = made["UploadId"]
            parts: list[Any] = []
            slots = asyncio.Semaphore(2)

            async def send(number: int, part: bytes) -> None:
                answer = await s3.upload_part(**where, PartNumber=number, Body=part)
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
                slots.release()

            async with asyncio.TaskGroup() as group:
                held, number = bytearray(), 0
                async for chunk in stream(mebibytes):
                    held += chunk
                    if len(held) == 8 * MIB:
                        await slots.acquire()
                        number += 1
                        group.create_task(send(number, bytes(held)))
                        held.clear()
            await s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})

        await measure(upload)


async def main(name: str, url: str, mebibytes: int) -> None:
    async def measure(upload: Callable[[int], Awaitable[object]]) -> None:
        await upload(1)
        idle = psutil.Process().memory_info().rss
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
        await upload(WARM_UP_MIB)
        began, busy = time.perf_counter(), time.process_time()
        await upload(mebibytes)
        print(time.perf_counter() - began, time.process_time() - busy, most_memory() - idle)

    await {"bare": bare, "Tapedeck": tapedeck}[name](url, measure)


def most_memory() -> int:
    """The most memory that this process has had, in bytes."""
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
