"""Servers that speak S3: moto's takes every call and any key, SeaweedFS checks signatures. Each test has a bucket of its own."""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from clients.storage.s3.line import Line, open_line
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store
from tests.fakes.seaweed import Seaweed
from tests.waiting import eventually

ACCESS_KEY, SECRET_KEY = "the-servers-key", "the-servers-secret-which-nobody-may-see"
PART_BYTES = 5 * 1024 * 1024
"""The least that servers take."""
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where it is. `strict`: it checks what it is sent."""

    url: str
    strict: bool

    def settings(self, bucket: str) -> S3Settings:
        return S3Settings(
            bucket=bucket,
            region="us-east-1",
            endpoint_url=self.url,
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            part_bytes=PART_BYTES,
        )


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3Server(f"http://{host}:{port}", strict=False)
    server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seaweed() -> AsyncIterator[S3Server]:
    """For a module only: it uses a fifth of a core while nobody calls it."""
    folder = Path(tempfile.mkdtemp(prefix="tapedeck-seaweed-"))
    server = Seaweed(folder, ACCESS_KEY, SECRET_KEY)
    await server.start()
    yield S3Server(server.url, strict=True)
    await server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["moto", "seaweed"])
def s3_server(request: pytest.FixtureRequest) -> S3Server:
    """Each of them in turn."""
    found: S3Server = request.getfixturevalue(request.param)
    return found


@pytest_asyncio.fixture
async def bucket(s3_server: S3Server) -> S3Settings:
    return await new_bucket(s3_server)


@pytest_asyncio.fixture
async def s3(bucket: S3Settings) -> AsyncIterator[S3Store]:
    async with open_line(bucket, lambda call, outcome: None) as line:
        yield S3Store(line)


@pytest_asyncio.fixture
async def strict_bucket(seaweed: S3Server) -> S3Settings:
    """On the server that checks signatures."""
    return await new_bucket(seaweed)


async def new_bucket(server: S3Server, *, locking: bool = False) -> S3Settings:
    """An empty one. `locking`: it takes locks on objects, and keeps all versions of them."""
    settings = server.settings(f"bucket-{next(_numbers)}")
    async with open_line(replace(settings, attempts_max=1), lambda call, outcome: None) as line:
        await eventually(lambda: _made(line, locking=locking))
    return settings


def told_of(bucket: S3Settings) -> dict[str, str]:
    """The variables that a user sets."""
    assert bucket.endpoint_url is not None
    assert bucket.access_key is not None
    return {
        "AWS_S3_BUCKET": bucket.bucket,
        "AWS_REGION": bucket.region,
        "AWS_ENDPOINT_URL_S3": bucket.endpoint_url,
        "AWS_ACCESS_KEY_ID": bucket.access_key,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


async def _made(line: Line, *, locking: bool) -> bool:
    """SeaweedFS listens a little before it is ready."""
    try:
        await line.client.create_bucket(Bucket=line.settings.bucket, ObjectLockEnabledForBucket=locking)
    except ClientError:
        return False
    return True
