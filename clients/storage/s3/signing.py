"""URLs that open an object for a while, for whoever has them (signature version 4)."""

from typing import Literal
from urllib.parse import quote

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from clients.storage.s3.addresses import Addresses
from clients.storage.s3.line import OnLine, checked

SECONDS_MAX = 7 * 86400
"""A signature lasts no longer. With temporary keys it ends with them, whatever the URL says."""
Disposition = Literal["inline", "attachment"]


class ObjectSigner:
    """Makes URLs with the keys of one moment. It waits for nothing, so that a thread can make thousands.

    The library's own call for this works out for each URL where the server is, which takes several times as long.
    """

    def __init__(self, addresses: Addresses, region: str, keys: ReadOnlyCredentials) -> None:
        self._addresses = addresses
        self._region = region
        self._keys = keys

    def get(
        self,
        key: str,
        seconds: int,
        *,
        disposition: Disposition = "inline",
        file_name: str | None = None,
        content_type: str | None = None,
    ) -> str:
        """A URL that reads it. The answer's headers name the file and its type, if they are given. Raises StorageDenied."""
        told = {}
        if file_name is not None:
            told["response-content-disposition"] = content_disposition(disposition, file_name)
        if content_type is not None:
            told["response-content-type"] = content_type
        return self._signed(AWSRequest("GET", self._url(key), params=told), seconds)

    def put(self, key: str, seconds: int, *, content_type: str | None = None) -> str:
        """A URL that writes it. With a type, whoever writes has to send that very header. Raises StorageDenied."""
        headers = {"Content-Type": content_type} if content_type else {}
        return self._signed(AWSRequest("PUT", self._url(key), headers=headers), seconds)

    def _url(self, key: str) -> str:
        return self._addresses.storage_url(checked(key))

    def _signed(self, request: AWSRequest, seconds: int) -> str:
        if not 0 < seconds <= SECONDS_MAX:
            raise ValueError(f"a URL lasts from 1 to {SECONDS_MAX} seconds")
        S3SigV4QueryAuth(self._keys, "s3", self._region, expires=seconds).add_auth(request)
        return str(request.url)


class Signing(OnLine):
    """Gives out what signs."""

    async def signer(self) -> ObjectSigner:
        """With the keys of now, which may be temporary. Raises StorageDenied, StorageUnavailable."""
        async with self._line.call("keys"):
            keys = await self._line.keys()
        return ObjectSigner(self.addresses, self._line.settings.region, keys)


def content_disposition(disposition: Disposition, file_name: str) -> str:
    """The header for any name: plain for old clients, and as UTF-8 (RFC 6266)."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in file_name)
    return f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
