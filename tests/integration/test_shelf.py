"""What players get to read of a real folder: playlists with what is there, and no more looks than needed."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.domain.media import StoredObject
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from clients.storage.local import LocalStore
from clients.storage.playlist import parse
from clients.storage.shelf import Shelf
from tests.fakes.media import SID, START_MS, playlist, slice_name
from tests.waiting import eventually

PREFIX = ("r", "x1")
LIST = f"r/x1/{SID}_m-1.m3u8"
SECONDS = 47 * 1024 / 48_000
NAMES = [slice_name(START_MS + number * 1003) for number in range(3)]
OTHER_SID = "0" * 32


@pytest.fixture
async def store(tmp_path: Path) -> LocalStore:
    """Three slices of about a second, and their list."""
    store = LocalStore(tmp_path / "media")
    for name in NAMES:
        await store.put(f"r/x1/{name}", b"media")
    await store.put(LIST, playlist([(name, SECONDS) for name in NAMES]))
    return store


def keep(key: str, seconds: float) -> str:
    return f"{key}?{seconds:.2f}"


def shelf_of(store: LocalStore) -> Shelf:
    return Shelf(store, look_seconds=0, looks_max=8)


async def served(store: LocalStore, *, over: bool | None = True, whole: bool = False) -> str:
    return await shelf_of(store).playlist(LIST, keep, over=over, whole=whole)


def names_of(text: str) -> list[str]:
    return [line.rpartition("/")[2] for line in text.splitlines() if not line.startswith("#")]


async def test_a_served_playlist_names_each_slice_with_its_url(store: LocalStore) -> None:
    text = await served(store)
    assert names_of(text) == [f"{name}?3.01" for name in NAMES]
    assert text.count("\nr/x1/") == 3
    assert text.count("#EXTINF:1.002667,\n") == 3
    assert text.endswith("#EXT-X-ENDLIST\n")


@pytest.mark.parametrize("ended", [True, False])
async def test_a_served_playlist_is_closed_when_the_recording_is_over_and_not_before(
    store: LocalStore, ended: bool
) -> None:
    await store.put(LIST, playlist([(name, SECONDS) for name in NAMES], ended=ended))
    assert "ENDLIST" not in await served(store, over=False)
    assert "ENDLIST" in await served(store, over=True)
    assert ("ENDLIST" in await served(store, over=None)) is ended


async def test_a_list_is_not_closed_over_what_was_seen_while_it_grew(store: LocalStore) -> None:
    shelf = Shelf(store, look_seconds=60, looks_max=8)
    await store.put(LIST, playlist([(name, SECONDS) for name in NAMES[:2]], ended=False))
    await shelf.playlists(PREFIX)
    assert len(names_of(await shelf.playlist(LIST, keep, over=False, whole=False))) == 2
    await store.put(LIST, playlist([(name, SECONDS) for name in NAMES]))
    assert len(names_of(await shelf.playlist(LIST, keep, over=True, whole=False))) == 3


async def test_a_served_playlist_leaves_out_what_is_not_there(store: LocalStore) -> None:
    await store.delete([f"r/x1/{NAMES[1]}"])
    text = await served(store)
    assert NAMES[1] not in text
    assert f"#EXT-X-DISCONTINUITY\n#EXTINF:1.002667,\nr/x1/{NAMES[2]}" in text


async def test_a_served_playlist_has_the_slices_of_the_next_machine_too(store: LocalStore) -> None:
    await store.put(LIST, playlist([(name, SECONDS) for name in NAMES[:2]], ended=False))
    moved = f"bak0_{NAMES[2]}"
    await store.put(f"r/x1/{moved}", b"media")
    await store.put(f"r/x1/bak0_{SID}_m-1.m3u8", playlist([(moved, SECONDS)]))
    listed = parse((await shelf_of(store).playlist(LIST, lambda key, _: key[5:], over=True, whole=False)).encode())
    assert [e.uri for e in listed.entries] == [*NAMES[:2], moved]
    assert listed.entries[2].discontinuity


async def test_all_parts_are_played_one_behind_the_other(store: LocalStore) -> None:
    late = [slice_name(START_MS + 2500 + number * 1003, OTHER_SID) for number in range(2)]
    for name in late:
        await store.put(f"r/x1/{name}", b"media")
    await store.put(
        f"r/x1/{OTHER_SID}_m-1.m3u8", b"#EXTM3U\n" + b"".join(b"#EXTINF:1\n%s\n" % n.encode() for n in late)
    )
    assert names_of(await served(store)) == [f"{name}?3.01" for name in NAMES]
    text = await served(store, whole=True)
    assert names_of(text) == [f"{name}?5.01" for name in (*NAMES, *late)]
    assert f"#EXT-X-DISCONTINUITY\n#EXTINF:1.000000,\nr/x1/{late[0]}" in text
    assert text.count("DISCONTINUITY") == 2


async def test_a_garbled_list_of_another_machine_spoils_nothing_and_a_garbled_own_one_is_not_there(
    store: LocalStore,
) -> None:
    whole = await served(store)
    await store.put(f"r/x1/bak0_{SID}_m-1.m3u8", b"<html>")
    assert await served(store) == whole
    await store.put(LIST, b"<html>")
    with pytest.raises(StorageNotFound):
        await served(store)


async def test_a_look_tells_of_playlists_and_opens_no_movie(store: LocalStore) -> None:
    await store.put(f"r/x1/{SID}_m-1_0.mp4", b"cut off")
    report = await shelf_of(store).playlists(PREFIX)
    (found,) = report.playlists
    assert (found.key, len(found.slices), report.movies) == (LIST, 3, ())
    assert (await shelf_of(store).playlists(("r", "nothing"))).playlists == ()
    with pytest.raises(StorageDenied):
        await shelf_of(store).playlists(())


class Gated:
    """A store that waits before it lists, and can be in trouble."""

    def __init__(self, store: LocalStore) -> None:
        self.get, self.delete, self.source = store.get, store.delete, store.source
        self._store = store
        self.open = asyncio.Event()
        self.lists = self.waiting = 0
        self.trouble = False

    async def list(self, prefix: str) -> list[StoredObject]:
        self.lists += 1
        self.waiting += 1
        await self.open.wait()
        self.waiting -= 1
        if self.trouble:
            raise StorageUnavailable("asleep")
        return await self._store.list(prefix)


async def until(look: Callable[[], bool]) -> None:
    async def is_so() -> bool:
        return look()

    await eventually(is_so)


async def test_one_look_serves_all_who_ask_within_a_moment(store: LocalStore) -> None:
    gated = Gated(store)
    shelf = Shelf(gated, look_seconds=3600, looks_max=1)
    asking = [asyncio.create_task(shelf.playlists(PREFIX)) for _ in range(50)]
    await until(lambda: gated.waiting == 1)
    asking[0].cancel()
    gated.open.set()
    reports = await asyncio.gather(*asking[1:])
    await shelf.playlist(LIST, keep, over=False, whole=False)
    assert gated.lists == 1
    assert all(report is reports[0] for report in reports)
    await shelf.playlists(("r", "x2"))
    assert gated.lists == 2


async def test_what_has_had_its_moment_is_looked_at_again(store: LocalStore) -> None:
    looked = []
    shelf = Shelf(store, look_seconds=0.001, looks_max=1, looked=lambda: looked.append(1))
    await shelf.playlists(PREFIX)

    async def again() -> bool:
        await shelf.playlists(PREFIX)
        return len(looked) > 1

    await eventually(again)


async def test_only_so_many_looks_are_taken_at_once(store: LocalStore) -> None:
    gated = Gated(store)
    shelf = Shelf(gated, look_seconds=3600, looks_max=2)
    asking = [asyncio.create_task(shelf.playlists(("r", f"x{number}"))) for number in range(5)]
    await until(lambda: gated.waiting == 2)
    await asyncio.sleep(0)
    assert gated.lists == 2
    gated.open.set()
    await asyncio.gather(*asking)
    assert gated.lists == 5


async def test_a_look_that_failed_serves_nobody_else(store: LocalStore) -> None:
    gated = Gated(store)
    gated.open.set()
    gated.trouble = True
    shelf = Shelf(gated, look_seconds=3600, looks_max=1)
    with pytest.raises(StorageUnavailable):
        await shelf.playlists(PREFIX)
    gated.trouble = False
    assert (await shelf.playlists(PREFIX)).playlists
