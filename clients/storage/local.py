"""Objects as files below one folder, so that recordings work with nothing but a disk.

Keys are those of an object store: segments joined by "/". No key leads out of the folder, neither by its segments nor
through a symbolic link. What is being written lies aside, in a folder that no key can name, until it is whole.
"""

import asyncio
import errno
import os
import shutil
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import ParamSpec, TypeVar

from actors.domain.media import ListedObject, StoredObject
from actors.domain.outcomes import Erased, Inventory
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from actors.sweeping import Upload
from clients.storage.keys import key_is_safe, name_below
from clients.storage.streams import file_chunks
from clients.storage.walking import walk

P = ParamSpec("P")
T = TypeVar("T")

_ASIDE = ".aside"
PAGE_KEYS = 1000
_REFUSALS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENOTEMPTY,
    errno.EEXIST,
}


class LocalStore:
    """Objects below `root`. Raises StorageNotFound, StorageDenied, StorageUnavailable; blocks no event loop.

    A write is there as a whole or not at all, also when the process is killed. It is not forced to the disk: a power cut
    may cost the last seconds.
    """

    def __init__(self, root: Path, failed: Callable[[], None] = lambda: None) -> None:
        """`failed` is told whenever the folder does not do its part."""
        root.mkdir(parents=True, exist_ok=True)
        self._failed = failed
        self._root = root.resolve()
        self._aside = self._root / _ASIDE

    async def put(self, key: str, data: bytes) -> None:
        """Store the object, in place of an older one of that key."""
        await self._run(self._put, key, data)

    async def put_file(self, key: str, path: Path) -> None:
        """Move a file in as the object of that key. `path` is gone afterwards."""
        await self._run(self._put_file, key, path)

    async def put_stream(self, key: str, chunks: AsyncIterable[bytes], content_type: str | None = None) -> int:
        """Store what the stream holds; its bytes. What the stream raises is raised here, and nothing is stored.

        A folder keeps no types.
        """
        self.path(key)
        side, size = await self._run(self._side_file), 0
        try:
            await self._run(side.touch)
            async for chunk in chunks:
                await self._run(_append, side, chunk)
                size += len(chunk)
            await self._run(self._put_file, key, side)
        finally:
            await self._run(side.unlink, missing_ok=True)
        return size

    async def get(self, key: str) -> bytes:
        return await self._run(lambda: self.path(key).read_bytes())

    async def chunks(self, found: StoredObject) -> AsyncGenerator[bytes]:
        """All of the object, in pieces."""
        try:
            async for chunk in file_chunks(self.path(found.key)):
                yield chunk
        except OSError as error:
            raise _translated(error) from error

    async def list(self, prefix: str) -> list[StoredObject]:
        """All objects whose key begins with `prefix`, by key."""
        return await self._run(lambda: list(self._objects(prefix)))

    async def pages(self, prefix: str) -> AsyncIterator[Sequence[StoredObject]]:
        """The same a page at a time, so that many take no memory."""
        found = self._objects(prefix)
        while page := await self._run(lambda: list(islice(found, PAGE_KEYS))):
            yield page

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these objects and the folders that are empty afterwards. A key that is not there is no error."""
        await self._run(self._delete, keys)

    async def survey(self, prefix: str, after: str | None, limit: int) -> Inventory:
        """A page of everything whose key begins with `prefix`, behind `after`; hidden files too, and links."""
        found = await self._run(lambda: list(islice(self._files(prefix, after or "", hidden=True), limit + 1)))
        listed = tuple(ListedObject(name_below(prefix, key), _size(path)) for key, path in found[:limit])
        return Inventory(listed, found[limit - 1][0] if len(found) > limit else None)

    async def delete_prefix(self, prefix: str) -> Erased:
        """Remove everything that a survey shows."""
        if not prefix:
            raise StorageDenied("nobody empties a whole store")
        return await self._run(self._delete_prefix, prefix)

    async def uploads(self, prefix: str) -> AsyncIterator[Upload]:
        """Files that somebody is writing, or was when his process died: whatever `prefix`, as they do not tell their keys."""
        for path in await self._run(lambda: sorted(self._aside.glob("*"))):
            with suppress(StorageNotFound):
                began_at_ms = (await self._run(path.stat)).st_mtime_ns // 1_000_000
                yield Upload(f"{_ASIDE}/{path.name}", path.name, began_at_ms)

    async def abort(self, upload: Upload) -> None:
        """Remove what is left of it."""
        await self._run((self._aside / upload.upload_id).unlink, missing_ok=True)

    def path(self, key: str) -> Path:
        """The file of that key, which need not exist. Raises StorageDenied."""
        if not key_is_safe(key):
            raise StorageDenied("the key may not be used")
        path = self._root / key
        if not Path(os.path.realpath(path)).is_relative_to(self._root):  # resolve() raises on a loop
            raise StorageDenied("the key leads out of the store")
        return path

    @contextmanager
    def source(self, found: StoredObject) -> Iterator[str]:
        """What a media library opens. Raises StorageDenied."""
        yield str(self.path(found.key))

    def free_bytes(self) -> int:
        """Room that is left on the disk."""
        try:
            return shutil.disk_usage(self._root).free
        except OSError as error:
            raise _translated(error) from error

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await asyncio.to_thread(function, *args, **kwargs)
        except OSError as error:
            found = _translated(error)
            if not isinstance(found, StorageNotFound):
                self._failed()
            raise found from error

    def _put(self, key: str, data: bytes) -> None:
        target, side = self.path(key), self._side_file()
        try:
            side.write_bytes(data)
            _place(side, target)
        finally:
            side.unlink(missing_ok=True)

    def _put_file(self, key: str, path: Path) -> None:
        target, side = self.path(key), self._side_file()
        try:
            shutil.move(path, side)  # copies when it lies on another disk, so the last step is always a rename
            _place(side, target)
        finally:
            side.unlink(missing_ok=True)

    def _side_file(self) -> Path:
        self._aside.mkdir(exist_ok=True)
        return self._aside / uuid.uuid4().hex

    def _objects(self, prefix: str) -> Iterator[StoredObject]:
        found = (self._object(key, path) for key, path in self._files(prefix))
        return (each for each in found if each is not None)

    def _files(self, prefix: str, after: str = "", *, hidden: bool = False) -> Iterator[tuple[str, Path]]:
        """Keys and paths of what begins with `prefix`. Raises StorageDenied, StorageUnavailable."""
        if not self._root.is_dir():  # an unmounted disk is no empty store
            raise StorageUnavailable("the folder of the store is not there")
        folder = prefix.rpartition("/")[0]
        top = self.path(folder) if folder else self._root
        below = f"{folder}/" if folder else ""
        return (found for found in walk(top, below, after, hidden=hidden) if found[0].startswith(prefix))

    def _object(self, key: str, path: Path) -> StoredObject | None:
        if path.is_symlink() or not key_is_safe(key):
            return None
        try:
            stat = path.stat()
        except FileNotFoundError:  # deleted since the folder was read
            return None
        return StoredObject(key, stat.st_size, stat.st_mtime_ns // 1_000_000)

    def _delete(self, keys: Sequence[str]) -> None:
        paths = [self.path(key) for key in keys]
        for path in paths:
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in paths}:
            self._prune(folder)

    def _delete_prefix(self, prefix: str) -> Erased:
        count = size = 0
        folders: set[Path] = set()
        for _, path in self._files(prefix, hidden=True):
            count, size = count + 1, size + _size(path)
            path.unlink(missing_ok=True)
            folders.add(path.parent)
        for folder in folders:
            self._prune(folder)
        return Erased(count, size)

    def _prune(self, folder: Path) -> None:
        while folder != self._root:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:  # not empty
                return
            folder = folder.parent


def _append(path: Path, chunk: bytes) -> None:
    with path.open("ab") as file:
        file.write(chunk)


def _place(side: Path, target: Path) -> None:
    while True:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            side.replace(target)
        except FileNotFoundError:
            if side.exists():  # a deletion took the empty folder in between
                continue
            raise
        return


def _size(path: Path) -> int:
    """Its bytes; none if it is gone by now."""
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _translated(error: OSError) -> Exception:
    """The port's error; it names no path of this machine."""
    reason = os.strerror(error.errno) if error.errno else "input/output error"
    if error.errno == errno.ENOENT:
        return StorageNotFound("there is no such object")
    if error.errno in _REFUSALS:
        return StorageDenied(f"the store refused: {reason}")
    return StorageUnavailable(f"the store does not work: {reason}")
