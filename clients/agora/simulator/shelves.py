"""Where the files of a session go: the folder, or the bucket that its `storageConfig` names (api.md 7)."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

from clients.agora.requests import S3_REGIONS
from clients.agora.simulator.wire import ANY_S3
from clients.storage.local import LocalStore
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store, open_store

AMAZON = 1
ANY_REGION = "us-east-1"
"""What other servers than Amazon's sign for, as `storageConfig` names no region of theirs."""
_REGIONS = {number: region for region, number in S3_REGIONS.items()}


class Shelf(Protocol):
    """Takes files. Raises StorageDenied, StorageUnavailable."""

    async def put(self, key: str, data: bytes) -> object: ...

    async def put_file(self, key: str, path: Path) -> None:
        """`path` is gone afterwards."""
        ...


class Shelves:
    """`amazon`: the vendor of that name is the real one; without it, its files go into the folder too."""

    def __init__(self, folder: LocalStore, *, amazon: bool) -> None:
        self._folder = folder
        self._amazon = amazon
        self._buckets: dict[S3Settings, S3Store] = {}
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()

    async def of(self, storage: Mapping[str, Any]) -> Shelf:
        """Of a session with that `storageConfig`, for which the keys in it have to do."""
        settings = self._bucket(storage)
        if settings is None:
            return self._folder
        async with self._lock:
            if settings not in self._buckets:
                self._buckets[settings] = await self._stack.enter_async_context(open_store(settings))
        return self._buckets[settings]

    async def close(self) -> None:
        await self._stack.aclose()

    def _bucket(self, storage: Mapping[str, Any]) -> S3Settings | None:
        keys = {
            "access_key": storage["accessKey"],
            "secret_key": storage["secretKey"],
            "session_token": storage.get("stsToken"),
        }
        if storage["vendor"] == ANY_S3:
            endpoint = url_of(storage["extensionParams"]["endpoint"])
            return S3Settings(bucket=storage["bucket"], region=ANY_REGION, endpoint_url=endpoint, **keys)
        if storage["vendor"] == AMAZON and self._amazon:
            return S3Settings(bucket=storage["bucket"], region=_REGIONS[storage["region"]], **keys)
        return None


def url_of(endpoint: str) -> str:
    """A host is meant with TLS; a test's server says that it has none."""
    return endpoint if "://" in endpoint else f"https://{endpoint}"
