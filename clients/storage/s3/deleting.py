"""Objects deleted, a thousand with each call."""

from collections.abc import Sequence

from actors.domain.outcomes import Erased
from actors.ports import StorageDenied, StorageUnavailable
from clients.storage.s3 import listing
from clients.storage.s3.line import checked
from clients.storage.s3.listing import Listing

_DENIED = {"AccessDenied", "AllAccessDisabled", "MethodNotAllowed"}


class Deleting(Listing):
    """Raises StorageDenied, StorageUnavailable."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these objects. A key that is not there is no error."""
        await self._delete([checked(key) for key in keys])

    async def delete_prefix(self, prefix: str) -> Erased:
        """Remove everything whose key begins with `prefix`, also what has a key that nobody could have used here.

        Looks again at the end: somebody may still have been writing. Raises StorageUnavailable if something is left.
        """
        if not prefix:
            raise StorageDenied("nobody empties a whole bucket")
        count = size = 0
        async for page in self.pages(prefix):
            await self._delete([found.key for found in page])
            count, size = count + len(page), size + sum(found.size for found in page)
        left = [found async for page in self.pages(prefix) for found in page] if count else []
        if left:
            raise StorageUnavailable(f"{len(left)} objects are still there")
        return Erased(count, size)

    async def _delete(self, keys: Sequence[str]) -> None:
        odd = [key for key in keys if not key.isprintable()]  # a list of keys is XML, which has no control characters
        for key in odd:
            async with self._line.call("delete") as s3:
                await s3.delete_object(Bucket=self._bucket, Key=key)
        plain = [key for key in keys if key.isprintable()]
        for first in range(0, len(plain), listing.KEYS_MAX):
            await self._delete_batch(plain[first : first + listing.KEYS_MAX])

    async def _delete_batch(self, keys: Sequence[str]) -> None:
        async with self._line.call("delete") as s3:
            answer = await s3.delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        codes = [str(error.get("Code")) for error in answer.get("Errors", [])]
        if codes:
            why = f"{len(codes)} objects were not deleted: {codes[0]}"
            raise StorageDenied(why) if codes[0] in _DENIED else StorageUnavailable(why)
