"""What a bucket is like: where it is, and whether it is closed to strangers."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from clients.storage.s3.line import OnLine, checked

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

_NOT_BLOCKED = "NoSuchPublicAccessBlockConfiguration"
_UNKNOWN_CALL = {"NotImplemented", "MethodNotAllowed"}


class Inspecting(OnLine):
    """Raises StorageNotFound, StorageDenied, StorageUnavailable."""

    async def region(self) -> str | None:
        """The bucket's region by the server's word, None if it tells none. A client of another region is led there, so that
        most calls work; URLs signed for that one, and recorders that are told of it, do not."""
        async with self._line.call("region") as s3:
            answer = await s3.head_bucket(Bucket=self._bucket)
        return answer.get("BucketRegion")

    async def blocks_public_access(self) -> bool | None:
        """Whether no policy and no list of rights can open the bucket to everybody; None if the server knows no such thing."""
        async with self._line.call("public_access") as s3:
            return await self._blocked(s3)

    async def delete_version(self, key: str, version: str | None) -> None:
        """Remove what an upload has made, without a trace in a bucket that keeps versions."""
        exact: dict[str, Any] = {} if version is None else {"VersionId": version}
        async with self._line.call("delete") as s3:
            await s3.delete_object(Bucket=self._bucket, Key=checked(key), **exact)

    async def _blocked(self, s3: "S3Client") -> bool | None:
        try:
            answer = await s3.get_public_access_block(Bucket=self._bucket)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code in _UNKNOWN_CALL:
                return None
            if code == _NOT_BLOCKED:
                return False
            raise
        return all(answer["PublicAccessBlockConfiguration"].values())
