"""URLs that open an object for a while, for whoever has them (signature version 4)."""

from typing import Any, Literal
from urllib.parse import quote

from clients.storage.s3.line import OnLine, checked

SECONDS_MAX = 7 * 86400
"""A signature lasts no longer. With temporary keys it ends with them, whatever the URL says."""
Disposition = Literal["inline", "attachment"]


class Signing(OnLine):
    """Nothing is sent. Raises StorageDenied where no keys are found, or the key may not be used."""

    async def presign_get(
        self,
        key: str,
        seconds: int,
        *,
        disposition: Disposition = "inline",
        file_name: str | None = None,
        content_type: str | None = None,
    ) -> str:
        """A URL that reads it. The answer's headers name the file and its type, if they are given."""
        told: dict[str, Any] = {}
        if file_name is not None:
            told["ResponseContentDisposition"] = content_disposition(disposition, file_name)
        if content_type is not None:
            told["ResponseContentType"] = content_type
        return await self._presign("get_object", key, seconds, told)

    async def presign_put(self, key: str, seconds: int, *, content_type: str | None = None) -> str:
        """A URL that writes it. With a type, whoever writes has to send that very header."""
        return await self._presign("put_object", key, seconds, {"ContentType": content_type} if content_type else {})

    async def _presign(self, method: str, key: str, seconds: int, told: dict[str, Any]) -> str:
        if not 0 < seconds <= SECONDS_MAX:
            raise ValueError(f"a URL lasts from 1 to {SECONDS_MAX} seconds")
        where = {"Bucket": self._bucket, "Key": checked(key)}
        async with self._line.call("presign") as s3:
            return await s3.generate_presigned_url(method, Params={**where, **told}, ExpiresIn=seconds)


def content_disposition(disposition: Disposition, file_name: str) -> str:
    """The header for any name: plain for old clients, and as UTF-8 (RFC 6266)."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in file_name)
    return f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
