"""A simulator by itself writes to the bucket that a start names for vendor 11, and into its folder for all others."""

from pathlib import Path
from typing import Any

import pytest

from clients.agora.simulator.shelves import Shelves, url_of
from clients.storage.local import LocalStore
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store, open_store
from tests.fakes.buckets import SECRET_KEY


def told(bucket: S3Settings, vendor: int, region: int = 0, **more: Any) -> dict[str, Any]:
    keys = {"accessKey": bucket.access_key, "secretKey": SECRET_KEY}
    return {"vendor": vendor, "region": region, "bucket": bucket.bucket, **keys, **more}


async def test_vendor_11_is_the_server_that_it_names(strict_bucket: S3Settings, tmp_path: Path) -> None:
    shelves = Shelves(LocalStore(tmp_path), amazon=False)
    storage = told(strict_bucket, 11, extensionParams={"endpoint": strict_bucket.endpoint_url})
    shelf = await shelves.of(storage)
    await shelf.put("r/a.ts", b"x")
    assert await shelves.of(dict(storage)) is shelf
    await shelves.close()
    async with open_store(strict_bucket) as store:
        assert [found.key for found in await store.list("")] == ["r/a.ts"]


async def test_any_other_vendor_is_the_folder(strict_bucket: S3Settings, tmp_path: Path) -> None:
    folder = LocalStore(tmp_path)
    shelves = Shelves(folder, amazon=False)
    for vendor in (1, 2, 8):
        assert await shelves.of(told(strict_bucket, vendor)) is folder


async def test_amazon_may_be_the_real_one(strict_bucket: S3Settings, tmp_path: Path) -> None:
    shelves = Shelves(LocalStore(tmp_path), amazon=True)
    shelf = await shelves.of(told(strict_bucket, 1, region=7))
    assert isinstance(shelf, S3Store)
    assert shelf.addresses.server_url == "https://s3.eu-central-1.amazonaws.com"
    await shelves.close()


@pytest.mark.parametrize(
    ("endpoint", "url"), [("s3.example:9000", "https://s3.example:9000"), ("http://127.0.0.1:1", "http://127.0.0.1:1")]
)
def test_a_host_is_meant_with_tls(endpoint: str, url: str) -> None:
    assert url_of(endpoint) == url
