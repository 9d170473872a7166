"""The stores of recordings, each empty: a folder, a bucket on moto's server, a bucket on one that checks signatures."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clients.storage.local import LocalStore
from clients.storage.s3.store import S3Store, open_store
from tests.fakes.buckets import S3Server, new_bucket

Store = LocalStore | S3Store


@pytest.fixture(params=["local", "moto", "seaweed"])
def place(request: pytest.FixtureRequest) -> S3Server | None:
    """None: a folder."""
    found: S3Server | None = None if request.param == "local" else request.getfixturevalue(request.param)
    return found


@pytest_asyncio.fixture
async def store(place: S3Server | None, tmp_path: Path) -> AsyncIterator[Store]:
    if place is None:
        yield LocalStore(tmp_path / "media")
        return
    async with open_store(await new_bucket(place)) as made:
        yield made
