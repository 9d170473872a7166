"""Objects deleted, a thousand with each call, and all versions of them where a prefix is emptied."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from actors.domain.media import Kept, ListedObject
from actors.domain.outcomes import Erased, Inventory
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from actors.sweeping import Upload
from clients.storage.keys import name_below
from clients.storage.s3 import listing
from clients.storage.s3.line import checked
from clients.storage.s3.locks import Locks
from clients.storage.s3.versions import Version, Versions

if TYPE_CHECKING:
    from types_aiobotocore_s3.type_defs import ObjectIdentifierTypeDef

_DENIED = {"AccessDenied", "AllAccessDisabled", "MethodNotAllowed"}


class Deleting(Versions, Locks):
    """Raises StorageDenied, StorageUnavailable."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these objects. A key that is not there is no error."""
        await self._delete([{"Key": checked(key)} for key in keys])

    async def survey(self, prefix: str, after: str | None, limit: int) -> Inventory:
        """A page of everything whose key begins with `prefix`: all versions, markers, and behind the last one open uploads."""
        page = await self.version_page(prefix, after, limit)
        lock = await self.lock(page.versions, time.time_ns() // 1_000_000)
        uploads = [each async for each in self.uploads(prefix)] if page.after is None else []
        listed = [*(_listed(prefix, each) for each in page.versions), *(_opened(prefix, each) for each in uploads)]
        return Inventory(tuple(listed), page.after, lock)

    async def delete_prefix(self, prefix: str) -> Erased:
        """Remove everything that a survey shows."""
        if not prefix:
            raise StorageDenied("nobody empties a whole bucket")
        count = size = 0
        async for page in self.version_pages(prefix):
            await self._delete([{"Key": each.key, "VersionId": each.version} for each in page])
            count, size = count + len(page), size + sum(each.size for each in page)
        async for upload in self.uploads(prefix):
            await self.abort(upload)
            count += 1
        return Erased(count, size)

    async def abort(self, upload: Upload) -> None:
        """End an upload, and what it has left. One that is over is no error."""
        try:
            async with self._line.call("multipart_abort") as s3:
                await s3.abort_multipart_upload(Bucket=self._bucket, Key=upload.key, UploadId=upload.upload_id)
        except StorageNotFound:
            pass

    async def _delete(self, objects: "Sequence[ObjectIdentifierTypeDef]") -> None:
        odd = [
            each for each in objects if not each["Key"].isprintable()
        ]  # a list is XML, which has no control characters
        for each in odd:
            async with self._line.call("delete") as s3:
                await s3.delete_object(Bucket=self._bucket, **each)  # type: ignore[misc]
        plain = [each for each in objects if each["Key"].isprintable()]
        for first in range(0, len(plain), listing.KEYS_MAX):
            await self._delete_batch(plain[first : first + listing.KEYS_MAX])

    async def _delete_batch(self, objects: "Sequence[ObjectIdentifierTypeDef]") -> None:
        async with self._line.call("delete") as s3:
            answer = await s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
        codes = [str(error.get("Code")) for error in answer.get("Errors", [])]
        if codes:
            why = f"{len(codes)} objects were not deleted: {codes[0]}"
            raise StorageDenied(why) if codes[0] in _DENIED else StorageUnavailable(why)


def _listed(prefix: str, found: Version) -> ListedObject:
    """An only version has no name."""
    version = None if found.version == "null" else found.version
    return ListedObject(
        name_below(prefix, found.key), found.size, version, Kept.MARKER if found.marker else Kept.OBJECT
    )


def _opened(prefix: str, upload: Upload) -> ListedObject:
    return ListedObject(name_below(prefix, upload.key), 0, upload.upload_id, Kept.UPLOAD)
