"""The local store keeps whole objects, and no key leads out of its folder."""

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.ports import StorageDenied, StorageUnavailable
from clients.storage.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "media")


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


@pytest.mark.parametrize("key", ["../out", "r/../../out", "/etc/passwd"])
async def test_no_key_touches_what_lies_outside(store: LocalStore, tmp_path: Path, key: str) -> None:
    outside = tmp_path / "out"
    outside.write_bytes(b"secret")
    for call in (lambda: store.get(key), lambda: store.put(key, b"x"), lambda: store.delete([key])):
        with pytest.raises(StorageDenied):
            await call()
    assert outside.read_bytes() == b"secret"


async def test_an_erasure_takes_what_is_hidden_and_links_but_not_what_they_lead_to(
    store: LocalStore, tmp_path: Path
) -> None:
    await store.put("r/a", b"x")
    folder, outside = tmp_path / "media" / "r", tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (folder / ".hidden").write_bytes(b"xy")
    (folder / "link").symlink_to(outside)
    (folder / "line\nbreak").write_bytes(b"")
    listed = await store.survey("r/", None, 10)
    assert [each.name for each in listed.objects] == [".hidden", "a", "line%0Abreak", "link"]
    assert (await store.delete_prefix("r/")).objects == 4
    assert not folder.exists()
    assert (outside / "secret").read_bytes() == b"secret"


async def test_files_come_in_the_order_of_their_keys_also_from_the_middle_on(store: LocalStore) -> None:
    """Where a folder's name is the beginning of another's, by whole keys, and not folder by folder."""
    keys = sorted(["r/a!/x", "r/a-b", "r/a.b/c", "r/a/b", "r/a/b-/x", "r/a0", "r/ü/z"])
    for key in reversed(keys):
        await store.put(key, b"x")
    assert [found.key for found in await store.list("r/")] == keys
    for number, key in enumerate(keys):
        rest = (await store.survey("r/", key, 100)).objects
        assert [f"r/{each.name}" for each in rest] == keys[number + 1 :]


async def test_a_stream_that_breaks_off_leaves_nothing_aside(store: LocalStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise LookupError

    with pytest.raises(LookupError):
        await store.put_stream("r/a", broken())
    assert list((tmp_path / "media" / ".aside").iterdir()) == []


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
