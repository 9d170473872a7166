"""A bucket as the store of recordings: everything that can be done with it, each in a module of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from clients.storage.s3.copying import Copying
from clients.storage.s3.deleting import Deleting
from clients.storage.s3.inspecting import Inspecting
from clients.storage.s3.line import Called, open_line
from clients.storage.s3.reading import Reading
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.signing import Signing


class S3Store(Reading, Copying, Deleting, Signing, Inspecting):
    """`clients.storage.media.ObjectStore` on S3. Raises StorageNotFound, StorageDenied, StorageUnavailable."""


@asynccontextmanager
async def open_store(settings: S3Settings, called: Called = lambda call, outcome: None) -> AsyncIterator[S3Store]:
    """The store of that bucket, until the end of the block."""
    async with open_line(settings, called) as line:
        yield S3Store(line)
