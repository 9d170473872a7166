"""What a bucket holds, page by page: a thousand keys are one call."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from actors.domain.media import StoredObject
from clients.storage.keys import key_is_safe
from clients.storage.s3.line import OnLine

if TYPE_CHECKING:
    from types_aiobotocore_s3.type_defs import ListObjectsV2OutputTypeDef

KEYS_MAX = 1000
"""That one call may name, everywhere."""


class Listing(OnLine):
    """Raises StorageDenied, StorageUnavailable."""

    async def list(self, prefix: str) -> list[StoredObject]:
        """All objects whose key begins with `prefix`, by key; none whose key nobody could have used here."""
        pages = [page async for page in self.pages(prefix)]
        return [found for page in pages for found in page if key_is_safe(found.key)]

    async def pages(self, prefix: str) -> AsyncIterator[Sequence[StoredObject]]:
        """The same a page at a time, so that a large bucket takes no memory; every key, those of others too."""
        more: dict[str, str] = {}
        while True:
            async with self._line.call("list") as s3:
                page = await s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=KEYS_MAX, **more)  # type: ignore[arg-type]
            yield _objects(page)
            if not page["IsTruncated"]:
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    async def ping(self) -> None:
        """Whether the bucket can be listed, by the cheapest look at it."""
        async with self._line.call("list") as s3:
            await s3.list_objects_v2(Bucket=self._bucket, MaxKeys=1)


def _objects(page: "ListObjectsV2OutputTypeDef") -> list[StoredObject]:
    return [
        StoredObject(
            found["Key"],
            found["Size"],
            int(found["LastModified"].timestamp() * 1000),
            found["ETag"].strip('"') if "ETag" in found else None,
        )
        for found in page.get("Contents", [])
    ]
