"""Objects written: whole, from a file, or from a stream of any length with little memory."""

import asyncio
from collections.abc import AsyncIterable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from clients.storage.keys import content_type_of
from clients.storage.s3.line import Line, OnLine, checked
from clients.storage.streams import Parts, file_chunks

if TYPE_CHECKING:
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

PARTS_MAX = 10_000
"""Of one object, everywhere."""
log = structlog.get_logger(__name__)


class Uploads(OnLine):
    """An object is there as a whole or not at all. Raises StorageDenied, StorageUnavailable."""

    async def put(self, key: str, data: bytes, content_type: str | None = None) -> str | None:
        """Store the object, in place of an older one of that key; its version, if the bucket keeps versions."""
        kind = _kind(key, content_type)
        async with self._line.call("put") as s3:
            answer = await s3.put_object(Bucket=self._bucket, Key=checked(key), Body=data, **kind, **self._kept())
        return answer.get("VersionId")

    async def put_file(self, key: str, path: Path) -> None:
        """Move a file in as the object of that key. `path` is gone afterwards."""
        async with aclosing(file_chunks(path)) as chunks:
            await self.put_stream(key, chunks)
        await asyncio.to_thread(path.unlink)

    async def put_stream(self, key: str, chunks: AsyncIterable[bytes], content_type: str | None = None) -> int:
        """Store what the stream holds, in parts if it is long; its bytes. What the stream raises is raised here."""
        checked(key)
        parts = Parts(chunks, self._line.settings.part_bytes)
        if await parts.fill():
            return await self._put_parts(key, parts, content_type)
        data = parts.take()
        await self.put(key, data, content_type)
        return len(data)

    async def _put_parts(self, key: str, parts: Parts, content_type: str | None) -> int:
        asked = {**_kind(key, content_type), **self._kept()}
        async with self._line.call("multipart_create") as s3:
            made = await s3.create_multipart_upload(Bucket=self._bucket, Key=key, **asked)
        return await _Multipart(self._line, key, made["UploadId"]).run(parts)

    def _kept(self) -> dict[str, Any]:
        """How the store is to keep it."""
        settings = self._line.settings
        wanted = {
            "ServerSideEncryption": settings.encryption,
            "SSEKMSKeyId": settings.kms_key,
            "StorageClass": settings.storage_class,
        }
        return {name: value for name, value in wanted.items() if value is not None}


class _Multipart:
    """An upload in parts, some at once. When it fails nothing of it stays: the store would keep it, and ask money for it."""

    def __init__(self, line: Line, key: str, upload_id: str) -> None:
        self._line = line
        self._where: dict[str, str] = {"Bucket": line.settings.bucket, "Key": key, "UploadId": upload_id}
        self._slots = asyncio.Semaphore(line.settings.parts_max)
        self._etags: dict[int, str] = {}
        self._size = 0

    async def run(self, parts: Parts) -> int:
        try:
            await self._send(parts)
            sent: list[CompletedPartTypeDef] = [{"PartNumber": n, "ETag": self._etags[n]} for n in sorted(self._etags)]
            async with self._line.call("multipart_complete") as s3:
                await s3.complete_multipart_upload(**self._where, MultipartUpload={"Parts": sent})  # type: ignore[arg-type]
        except BaseException:
            await asyncio.shield(self._abort())
            raise
        return self._size

    async def _send(self, parts: Parts) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                await self._slots.acquire()
                while await parts.fill() or parts.holds:
                    self._begin(group, parts.take())
                    await self._slots.acquire()  # before the next one is read: what waits takes memory too
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    def _begin(self, group: asyncio.TaskGroup, part: bytes) -> None:
        """Send the part beside others; it gives its slot back when it is done."""
        self._size += len(part)
        number = len(self._etags) + 1
        if number > PARTS_MAX:
            raise StorageDenied(f"an object has no more than {PARTS_MAX} parts (storage.part_bytes)")
        self._etags[number] = ""
        group.create_task(self._part(number, part)).add_done_callback(lambda _: self._slots.release())

    async def _part(self, number: int, part: bytes) -> None:
        async with self._line.call("multipart_part") as s3:
            answer = await s3.upload_part(**self._where, PartNumber=number, Body=part)  # type: ignore[arg-type]
        self._etags[number] = answer["ETag"]

    async def _abort(self) -> None:
        try:
            async with self._line.call("multipart_abort") as s3:
                await s3.abort_multipart_upload(**self._where)  # type: ignore[arg-type]
        except StorageNotFound:
            pass
        except (StorageDenied, StorageUnavailable) as error:
            log.warning("storage.upload_left_open", key=self._where["Key"], why=str(error))


def _kind(key: str, content_type: str | None) -> dict[str, Any]:
    return {"ContentType": content_type or content_type_of(key)}
