"""A bucket behind a proxy that fails: what is repeated, what is told, and what is left behind."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
import structlog

from actors.domain.media import StoredObject
from actors.ports import StorageDenied, StorageUnavailable
from clients.storage.s3 import uploads
from clients.storage.s3.line import open_line
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store
from tests.fakes.buckets import PART_BYTES, S3Server
from tests.fakes.faulty_proxy import FaultyProxy, Kind, faulty_proxy

CALLS: list[tuple[str, str]] = []


@pytest.fixture
def s3_server(moto: S3Server) -> S3Server:
    """One is enough, and this one costs least: what fails here has not come to it, or comes from the proxy."""
    return moto


@pytest_asyncio.fixture
async def proxy(bucket: S3Settings) -> AsyncIterator[FaultyProxy]:
    assert bucket.endpoint_url is not None
    async with faulty_proxy(bucket.endpoint_url) as made:
        yield made


@pytest_asyncio.fixture
async def store(bucket: S3Settings, proxy: FaultyProxy) -> AsyncIterator[S3Store]:
    """Gives up soon. What it calls silence is long enough for a machine that is busy."""
    CALLS.clear()
    settings = replace(bucket, endpoint_url=proxy.url, attempts_max=2, silence_seconds=3.0)
    async with open_line(settings, lambda *call: CALLS.append(call)) as line:
        yield S3Store(line)


async def stream(parts: int) -> AsyncIterator[bytes]:
    for number in range(parts):
        yield bytes([number]) * PART_BYTES


async def open_uploads(store: S3Store) -> int:
    async with store._line.call("uploads") as s3:
        answer = await s3.list_multipart_uploads(Bucket=store._bucket)
    return len(answer.get("Uploads", []))


async def test_what_goes_through_is_as_without_a_proxy(store: S3Store, proxy: FaultyProxy) -> None:
    await store.put("r/a b.ts", b"x")
    assert await store.get("r/a b.ts") == b"x"
    assert proxy.seen == {"PUT": 1, "GET": 1}
    assert CALLS == [("put", "done"), ("get", "done")]


@pytest.mark.parametrize("kind", ["slow_down", "cut_upload", "answer_lost", "silent"])
async def test_what_passes_is_repeated_and_not_noticed(store: S3Store, proxy: FaultyProxy, kind: Kind) -> None:
    data = bytes(200_000)
    proxy.strike(kind, times=1)
    await store.put("r/a", data)
    assert (proxy.struck, proxy.seen["PUT"]) == (1, 2)
    assert await store.get("r/a") == data


SAID = [
    ("slow_down", StorageUnavailable, r"asked too often \(SlowDown\)", 2),
    ("no_bucket", StorageUnavailable, r"no bucket of that name \(NoSuchBucket\)", 1),
    ("cut_upload", StorageUnavailable, "cannot be reached", 4),  # the HTTP library repeats what was cut once more
    ("silent", StorageUnavailable, "cannot be reached: ReadTimeoutError", 2),
    ("revoked", StorageDenied, r"the access key is not known \(InvalidAccessKeyId\)", 1),
    ("skewed", StorageDenied, r"clock and the store's are too far apart \(RequestTimeTooSkewed\)", 1),
]


@pytest.mark.parametrize(("kind", "error", "said", "requests"), SAID)
async def test_what_does_not_pass_is_told_with_its_cause(
    store: S3Store, proxy: FaultyProxy, kind: Kind, error: type[Exception], said: str, requests: int
) -> None:
    proxy.strike(kind)
    with pytest.raises(error, match=said):
        await store.put("r/a", bytes(200_000))
    assert proxy.seen["PUT"] == requests
    assert [("put", {StorageDenied: "denied", StorageUnavailable: "unavailable"}[error])] == CALLS
    proxy.heal()
    assert await store.list("") == []


@pytest.mark.parametrize("kind", ["slow_down", "revoked", "no_bucket", "cut_upload", "silent"])
async def test_an_upload_that_fails_in_its_middle_leaves_nothing(
    store: S3Store, proxy: FaultyProxy, kind: Kind
) -> None:
    proxy.strike(kind, method="PUT", query="partNumber", after=1)
    with pytest.raises((StorageUnavailable, StorageDenied)):
        await store.put_stream("r/a", stream(4))
    assert proxy.struck
    assert await store.list("") == []
    assert await open_uploads(store) == 0


async def test_a_part_that_fails_once_is_sent_again(store: S3Store, proxy: FaultyProxy) -> None:
    proxy.strike("cut_upload", method="PUT", query="partNumber", after=1, times=1)
    assert await store.put_stream("r/a", stream(3)) == 3 * PART_BYTES
    assert proxy.struck == 1
    assert await store.get("r/a") == b"".join([part async for part in stream(3)])


async def test_an_upload_that_is_given_up_leaves_nothing(store: S3Store, proxy: FaultyProxy) -> None:
    proxy.strike("silent", method="PUT", query="partNumber", after=1)
    upload = asyncio.create_task(store.put_stream("r/a", stream(4)))
    await proxy.silenced.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await store.list("") == []
    assert await open_uploads(store) == 0


async def test_an_upload_that_cannot_be_aborted_is_told_of(store: S3Store, proxy: FaultyProxy) -> None:
    proxy.strike("revoked", query="partNumber", after=1)
    proxy.strike("revoked", method="DELETE")
    with structlog.testing.capture_logs() as logs, pytest.raises(StorageDenied):
        await store.put_stream("r/a", stream(2))
    assert [(each["event"], each["key"]) for each in logs] == [("storage.upload_left_open", "r/a")]
    assert await open_uploads(store) == 1


async def test_an_object_has_so_many_parts(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PARTS_MAX", 2)
    with pytest.raises(StorageDenied, match="no more than 2 parts"):
        await store.put_stream("r/a", stream(3))
    assert await open_uploads(store) == 0
    assert await store.put_stream("r/a", stream(2)) == 2 * PART_BYTES


async def test_a_call_has_an_end_however_often_the_server_speaks(bucket: S3Settings, proxy: FaultyProxy) -> None:
    proxy.strike("silent")
    settings = replace(bucket, endpoint_url=proxy.url, call_seconds=2.0)
    async with open_line(settings, lambda call, outcome: None) as line:
        with pytest.raises(StorageUnavailable, match="does not answer in time"):
            await S3Store(line).list("")
    assert proxy.seen["GET"] == 1


async def test_an_answer_that_breaks_off_is_no_object(store: S3Store, proxy: FaultyProxy) -> None:
    await store.put("r/a", bytes(100_000))
    proxy.strike("cut_answer")
    with pytest.raises(StorageUnavailable):
        await store.get("r/a")


async def test_a_file_that_cannot_be_read_is_no_film_that_was_cut_off(store: S3Store, proxy: FaultyProxy) -> None:
    await store.put("r/a.mp4", bytes(100_000))
    (found,) = await store.list("r/")
    proxy.strike("no_bucket")
    with pytest.raises(StorageUnavailable, match="NoSuchBucket"):
        await misread(store, found)


async def misread(store: S3Store, found: StoredObject) -> None:
    """As a library does that takes a failed read for the end of the file."""
    with store.source(found) as source, contextlib.suppress(StorageUnavailable):
        await asyncio.to_thread(source.read)


async def test_a_server_that_is_not_there_is_told(bucket: S3Settings) -> None:
    settings = replace(bucket, endpoint_url="http://127.0.0.1:1", attempts_max=1)
    async with open_line(settings, lambda call, outcome: None) as line:
        with pytest.raises(StorageUnavailable, match="cannot be reached: EndpointConnectionError"):
            await S3Store(line).get("r/a")
