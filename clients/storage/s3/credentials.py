"""The keys that this host has by itself."""

from dataclasses import dataclass, field

from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError

from actors.ports import StorageDenied
from clients.storage.s3.errors import translated


@dataclass(frozen=True, slots=True)
class Keys:
    """`temporary`: they end, and others have to be asked for in time."""

    access_key: str
    secret_key: str = field(repr=False)
    temporary: bool


async def find_keys() -> Keys:
    """From environment, profile, container or instance, in the order of Amazon's tools.

    Raises StorageDenied, StorageUnavailable.
    """
    try:
        found = await AioSession().get_credentials()
        frozen = await found.get_frozen_credentials() if found is not None else None
    except BotoCoreError as error:
        raise translated(error) from error
    if frozen is None or frozen.access_key is None or frozen.secret_key is None:
        raise StorageDenied("no keys to the store were found")
    return Keys(frozen.access_key, frozen.secret_key, frozen.token is not None)
