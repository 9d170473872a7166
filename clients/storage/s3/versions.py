"""All that a bucket keeps below a prefix: every version of every object, the marks of deleted ones, and uploads that were
never ended."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.sweeping import Upload
from clients.storage.s3 import listing
from clients.storage.s3.listing import Listing

if TYPE_CHECKING:
    from types_aiobotocore_s3.type_defs import ListObjectVersionsOutputTypeDef


@dataclass(frozen=True, slots=True)
class Version:
    """`version` is "null" where the bucket keeps but one. A `marker` stands for an object that was deleted."""

    key: str
    version: str
    size: int
    marker: bool


@dataclass(frozen=True, slots=True)
class VersionPage:
    """`after`: where the next one begins, None behind the last."""

    versions: tuple[Version, ...]
    after: str | None


class Versions(Listing):
    """Raises StorageDenied, StorageUnavailable."""

    async def version_page(self, prefix: str, after: str | None, limit: int) -> VersionPage:
        """So many of what begins with `prefix`, behind `after`."""
        begin: dict[str, str] = {}
        if after is not None:
            key, _, version = after.rpartition("\n")
            begin = {"KeyMarker": key, **({"VersionIdMarker": version} if version else {})}
        async with self._line.call("list_versions") as s3:
            page = await s3.list_object_versions(Bucket=self._bucket, Prefix=prefix, MaxKeys=limit, **begin)  # type: ignore[arg-type]
        more = f"{page['NextKeyMarker']}\n{page.get('NextVersionIdMarker', '')}" if page["IsTruncated"] else None
        return VersionPage(_versions(page), more)

    async def version_pages(self, prefix: str) -> AsyncIterator[tuple[Version, ...]]:
        """All of them, a page at a time. The next one is read before the caller removes this one: some servers lose their
        place at a key that is gone."""
        page = await self.version_page(prefix, None, listing.KEYS_MAX)
        while page.after is not None:
            following = await self.version_page(prefix, page.after, listing.KEYS_MAX)
            yield page.versions
            page = following
        yield page.versions

    async def uploads(self, prefix: str) -> AsyncIterator[Upload]:
        """Those that are open."""
        more: dict[str, str] = {}
        while True:
            async with self._line.call("list_uploads") as s3:
                page = await s3.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix, **more)  # type: ignore[arg-type]
            for each in page.get("Uploads", []):
                if each["Key"].startswith(prefix):
                    yield Upload(each["Key"], each["UploadId"], int(each["Initiated"].timestamp() * 1000))
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def _versions(page: "ListObjectVersionsOutputTypeDef") -> tuple[Version, ...]:
    kept = [Version(v["Key"], v["VersionId"], v["Size"], marker=False) for v in page.get("Versions", [])]
    marks = [Version(m["Key"], m["VersionId"], 0, marker=True) for m in page.get("DeleteMarkers", [])]
    return (*kept, *marks)
