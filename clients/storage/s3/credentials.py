"""The keys that this host has by itself."""

from dataclasses import dataclass, field
from datetime import datetime

from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError

from actors.ports import StorageDenied
from clients.storage.s3.errors import translated


@dataclass(frozen=True, slots=True)
class Keys:
    """With a `session_token` they are temporary. `ends_at_ms`: when; None: they do not end, or nobody knows when."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    ends_at_ms: int | None = None


async def find_keys() -> Keys:
    """From environment, profile, container or instance, in the order of Amazon's tools; a role's as fresh as it gives them.

    Raises StorageDenied, StorageUnavailable.
    """
    try:
        found = await AioSession().get_credentials()
        frozen = await found.get_frozen_credentials() if found is not None else None
    except BotoCoreError as error:
        raise translated(error) from error
    if frozen is None or frozen.access_key is None or frozen.secret_key is None:
        raise StorageDenied("no keys to the store were found")
    # The library tells the end nowhere else; Amazon's own command line reads it there too.
    ends_at: datetime | None = getattr(found, "_expiry_time", None)
    ends_at_ms = None if ends_at is None else int(ends_at.timestamp() * 1000)
    return Keys(frozen.access_key, frozen.secret_key, frozen.token, ends_at_ms)
