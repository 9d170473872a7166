"""Folder and bucket keep whole objects under the same keys, and refuse the same ones."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import product
from pathlib import Path

import pytest

from actors.domain.outcomes import Erased
from actors.ports import StorageDenied, StorageNotFound
from tests.contract.stores import Store
from tests.fakes.buckets import PART_BYTES

NAMES = ["a b+c&d=e.ts", "ü-日本.mp4", "100%.m3u8", "quote'\".ts", "r(1)~!*.ts"]


async def keys(store: Store, prefix: str = "") -> list[str]:
    return [found.key for found in await store.list(prefix)]


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_an_object_is_read_back_and_listed_with_its_size(store: Store) -> None:
    await store.put("r/1/a.ts", b"12345")
    assert await store.get("r/1/a.ts") == b"12345"
    (found,) = await store.list("r/1/")
    assert (found.key, found.size) == ("r/1/a.ts", 5)
    assert found.modified_at_ms > 1_700_000_000_000


async def test_an_empty_object_is_one(store: Store) -> None:
    await store.put("r/a", b"")
    assert [found.size for found in await store.list("")] == [0]
    assert await store.get("r/a") == b""


async def test_unusual_names_are_taken_as_they_are(store: Store) -> None:
    for name in NAMES:
        await store.put(f"r/{name}", name.encode())
    assert await keys(store, "r/") == sorted(f"r/{name}" for name in NAMES)
    for name in NAMES:
        assert await store.get(f"r/{name}") == name.encode()
    await store.delete([f"r/{name}" for name in NAMES])
    assert await keys(store) == []


async def test_a_put_replaces_the_older_object(store: Store) -> None:
    await store.put("r/list.m3u8", b"old")
    await store.put("r/list.m3u8", b"new")
    assert await store.get("r/list.m3u8") == b"new"


async def test_a_file_is_moved_in(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "encoded.mp4"
    source.write_bytes(b"mp4")
    await store.put_file("r/a.mp4", source)
    assert await store.get("r/a.mp4") == b"mp4"
    assert not source.exists()


async def test_a_stream_of_any_length_is_stored_whole(store: Store) -> None:
    for size in (0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 7):
        data = bytes(range(256)) * (size // 256 + 1)
        chunks = [data[:size][at : at + 300_007] for at in range(0, size, 300_007)]
        assert await store.put_stream("r/a.mp4", stream(*chunks)) == size
        assert await store.get("r/a.mp4") == data[:size], size
    assert await keys(store) == ["r/a.mp4"]


@pytest.mark.parametrize("before", [0, PART_BYTES + 1])
async def test_a_stream_that_breaks_off_stores_nothing(store: Store, before: int) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * before
        raise LookupError("the source is gone")

    await store.put("r/a", b"old")
    with pytest.raises(LookupError, match="the source is gone"):
        await store.put_stream("r/a", broken())
    assert await store.get("r/a") == b"old"


async def test_a_list_is_by_string_prefix_and_in_order(store: Store) -> None:
    for key in ("r/b", "r/ab/c", "r/a.", "ra", "s"):
        await store.put(key, b"x")
    assert await keys(store, "r/a") == ["r/a.", "r/ab/c"]
    assert await keys(store, "r") == ["r/a.", "r/ab/c", "r/b", "ra"]
    assert len(await store.list("")) == 5
    assert await store.list("nothing/here/") == []


async def test_deleting_leaves_the_rest_and_takes_what_is_not_there_for_deleted(store: Store) -> None:
    for key in ("r/1/a", "r/1/b", "r/2/c"):
        await store.put(key, b"x")
    await store.delete(["r/1/a", "r/1/b", "r/1/absent"])
    assert await keys(store) == ["r/2/c"]
    await store.delete([])
    assert await keys(store) == ["r/2/c"]


async def test_all_below_a_prefix_is_deleted_and_counted(store: Store) -> None:
    for key in ("r/1/a", "r/1/b", "r/10/c"):
        await store.put(key, b"xyz")
    assert await store.delete_prefix("r/1/") == Erased(2, 6)
    assert await keys(store) == ["r/10/c"]
    assert await store.delete_prefix("r/1/") == Erased(0, 0)


async def test_a_survey_shows_everything_page_by_page(store: Store) -> None:
    names = ["a_1.m3u8", "a_1.ts", "a_2.ts", "bak0_a_1.ts", "x/y"]
    for name in names:
        await store.put(f"r/1/{name}", name.encode())
    await store.put("r/10/a", b"x")
    found: list[str] = []
    after, pages = None, 0
    while pages == 0 or after is not None:
        page = await store.survey("r/1/", after, 2)
        assert len(page.objects) <= 2
        found += [each.name for each in page.objects]
        assert all((each.size, each.version, each.kind) == (len(each.name), None, "object") for each in page.objects)
        after, pages = page.after, pages + 1
    assert (found, pages) == (names, 3)
    assert (await store.survey("r/2/", None, 2)).objects == ()


async def test_pages_hold_all_in_the_order_of_their_keys(store: Store) -> None:
    names = ["a/b", "a/c/d", "a0", "b-a", "ü/z"]
    for name in reversed(names):
        await store.put(f"r/{name}", b"x")
    found = [each.key async for page in store.pages("r/") for each in page]
    assert found == [f"r/{name}" for name in names] == [each.key for each in await store.list("r/")]


async def test_no_prefix_never_means_everything(store: Store) -> None:
    await store.put("r/a", b"x")
    with pytest.raises(StorageDenied):
        await store.delete_prefix("")
    assert await keys(store) == ["r/a"]


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(StorageNotFound):
        await store.get("r/absent")


async def test_an_object_is_opened_as_a_file(store: Store) -> None:
    data = bytes(range(256)) * 4096
    await store.put("r/a.bin", data)
    (found,) = await store.list("r/")
    with store.source(found) as source:
        assert await _tail(source) == data[-100:]


async def _tail(source: object) -> bytes:
    import asyncio

    def read() -> bytes:
        if isinstance(source, str):
            return Path(source).read_bytes()[-100:]
        source.seek(-100, 2)  # type: ignore[attr-defined]
        return source.read()  # type: ignore[attr-defined,no-any-return]

    return await asyncio.to_thread(read)


BAD_KEYS = [
    "",
    "/etc/passwd",
    "../out",
    "r/../../out",
    "r/..",
    "r/./a",
    "r//a",
    "r/",
    "r/a\0b",
    "r/a\nb",
    "r/\x9b",
    "r\\..\\a",
    ".aside/x",
    "r/.hidden",
    "\ud800",
    "k" * 1025,
    "é" * 513,
]


async def test_a_key_that_may_not_be_used_is_denied_everywhere(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    long = b"x" * (PART_BYTES + 1)
    calls: tuple[Callable[[str], Awaitable[object]], ...] = (
        store.get,
        lambda key: store.put(key, b"x"),
        lambda key: store.put_file(key, source),
        lambda key: store.put_stream(key, stream(b"x")),
        lambda key: store.put_stream(key, stream(long)),
        lambda key: store.delete([key]),
    )
    for key, call in product(BAD_KEYS, calls):
        with pytest.raises(StorageDenied, match="the key may not be used"):
            await call(key)
    assert source.exists()
    assert await keys(store) == []


async def test_the_longest_key_is_taken(store: Store) -> None:
    key = "/".join(["k" * 127] * 8)
    assert len(key) == 1023
    await store.put(key, b"x")
    assert [(found.key, found.size) for found in await store.list(key[:-1])] == [(key, 1)]
