"""What is stored to try a store out, and the words for a step of it that fails."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from server.checks import Trouble

FOLDER = "_preflight"
"""Beside the folders of recordings, whose names have letters and digits only: no recording can have this one."""
STORAGE_TROUBLE = (StorageDenied, StorageNotFound, StorageUnavailable)


def new_probe(prefix: str) -> tuple[str, bytes]:
    """A key below `prefix` that nobody has used, and something that nobody can guess."""
    return f"{prefix}/{FOLDER}/{uuid4().hex}", secrets.token_bytes(64)


@contextmanager
def step(what: str, advice: str) -> Iterator[None]:
    """Raises Trouble if the store does not do its part."""
    try:
        yield
    except STORAGE_TROUBLE as error:
        raise Trouble(f"{what}: {error}", advice) from None
