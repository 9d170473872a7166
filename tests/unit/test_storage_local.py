"""The local store keeps whole objects, and no key leads out of its folder."""

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from clients.storage.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "media")


async def test_an_object_is_read_back_and_listed_with_its_size(store: LocalStore) -> None:
    await store.put("r/1/a.ts", b"12345")
    assert await store.get("r/1/a.ts") == b"12345"
    (found,) = await store.list("r/1/")
    assert (found.key, found.size) == ("r/1/a.ts", 5)
    assert found.modified_at_ms == (store.path("r/1/a.ts").stat().st_mtime_ns // 1_000_000)


async def test_a_put_replaces_the_older_object(store: LocalStore) -> None:
    await store.put("r/list.m3u8", b"old")
    await store.put("r/list.m3u8", b"new")
    assert await store.get("r/list.m3u8") == b"new"


async def test_a_file_is_moved_in(store: LocalStore, tmp_path: Path) -> None:
    source = tmp_path / "encoded.mp4"
    source.write_bytes(b"mp4")
    await store.put_file("r/a.mp4", source)
    assert await store.get("r/a.mp4") == b"mp4"
    assert not source.exists()


async def test_a_list_is_by_string_prefix_and_in_order(store: LocalStore) -> None:
    for key in ("r/b", "r/ab/c", "r/a", "ra", "s"):
        await store.put(key, b"x")
    assert [found.key for found in await store.list("r/a")] == ["r/a", "r/ab/c"]
    assert [found.key for found in await store.list("r")] == ["r/a", "r/ab/c", "r/b", "ra"]
    assert len(await store.list("")) == 5
    assert await store.list("nothing/here/") == []


async def test_a_write_that_is_under_way_is_in_no_list(store: LocalStore, tmp_path: Path) -> None:
    await store.put("r/a", b"x")
    (tmp_path / "media" / ".aside" / "half").write_bytes(b"half")
    assert [found.key for found in await store.list("")] == ["r/a"]


async def test_deleting_takes_the_empty_folders_along_and_leaves_the_rest(store: LocalStore, tmp_path: Path) -> None:
    for key in ("r/1/a", "r/1/b", "r/2/c"):
        await store.put(key, b"x")
    await store.delete(["r/1/a", "r/1/b", "r/1/absent"])
    assert [found.key for found in await store.list("")] == ["r/2/c"]
    assert not (tmp_path / "media" / "r" / "1").exists()
    await store.delete(["r/2/c"])
    assert not (tmp_path / "media" / "r").exists()
    assert (tmp_path / "media").exists()


async def test_what_is_not_there_is_not_found(store: LocalStore) -> None:
    with pytest.raises(StorageNotFound):
        await store.get("r/absent")


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


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_a_key_that_may_not_be_used_is_denied_everywhere(store: LocalStore, tmp_path: Path, key: str) -> None:
    outside = tmp_path / "out"
    outside.write_bytes(b"secret")
    source = tmp_path / "source"
    source.write_bytes(b"x")
    for call in (
        lambda: store.get(key),
        lambda: store.put(key, b"x"),
        lambda: store.put_file(key, source),
        lambda: store.delete([key]),
    ):
        with pytest.raises(StorageDenied):
            await call()
    assert outside.read_bytes() == b"secret"


async def test_a_list_does_not_leave_the_folder_either(store: LocalStore) -> None:
    with pytest.raises(StorageDenied):
        await store.list("../")


async def test_a_symbolic_link_does_not_lead_out(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_bytes(b"secret")
    (tmp_path / "media" / "r").symlink_to(tmp_path / "secrets")
    (tmp_path / "media" / "s").symlink_to(tmp_path / "secrets" / "key")
    assert await store.list("") == []
    for key in ("r/key", "s"):
        with pytest.raises(StorageDenied):
            await store.get(key)
        with pytest.raises(StorageDenied):
            await store.delete([key])
    assert (tmp_path / "secrets" / "key").read_bytes() == b"secret"


async def test_an_object_cannot_lie_below_another(store: LocalStore) -> None:
    await store.put("r/a", b"x")
    with pytest.raises(StorageDenied):
        await store.put("r/a/b", b"x")
    with pytest.raises(StorageDenied):
        await store.put("r", b"x")
    assert list((store.path("r").parent / ".aside").iterdir()) == []


async def test_a_name_that_the_disk_does_not_take_is_denied(store: LocalStore) -> None:
    with pytest.raises(StorageDenied):
        await store.put("n" * 300, b"x")


async def test_a_lost_folder_is_no_empty_store(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "media").rmdir()
    with pytest.raises(StorageUnavailable):
        await store.list("")


async def test_errors_name_no_path(store: LocalStore, tmp_path: Path) -> None:
    await store.put("r/a", b"x")
    with pytest.raises(StorageDenied) as denied:
        await store.get("r")
    assert os.fspath(tmp_path) not in str(denied.value)


def test_the_room_that_is_left_is_told(store: LocalStore) -> None:
    assert store.free_bytes() > 0


async def test_a_full_disk_is_told_and_leaves_no_half_object(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        path.open("wb").close()
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    await store.put("r/a", b"old")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageUnavailable, match="No space left"):
        await store.put("r/a", b"new")
    assert await store.get("r/a") == b"old"
    assert list((tmp_path / "media" / ".aside").iterdir()) == []


async def test_a_put_survives_that_its_empty_folder_is_taken_away(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace
    taken: list[Path] = []

    def taking(path: Path, target: Path) -> Path:
        if not taken:
            taken.append(target.parent)
            target.parent.rmdir()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", taking)
    await store.put("r/1/a", b"x")
    assert taken
    assert await store.get("r/1/a") == b"x"


async def test_nobody_is_blocked_by_what_is_slow(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"slow" if go_on.wait(10) else b"blocked")
    reading = asyncio.create_task(store.get("r/a"))
    await asyncio.sleep(0)
    go_on.set()
    assert await reading == b"slow"
