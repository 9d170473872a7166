"""What a bucket can do beyond a folder: heads, URLs, copies, tags, pages; on both servers."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import aiohttp
import pytest
from yarl import URL

from actors.domain.outcomes import Done, Erased
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from clients.storage.s3 import listing
from clients.storage.s3.line import open_line
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store, open_store
from tests.fakes.buckets import PART_BYTES, S3Server, new_bucket
from tests.fakes.media import encode, media_in, repeat
from tests.waiting import eventually

KEY = "r/x 1/ü+a.mp4"


async def fetch(url: str, method: str = "GET", **asked: object) -> tuple[int, bytes, dict[str, str]]:
    address = URL(url, encoded=True)
    async with aiohttp.ClientSession() as http, http.request(method, address, **asked) as answer:  # type: ignore[arg-type]
        return answer.status, await answer.read(), dict(answer.headers)


async def test_a_head_tells_size_type_and_time(s3: S3Store) -> None:
    await s3.put(KEY, b"12345")
    head = await s3.head(KEY)
    (found,) = await s3.list("r/")
    assert (head.size, head.content_type, head.modified_at_ms) == (5, "video/mp4", found.modified_at_ms)
    assert head.etag == found.etag == "827ccb0eea8a706c4c34a16891f84e7b"
    with pytest.raises(StorageNotFound):
        await s3.head("r/absent")


async def test_objects_have_the_type_of_their_name(s3: S3Store) -> None:
    types = {
        "r/a.m3u8": "application/vnd.apple.mpegurl",
        "r/a.MP4": "video/mp4",
        "r/a.ts": "video/mp2t",
        "r/manifest.json": "application/json",
        "r/none": "application/octet-stream",
    }
    for key in types:
        await s3.put(key, b"x")
    assert {key: (await s3.head(key)).content_type for key in types} == types


async def test_a_type_may_be_told(s3: S3Store) -> None:
    async def long() -> AsyncIterator[bytes]:
        yield bytes(PART_BYTES + 1)

    await s3.put("r/a", b"x", "audio/ogg")
    await s3.put_stream("r/b", long(), "audio/flac")
    assert [(await s3.head(key)).content_type for key in ("r/a", "r/b")] == ["audio/ogg", "audio/flac"]


async def test_a_range_is_read(s3: S3Store) -> None:
    await s3.put(KEY, b"0123456789")
    assert await s3.get_range(KEY, 2, 4) == b"234"
    with pytest.raises(StorageDenied):
        await s3.get_range(KEY, 10, 12)


async def test_a_signed_url_reads_by_ranges_and_names_the_file(s3: S3Store) -> None:
    await s3.put(KEY, b"0123456789")
    url = (await s3.signer()).get(
        KEY, 60, disposition="attachment", file_name='Früh "1".mp4', content_type="video/quicktime"
    )
    status, body, headers = await fetch(url, headers={"Range": "bytes=-3"})
    assert (status, body, headers["Content-Type"]) == (206, b"789", "video/quicktime")
    assert headers["Content-Disposition"] == (
        "attachment; filename=\"Fr_h _1_.mp4\"; filename*=UTF-8''Fr%C3%BCh%20%221%22.mp4"
    )


async def test_a_signed_url_writes_with_the_type_that_it_was_made_for(s3: S3Store, s3_server: S3Server) -> None:
    url = (await s3.signer()).put(KEY, 60, content_type="video/mp4")
    if s3_server.strict:
        assert (await fetch(url, "PUT", data=b"x", headers={"Content-Type": "text/html"}))[0] == 403
    assert (await fetch(url, "PUT", data=b"x", headers={"Content-Type": "video/mp4"}))[0] == 200
    assert await s3.get(KEY) == b"x"


async def test_a_url_that_was_changed_or_has_expired_opens_nothing(strict_bucket: S3Settings) -> None:
    """moto takes both."""
    async with open_store(strict_bucket) as s3:
        await s3.put("r/a", b"x")
        await s3.put("r/b", b"x")
        url, short = (await s3.signer()).get("r/a", 60), (await s3.signer()).get("r/a", 1)
    assert (await fetch(url))[0] == 200
    for old, new in (("Expires=60", "Expires=61"), ("/r/a?", "/r/b?"), ("-Date=2", "-Date=3")):
        assert old in url
        assert (await fetch(url.replace(old, new)))[0] == 403

    async def expired() -> bool:
        return (await fetch(short))[0] == 403

    assert await eventually(expired, 10)


async def test_a_url_lasts_a_week_at_most(strict_bucket: S3Settings) -> None:
    async with open_store(strict_bucket) as s3:
        signer = await s3.signer()
    for seconds in (0, -1, 7 * 86400 + 1):
        with pytest.raises(ValueError, match="from 1 to 604800"):
            signer.get(KEY, seconds)


async def test_a_copy_keeps_type_and_tags(s3: S3Store) -> None:
    await s3.put(KEY, b"x", "audio/ogg")
    await s3.tag(KEY, {"recording": "x 1", "part": "0"})
    await s3.copy(KEY, "r/copy ü+.mp4")
    assert await s3.get("r/copy ü+.mp4") == b"x"
    assert (await s3.head("r/copy ü+.mp4")).content_type == "audio/ogg"
    assert await s3.tags("r/copy ü+.mp4") == {"recording": "x 1", "part": "0"}
    await s3.tag(KEY, {"part": "1"})
    assert await s3.tags(KEY) == {"part": "1"}
    with pytest.raises(StorageNotFound):
        await s3.copy("r/absent", "r/copy")


async def test_keys_are_checked_wherever_they_are_given(strict_bucket: S3Settings) -> None:
    """Before anything is sent."""
    async with open_store(replace(strict_bucket, endpoint_url="http://127.0.0.1:1")) as s3:
        signer = await s3.signer()
        calls: tuple[Callable[[str], Awaitable[object]], ...] = (
            s3.head,
            lambda key: s3.copy(key, "r/a"),
            lambda key: s3.copy("r/a", key),
            s3.tags,
            lambda key: s3.tag(key, {}),
        )
        for key in ("../x", "r//x", "r/\x01", "k" * 1025):
            for call in calls:
                with pytest.raises(StorageDenied, match="the key may not be used"):
                    await call(key)
            for sign in (signer.get, signer.put):
                with pytest.raises(StorageDenied, match="the key may not be used"):
                    sign(key, 60)


async def test_more_than_a_page_is_listed_and_deleted(bucket: S3Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert listing.KEYS_MAX == 1000
    monkeypatch.setattr(listing, "KEYS_MAX", 10)
    calls: list[str] = []
    async with open_line(bucket, lambda call, outcome: calls.append(call)) as line:
        s3 = S3Store(line)
        keys = [f"r/1/{number:05}" for number in range(23)]
        await asyncio.gather(*(s3.put(key, b"x") for key in keys), s3.put("r/10", b"x"))
        calls.clear()
        assert [found.key for found in await s3.list("r/1/")] == keys
        assert calls == ["list"] * 3
        calls.clear()
        assert await s3.delete_prefix("r/1/") == Erased(23, 23)
        assert calls == ["list_versions"] + ["list_versions", "delete"] * 2 + ["delete", "list_uploads"]
        assert [found.key for found in await s3.list("")] == ["r/10"]


async def test_what_others_put_below_a_prefix_is_erased_and_not_listed(s3: S3Store, s3_server: S3Server) -> None:
    odd = ["r/1/", "r/1/.hidden"] + ([] if s3_server.strict else ["r/1//twice", "r/1/back\\slash"])
    for key in odd:
        async with s3._line.call("put") as client:
            await client.put_object(Bucket=s3._bucket, Key=key, Body=b"x" if key[-1] != "/" else b"")
    await s3.put("r/1/a", b"x")
    assert [found.key for found in await s3.list("r/1/")] == ["r/1/a"]
    await s3.delete_prefix("r/1/")
    assert [found.key async for page in s3.pages("") for found in page] == []


async def test_a_key_that_no_list_can_name_is_deleted_by_itself(moto: S3Server) -> None:
    """The other server takes no such key, and this one cannot list the versions of one."""
    async with open_store(await new_bucket(moto)) as s3:
        await s3._line.client.put_object(Bucket=s3._bucket, Key="r/1/\x01", Body=b"x")
        await s3._delete([{"Key": "r/1/\x01"}])
        assert [found.key async for page in s3.pages("") for found in page] == []


@pytest.mark.parametrize(("code", "error"), [("AccessDenied", StorageDenied), ("InternalError", StorageUnavailable)])
async def test_an_object_that_the_store_keeps_is_told(
    s3: S3Store, monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception]
) -> None:
    """The call itself succeeds then, so neither server can be brought to it."""
    kept = AsyncMock(return_value={"Errors": [{"Key": "r/a", "Code": code}]})
    monkeypatch.setattr(s3._line.client, "delete_objects", kept)
    with pytest.raises(error, match=f"1 objects were not deleted: {code}"):
        await s3.delete(["r/a"])


async def test_objects_are_kept_as_the_settings_say(bucket: S3Settings) -> None:
    async def long() -> AsyncIterator[bytes]:
        yield bytes(PART_BYTES + 1)

    settings = replace(bucket, encryption="AES256", storage_class="STANDARD_IA")
    async with open_store(settings) as s3:
        await s3.put("r/a", b"x")
        await s3.put_stream("r/b", long())
        await s3.copy("r/a", "r/c")
        for key in ("r/a", "r/b", "r/c"):
            head = await s3.head(key)
            assert (head.encryption, head.storage_class) == ("AES256", "STANDARD_IA"), key


async def test_a_long_stream_takes_little_memory(strict_bucket: S3Settings) -> None:
    """moto keeps all of it in this very process."""
    parts = 12

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(parts * PART_BYTES // 65536):
            yield bytes(65536)

    async with open_store(strict_bucket) as s3:
        await s3.put("r/b", b"")
        tracemalloc.start()
        try:
            assert await s3.put_stream("r/a", stream()) == parts * PART_BYTES
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < (strict_bucket.parts_max + 3) * PART_BYTES


async def test_wrong_keys_are_denied(strict_bucket: S3Settings) -> None:
    """moto takes any."""
    for wrong in (replace(strict_bucket, secret_key="wrong"), replace(strict_bucket, access_key="nobody")):
        async with open_store(wrong) as s3:
            for call in (
                lambda: s3.list(""),
                lambda: s3.put("r/a", b"x"),
                lambda: s3.get("r/a"),
                lambda: s3.head("r/a"),
            ):
                with pytest.raises(StorageDenied, match="the store refused"):
                    await call()


async def test_a_clock_that_is_wrong_is_named(strict_bucket: S3Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """moto looks at no clock."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime.now(UTC) - timedelta(minutes=20))
    async with open_store(strict_bucket) as s3:
        with pytest.raises(StorageDenied, match="clock and the store's are too far apart"):
            await s3.put("r/a", b"x")


