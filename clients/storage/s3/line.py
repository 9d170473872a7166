"""The one way in which a bucket is spoken to: each call has a time limit, is counted, and fails in the port's words."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader, create_loader

from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from clients.storage.keys import key_is_safe
from clients.storage.s3.addresses import Addresses
from clients.storage.s3.errors import TROUBLE, translated
from clients.storage.s3.settings import S3Settings

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

Called = Callable[[str, str], None]
"""Told of each call and its outcome: `done`, `not_found`, `denied`, `unavailable`."""
_OUTCOMES = {StorageNotFound: "not_found", StorageDenied: "denied", StorageUnavailable: "unavailable"}


class Line:
    """A client of a bucket. Calls raise StorageNotFound, StorageDenied, StorageUnavailable, and nothing of the library's."""

    def __init__(self, client: "S3Client", session: AioSession, settings: S3Settings, called: Called) -> None:
        self.client = client
        self._session = session
        self.settings = settings
        self._called = called

    @asynccontextmanager
    async def call(self, name: str) -> "AsyncIterator[S3Client]":
        """The client, for one call: `async with line.call("head") as s3`."""
        try:
            async with asyncio.timeout(self.settings.call_seconds):
                yield self.client
        except TROUBLE as error:
            found = translated(error)
            self._called(name, _OUTCOMES[type(found)])
            raise found from error
        self._called(name, "done")

    async def keys(self) -> ReadOnlyCredentials:
        """Those that are good now. To be asked for within `call`."""
        found = await self._session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return await found.get_frozen_credentials()


class OnLine:
    """What every part of the store is made of."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._bucket = line.settings.bucket
        self.addresses = Addresses(self._bucket, line.client.meta.endpoint_url)


def checked(key: str) -> str:
    """The key, if it may be used. Raises StorageDenied."""
    if not key_is_safe(key):
        raise StorageDenied("the key may not be used")
    return key


@asynccontextmanager
async def open_line(settings: S3Settings, called: Called) -> AsyncIterator[Line]:
    """Its connections are closed at the end."""
    session = AioSession()
    session.register_component("data_loader", _loader())
    if settings.access_key is not None and settings.secret_key is not None:
        session.set_credentials(settings.access_key, settings.secret_key, settings.session_token)
    made = session.create_client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        config=_config(settings),
    )
    async with made as client:
        yield Line(client, session, settings, called)


@cache
def _loader() -> Loader:
    """The library's description of S3 is large, so it is read once."""
    return create_loader()


def _config(settings: S3Settings) -> AioConfig:
    """Version 4 of the signature, also of URLs; pauses between repetitions are drawn by the library (mode `standard`)."""
    checksums = "when_supported" if settings.checksums else "when_required"
    return AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
        retries={"mode": "standard", "total_max_attempts": settings.attempts_max},
        connect_timeout=settings.connect_seconds,
        read_timeout=settings.silence_seconds,
        max_pool_connections=settings.connections_max,
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
        user_agent_extra="tapedeck",
    )
