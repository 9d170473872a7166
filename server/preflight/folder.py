"""Local storage tried out: room, and a file written, read and deleted."""

from clients.storage.local import LocalStore
from server.checks import Trouble
from server.preflight.probe import new_probe, step

ROOM = "Make room on the disk of storage.path, or lower storage.min_free_bytes."
RIGHTS = "See that storage.path is there and mounted, and that the server's user may write there."


class FolderProbe:
    """Whether another recording may be kept in the folder."""

    def __init__(self, store: LocalStore, prefix: str, bytes_min: int) -> None:
        self._store = store
        self._prefix = prefix
        self._bytes_min = bytes_min

    async def look(self) -> str:
        """Raises Trouble."""
        with step("the folder cannot be seen", RIGHTS):
            free = self._store.free_bytes()
        if free < self._bytes_min:
            least = f"below {self._bytes_min} (storage.min_free_bytes)"
            raise Trouble(f"{free} bytes free, {least}: no recording starts", ROOM)
        key, data = new_probe(self._prefix)
        with step("a file cannot be written", RIGHTS):
            await self._store.put(key, data)
        with step("what was written cannot be read", RIGHTS):
            found = await self._store.get(key)
        with step("what was written cannot be deleted", RIGHTS):
            await self._store.delete([key])
        if found != data:
            raise Trouble("what was written is not what is read", "Check the disk of storage.path.")
        return f"a file was written, read and deleted; {free} bytes free"
