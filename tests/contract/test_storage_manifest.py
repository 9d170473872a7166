"""Manifests over a folder and buckets: what is written, what a later look finds, and what stays out of their way."""

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
import pytest_asyncio

from actors.domain.ids import RecordingId
from actors.domain.media import MANIFEST, Checked, Finding, StoredObject, Verification
from actors.domain.outcomes import Done, Erased, RetryLater, Sealed
from actors.ports import StorageUnavailable
from clients.storage.media import StoredMedia
from clients.storage.sealing import Hashing, Sealing
from clients.storage.verifying import Verifying
from tests.contract.stores import Store

ONE, PREFIX, FOLDER = RecordingId("r-1"), ("r", "x1"), "r/x1/"
BIG = 9 * 1024 * 1024
FILES = {"a.m3u8": b"#EXTM3U", "b.ts": b"", "c.mp4": bytes(range(256)) * (BIG // 256)}
"""The last one is more than a part of a bucket's, and more than a chunk."""


class Bench:
    """A store with the files of a recording, and of another one."""

    def __init__(self, store: Any, reads_max: int = 2, seconds: float = 60.0) -> None:
        self.store = store
        self.reading = self.most = self.hashed = 0
        hashing = Hashing(store, reads_max, self._read, self._count)
        self.media = StoredMedia(store, Sealing(store, hashing))
        self.verifying = Verifying(store, hashing, seconds)

    def _read(self, change: int) -> None:
        self.reading += change
        self.most = max(self.most, self.reading)

    def _count(self, count: int) -> None:
        self.hashed += count

    async def sealed(self) -> Sealed:
        outcome = await self.media.seal(ONE, PREFIX)
        assert isinstance(outcome, Done)
        return outcome.value

    async def found(self, sealed: Sealed) -> dict[str, tuple[Finding, str | None]]:
        """By name, what is not the same."""
        look = await self.verifying.verify(PREFIX, sealed.sha256)
        assert look.following is None
        assert look.total == len(look.looks)
        return {
            each.key.removeprefix(FOLDER): (each.finding, each.why) for each in look.looks if each.finding != "same"
        }


@pytest_asyncio.fixture
async def bench(store: Store) -> Bench:
    for name, data in FILES.items():
        await store.put(FOLDER + name, data)
    await store.put("r/x10/other.ts", b"of another recording")
    return Bench(store)


async def test_a_manifest_lists_every_object_with_its_bytes(bench: Bench) -> None:
    sealed = await bench.sealed()
    data = await bench.store.get(FOLDER + MANIFEST)
    assert sealed == Sealed(3, sum(map(len, FILES.values())), sha256(data).hexdigest())
    told = json.loads(data)
    assert (told["version"], told["recordingId"]) == (1, "r-1")
    listed = {each.key: each for each in await bench.store.list(FOLDER)}
    assert told["objects"] == [
        {
            "key": FOLDER + name,
            "size": len(data),
            "etag": listed[FOLDER + name].etag,
            "sha256": sha256(data).hexdigest(),
        }
        for name, data in FILES.items()
    ]
    assert bench.hashed == sealed.bytes
    assert bench.reading == 0


async def test_the_same_files_have_the_same_manifest_and_others_another(bench: Bench) -> None:
    first = await bench.sealed()
    assert await bench.sealed() == first
    await bench.store.put(FOLDER + "d.ts", b"late")
    second = await bench.sealed()
    assert (second.objects, second.sha256 != first.sha256) == (4, True)


async def test_what_is_as_it_was_is_found_so(bench: Bench) -> None:
    sealed = await bench.sealed()
    look = await bench.verifying.verify(PREFIX, sealed.sha256)
    assert [(each.key, each.finding, each.size) for each in look.looks[1:]] == [
        (FOLDER + name, Finding.SAME, len(data)) for name, data in FILES.items()
    ]
    assert (look.looks[0].key, look.looks[0].finding) == (FOLDER + MANIFEST, Finding.SAME)
    assert (look.total, look.following) == (4, None)


async def test_every_difference_is_named(bench: Bench) -> None:
    sealed = await bench.sealed()
    await bench.store.delete([FOLDER + "a.m3u8"])
    await bench.store.put(FOLDER + "b.ts", b"more")
    await bench.store.put(FOLDER + "c.mp4", FILES["c.mp4"][:-1] + b"!")
    await bench.store.put(FOLDER + "z.ts", b"of nobody")
    await bench.store.put(FOLDER + "y/z.ts", b"of nobody")
    assert await bench.found(sealed) == {
        "a.m3u8": (Finding.MISSING, None),
        "b.ts": (Finding.ALTERED, "it had 0 bytes"),
        "c.mp4": (Finding.ALTERED, "its bytes are others"),
        "y/z.ts": (Finding.FOREIGN, None),
        "z.ts": (Finding.FOREIGN, None),
    }


@pytest.mark.parametrize("data", [b"", b"[]", b'{"version": 2, "objects": []}', b'{"version": 1, "objects": []}'])
async def test_a_manifest_that_is_another_vouches_for_nothing(bench: Bench, data: bytes) -> None:
    sealed = await bench.sealed()
    await bench.store.put(FOLDER + MANIFEST, data)
    altered = Checked(FOLDER + MANIFEST, len(data), Finding.ALTERED, "it is not the manifest that was written")
    assert await bench.verifying.verify(PREFIX, sealed.sha256) == Verification((altered,), 1, None)


async def test_a_manifest_that_is_gone_is_missing(bench: Bench) -> None:
    sealed = await bench.sealed()
    await bench.store.delete([FOLDER + MANIFEST])
    assert await bench.found(sealed) == {MANIFEST: (Finding.MISSING, None)}


async def test_a_call_ends_in_time_and_the_next_goes_on_behind_it(bench: Bench, store: Store) -> None:
    sealed = await bench.sealed()
    await store.put(FOLDER + "z.ts", b"of nobody")
    hurried = Bench(store, seconds=0.0)
    looks: list[Checked] = []
    sizes, after = [], 0
    while after is not None:
        page = await hurried.verifying.verify(PREFIX, sealed.sha256, after)
        looks += page.looks
        sizes.append(len(page.looks))
        assert page.total == 5
        after = page.following
    assert sizes == [2, 1, 2]
    assert [each.key.removeprefix(FOLDER) for each in looks] == [MANIFEST, *FILES, "z.ts"]
    assert (await hurried.verifying.verify(PREFIX, sealed.sha256, 99)).looks == ()


async def test_a_manifest_is_no_file_of_its_recording_but_is_erased_with_it(bench: Bench) -> None:
    before = await bench.media.examine(PREFIX)
    sealed = await bench.sealed()
    assert await bench.media.examine(PREFIX) == before
    manifest = len(await bench.store.get(FOLDER + MANIFEST))
    assert await bench.media.erase(PREFIX) == Done(Erased(4, sealed.bytes + manifest))
    assert [each.key for each in await bench.store.list("")] == ["r/x10/other.ts"]


class Held:
    """A store in which reading stops until it is let go on, and then does what is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.there, self.go = asyncio.Event(), asyncio.Event()
        self.puts: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def chunks(self, found: StoredObject) -> AsyncIterator[bytes]:
        self.there.set()
        await self.go.wait()
        async for chunk in self._store.chunks(found):
            yield chunk

    async def put(self, key: str, data: bytes) -> None:
        self.puts.append(key)
        await self._store.put(key, data)


async def test_a_deletion_leaves_no_manifest_behind(bench: Bench, store: Store) -> None:
    held = Held(store)
    media = Bench(held).media
    seal = asyncio.create_task(media.seal(ONE, PREFIX))
    await held.there.wait()
    erase = asyncio.create_task(media.erase(PREFIX))
    await asyncio.sleep(0)
    held.go.set()
    outcome = await seal
    assert isinstance(outcome, RetryLater)
    assert outcome.why == "the files are being deleted"
    assert await erase == Done(Erased(3, sum(map(len, FILES.values()))))
    assert (held.puts, await store.list(FOLDER)) == ([], [])


async def test_files_that_change_meanwhile_are_not_vouched_for(bench: Bench, store: Store) -> None:
    held = Held(store)
    media = Bench(held).media
    seal = asyncio.create_task(media.seal(ONE, PREFIX))
    await held.there.wait()
    await store.put(FOLDER + "late.ts", b"late")
    held.go.set()
    outcome = await seal
    assert isinstance(outcome, RetryLater)
    assert outcome.why == "the files still change"
    assert held.puts == []
    assert isinstance(await media.seal(ONE, PREFIX), Done)


async def test_only_so_many_objects_are_read_at_once(bench: Bench, store: Store) -> None:
    held = Held(store)
    busy = Bench(held, reads_max=2)
    await store.put("r/x2/a.ts", b"a")
    await store.put("r/x3/a.ts", b"a")
    seals = [asyncio.create_task(busy.media.seal(ONE, prefix)) for prefix in (PREFIX, ("r", "x2"), ("r", "x3"))]
    await held.there.wait()
    held.go.set()
    assert [type(each) for each in await asyncio.gather(*seals)] == [Done, Done, Done]
    assert busy.most == 2


async def test_trouble_is_an_outcome(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(prefix: str) -> list[StoredObject]:
        raise StorageUnavailable("asleep")

    sealed = await bench.sealed()
    monkeypatch.setattr(bench.store, "list", away)
    assert isinstance(await bench.media.seal(ONE, PREFIX), RetryLater)
    with pytest.raises(StorageUnavailable):
        await bench.verifying.verify(PREFIX, sealed.sha256)
    assert isinstance(await bench.media.seal(ONE, ()), RetryLater)
