"""Buckets that keep more than meets the eye: versions, marks, locks, and uploads that nobody ended; on both servers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from actors.domain.erasure import Lock
from actors.domain.outcomes import Done, Erased
from actors.ports import StorageDenied
from clients.storage.s3.line import open_line
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store
from tests.fakes.buckets import PART_BYTES, S3Server, new_bucket
from tests.fakes.media import media_in

CALLS: list[tuple[str, str]] = []


@pytest_asyncio.fixture
async def s3(bucket: S3Settings) -> AsyncIterator[S3Store]:
    CALLS.clear()
    async with open_line(bucket, lambda *call: CALLS.append(call)) as line:
        yield S3Store(line)


@pytest_asyncio.fixture
async def versioned(s3: S3Store) -> S3Store:
    await s3._line.client.put_bucket_versioning(Bucket=s3._bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest_asyncio.fixture
async def locking(s3_server: S3Server) -> AsyncIterator[S3Store]:
    async with open_line(await new_bucket(s3_server, locking=True), lambda *call: CALLS.append(call)) as line:
        yield S3Store(line)


async def open_upload(s3: S3Store, key: str) -> str:
    async with s3._line.call("multipart_create") as client:
        made = await client.create_multipart_upload(Bucket=s3._bucket, Key=key)
        await client.upload_part(
            Bucket=s3._bucket, Key=key, UploadId=made["UploadId"], PartNumber=1, Body=bytes(PART_BYTES)
        )
    return made["UploadId"]


async def left(s3: S3Store) -> list[str]:
    return [each.key async for page in s3.version_pages("") for each in page]


async def test_all_versions_and_marks_are_listed_and_removed(versioned: S3Store) -> None:
    for data in (b"1", b"22", b"333"):
        await versioned.put("r/1/a.ts", data)
    await versioned.put("r/1/b.ts", b"4444")
    await versioned.delete(["r/1/b.ts"])
    await versioned.put("r/10/a.ts", b"x")
    receipt = (await versioned.survey("r/1/", None, 100)).objects
    told = sorted((each.name, each.kind, each.size) for each in receipt)
    assert told == [
        ("a.ts", "object", 1), ("a.ts", "object", 2), ("a.ts", "object", 3), ("b.ts", "marker", 0), ("b.ts", "object", 4),
    ]  # fmt: skip
    assert len({each.version for each in receipt}) == 5
    assert await versioned.delete_prefix("r/1/") == Erased(5, 10)
    assert await left(versioned) == ["r/10/a.ts"]
    assert (await versioned.survey("r/1/", None, 100)).objects == ()


async def test_versions_are_listed_page_by_page(versioned: S3Store) -> None:
    for number in range(7):
        await versioned.put(f"r/1/{number // 4}.ts", b"x")
    found, after = [], None
    for expected in (3, 3, 1):
        page = await versioned.survey("r/1/", after, 3)
        assert len(page.objects) == expected
        found += [(each.name, each.version) for each in page.objects]
        after = page.after
    assert after is None
    assert len(set(found)) == 7


async def test_an_upload_that_nobody_ended_is_listed_and_ended(s3: S3Store) -> None:
    await open_upload(s3, "r/10/x.mp4")
    upload_id = await open_upload(s3, "r/1/x.mp4")
    (found,) = (await s3.survey("r/1/", None, 10)).objects
    assert (found.name, found.kind, found.version) == ("x.mp4", "upload", upload_id)
    assert await s3.delete_prefix("r/1/") == Erased(1, 0)
    assert [each.key async for each in s3.uploads("")] == ["r/10/x.mp4"]


async def test_a_bucket_without_locks_is_not_asked_for_each_object(s3: S3Store) -> None:
    for number in range(5):
        await s3.put(f"r/1/{number}", b"x")
    CALLS.clear()
    assert (await s3.survey("r/1/", None, 10)).lock is None
    assert [call for call, _ in CALLS] == ["list_versions", "lock_configuration", "list_uploads"]


async def retain(s3: S3Store, key: str, until: datetime) -> None:
    await s3._line.client.put_object_retention(
        Bucket=s3._bucket, Key=key, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until}
    )


async def test_the_longest_lock_is_told_and_the_store_holds_to_it(locking: S3Store) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    for key in ("a", "b", "c"):
        await locking.put(f"r/1/{key}", b"x")
    assert (await locking.survey("r/1/", None, 10)).lock is None
    await retain(locking, "r/1/a", soon)
    await retain(locking, "r/1/c", soon + timedelta(hours=1))
    lock = (await locking.survey("r/1/", None, 10)).lock
    assert lock == Lock(int((soon + timedelta(hours=1)).timestamp() * 1000))
    with pytest.raises(StorageDenied):
        await locking.delete_prefix("r/1/")
    assert {"r/1/a", "r/1/c"} <= set(await left(locking))


async def test_a_legal_hold_has_no_date_and_is_longer_than_any(locking: S3Store) -> None:
    await locking.put("r/1/a", b"x")
    await locking.put("r/1/b", b"x")
    await retain(locking, "r/1/b", datetime.now(UTC) + timedelta(days=1000))
    hold = {"Bucket": locking._bucket, "Key": "r/1/a"}
    await locking._line.client.put_object_legal_hold(**hold, LegalHold={"Status": "ON"})
    assert (await locking.survey("r/1/", None, 10)).lock == Lock(None)
    await locking._line.client.put_object_legal_hold(**hold, LegalHold={"Status": "OFF"})
    lock = (await locking.survey("r/1/", None, 10)).lock
    assert lock is not None
    assert lock.until_ms is not None


async def test_a_bucket_that_is_gone_is_not_empty(bucket: S3Settings) -> None:
    async with open_line(replace(bucket, bucket="nobody-made-this-one"), lambda *call: None) as line:
        media = media_in(S3Store(line))
        assert not isinstance(await media.survey(("r", "1"), None), Done)
        assert not isinstance(await media.erase(("r", "1")), Done)
