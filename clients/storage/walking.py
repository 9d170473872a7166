"""The files below a folder in the order of their keys, so that many can be gone through with little memory."""

import os
from collections.abc import Iterator
from pathlib import Path


def walk(top: Path, key: str, after: str = "", *, hidden: bool) -> Iterator[tuple[str, Path]]:
    """Keys and paths of all files behind the key `after`. `key`: what the keys below `top` begin with.

    A link is a file, and is not followed. `hidden`: those too that begin with a point.
    """
    for _, entry in sorted(_entries(top)):
        found = key + entry.name
        if entry.name.startswith(".") and not hidden:
            continue
        if not entry.is_dir(follow_symlinks=False):
            if found > after:
                yield found, Path(entry.path)
        elif f"{found}/" > after or after.startswith(f"{found}/"):
            yield from walk(Path(entry.path), f"{found}/", after, hidden=hidden)


def _entries(folder: Path) -> list[tuple[str, os.DirEntry[str]]]:
    """With what they are sorted by: a folder's name goes on with a slash. One that is gone by now is empty."""
    try:
        with os.scandir(folder) as entries:
            return [(e.name + "/" * e.is_dir(follow_symlinks=False), e) for e in entries]
    except FileNotFoundError:
        return []