async def test_a_bucket_that_is_gone_is_no_empty_one(bucket: S3Settings) -> None:
    async with open_store(replace(bucket, bucket="no-such-bucket-here")) as s3:
        for call in (lambda: s3.list(""), lambda: s3.put("r/a", b"x"), lambda: s3.delete(["r/a"])):
            with pytest.raises(StorageUnavailable, match="no bucket of that name"):
                await call()


async def test_what_the_store_is_like_shows_no_secret(bucket: S3Settings) -> None:
    assert bucket.secret_key is not None
    assert bucket.secret_key not in repr(replace(bucket, session_token=bucket.secret_key))


@pytest.mark.parametrize("faststart", [True, False])
async def test_a_film_is_opened_by_ranges_and_not_downloaded(s3: S3Store, tmp_path: Path, *, faststart: bool) -> None:
    """Its index and its end are read, wherever the index stands."""
    once = encode(tmp_path / "once.mp4", 469)
    film = repeat(tmp_path / "a.mp4", once, 60, faststart=faststart).read_bytes()
    await s3.put("r/x1/a_0.mp4", film)
    read: list[int] = []
    get, whole = s3.get_range, s3.get

    async def counted(key: str, first: int, last: int) -> bytes:
        read.append(last + 1 - first)
        return await get(key, first, last)

    s3.get_range, s3.get = counted, AsyncMock(side_effect=AssertionError)  # type: ignore[method-assign]
    outcome = await media_in(s3).examine(("r", "x1"))
    s3.get_range, s3.get = get, whole  # type: ignore[method-assign]
    assert isinstance(outcome, Done)
    (movie,) = outcome.value.movies
    assert movie.duration_seconds == pytest.approx(601.6, abs=0.1)
    assert max(read) <= 256 * 1024
    assert sum(read) < len(film) / 2
