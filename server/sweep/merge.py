"""Folders of a store beside rows of the database, both in the order of their names, with no more in memory than a page of each."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from actors.domain.media import MANIFEST, StoredObject


class Row(Protocol):
    """Of the database."""

    @property
    def folder(self) -> str: ...


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies below one segment behind the root; a key without a folder is one by itself. `newest_ms`: when its last object
    was written; `media_bytes`: without what we wrote ourselves."""

    name: str
    key: str
    objects: int
    bytes: int
    media_bytes: int
    newest_ms: int


async def folders_of(root: str, pages: AsyncIterator[Sequence[StoredObject]]) -> AsyncIterator[Folder]:
    """The objects below `root`, which ends with a slash, by their folders."""
    held: Folder | None = None
    async for page in pages:
        for found in page:
            name, slash, rest = found.key.removeprefix(root).partition("/")
            one = _alone(found, name, f"{root}{name}{slash}", 0 if rest == MANIFEST else found.size)
            if held is not None and held.key == one.key:
                held = _with(held, one)
                continue
            if held is not None:
                yield held
            held = one
    if held is not None:
        yield held


def _alone(found: StoredObject, name: str, key: str, media_bytes: int) -> Folder:
    return Folder(name, key, 1, found.size, media_bytes, found.modified_at_ms)


def _with(folder: Folder, more: Folder) -> Folder:
    return replace(
        folder,
        objects=folder.objects + 1,
        bytes=folder.bytes + more.bytes,
        media_bytes=folder.media_bytes + more.media_bytes,
        newest_ms=max(folder.newest_ms, more.newest_ms),
    )


async def merged(
    folders: AsyncIterator[Folder], rows: AsyncIterator[R]
) -> AsyncIterator[tuple[Folder | None, R | None]]:
    """Both side by side, each with None where the other has nothing of that name.

    A store that lists in another order makes pairs that are torn apart: whoever acts on half a pair looks again.
    """
    folder, row = await anext(folders, None), await anext(rows, None)
    while folder is not None or row is not None:
        # By whole keys, as a store orders them: "a-b/x" stands before "a/x".
        if row is None or (folder is not None and f"{folder.name}/" < f"{row.folder}/"):
            yield folder, None
            folder = await anext(folders, None)
        elif folder is None or f"{folder.name}/" > f"{row.folder}/":
            yield None, row
            row = await anext(rows, None)
        else:
            yield folder, row
            folder, row = await anext(folders, None), await anext(rows, None)
