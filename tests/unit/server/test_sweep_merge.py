"""Folders beside rows, in the order of their names."""

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from actors.domain.media import StoredObject
from server.sweep.findings import is_a_recordings
from server.sweep.merge import folders_of, merged


@dataclass(frozen=True)
class Named:
    folder: str


async def rows(names: Iterable[str]) -> AsyncIterator[Named]:
    for name in names:
        yield Named(name)


async def pages(keys: Iterable[str], size: int = 2) -> AsyncIterator[Sequence[StoredObject]]:
    objects = [StoredObject(key, len(key), 1000 + number) for number, key in enumerate(keys)]
    for first in range(0, len(objects), size):
        yield objects[first : first + size]


async def test_objects_are_gathered_by_folder_across_pages() -> None:
    keys = ["t/a/1", "t/a/2", "t/a/manifest.json", "t/b/c/1", "t/b/d", "t/loose"]
    found = [each async for each in folders_of("t/", pages(keys))]
    assert [(each.name, each.key, each.objects, each.bytes, each.media_bytes) for each in found] == [
        ("a", "t/a/", 3, 27, 10),
        ("b", "t/b/", 2, 12, 12),
        ("loose", "t/loose", 1, 7, 7),
    ]
    assert [each.newest_ms for each in found] == [1002, 1004, 1005]
    assert [each async for each in folders_of("t/", pages([]))] == []


async def pairs(folders: Iterable[str], names: Iterable[str]) -> list[tuple[str | None, str | None]]:
    both = merged(folders_of("t/", pages(f"t/{name}/x" for name in folders)), rows(names))
    return [(folder and folder.name, row and row.folder) async for folder, row in both]


async def test_each_stands_beside_its_own_or_alone() -> None:
    assert await pairs(["a", "b", "d"], ["b", "c", "d", "e"]) == [
        ("a", None), ("b", "b"), (None, "c"), ("d", "d"), (None, "e"),
    ]  # fmt: skip
    assert await pairs([], ["a"]) == [(None, "a")]
    assert await pairs(["a"], []) == [("a", None)]


async def test_a_folder_is_ordered_as_its_keys_are() -> None:
    """`a-` stands before `a/` in a store, although `a` is shorter."""
    assert await pairs(["a-", "a"], ["a"]) == [("a-", None), ("a", "a")]


async def test_whatever_there_is_stands_there_once() -> None:
    dice = random.Random(1)
    for _ in range(50):
        folders, names = ({f"{dice.randrange(40):02x}" for _ in range(dice.randrange(30))} for _ in range(2))
        found = await pairs(sorted(folders), sorted(names))
        assert {pair for pair in found if None not in pair} == {(name, name) for name in folders & names}
        assert {folder for folder, row in found if row is None} == folders - names
        assert {row for folder, row in found if folder is None} == names - folders
        assert len(found) == len(folders | names)


def test_only_a_uuid_of_version_7_without_hyphens_is_a_recordings() -> None:
    assert is_a_recordings("01a202b2c57b7c4e9d3a5b1f0e6a7c21")
    for name in ("01a202b2-c57b-7c4e-9d3a-5b1f0e6a7c21", "01A202B2C57B7C4E9D3A5B1F0E6A7C21", "01a202b2c57b4c4e9d3a5b1f0e6a7c21",
                 "01a202b2c57b7c4e9d3a5b1f0e6a7c2", "_preflight", "notes", ""):  # fmt: skip
        assert not is_a_recordings(name), name
