"""Objects copied by the store itself, and the tags that they carry."""

from collections.abc import Mapping

from clients.storage.s3.line import checked
from clients.storage.s3.uploads import Uploads


class Copying(Uploads):
    """Raises StorageNotFound, StorageDenied, StorageUnavailable."""

    async def copy(self, key: str, new_key: str) -> None:
        """Have it under another key too, with its type and tags. The store copies up to 5 GiB in one call, and no more."""
        source = {"Bucket": self._bucket, "Key": checked(key)}
        async with self._line.call("copy") as s3:
            await s3.copy_object(Bucket=self._bucket, Key=checked(new_key), CopySource=source, **self._kept())  # type: ignore[arg-type]

    async def tags(self, key: str) -> dict[str, str]:
        async with self._line.call("tags") as s3:
            answer = await s3.get_object_tagging(Bucket=self._bucket, Key=checked(key))
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    async def tag(self, key: str, tags: Mapping[str, str]) -> None:
        """Put these in place of all that it has."""
        wanted = [{"Key": name, "Value": value} for name, value in tags.items()]
        async with self._line.call("tag") as s3:
            await s3.put_object_tagging(Bucket=self._bucket, Key=checked(key), Tagging={"TagSet": wanted})  # type: ignore[typeddict-item]
