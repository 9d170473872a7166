"""What a sweep asks of database and storage: recordings by their folders, and all that lies in folders of their kind."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.domain.media import StoredObject
from actors.domain.outcomes import Erased


@dataclass(frozen=True, slots=True)
class Upload:
    """One that was begun and not ended. `began_at_ms` by the store's clock; of a file when it last grew."""

    key: str
    upload_id: str
    began_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRow:
    """What a sweep needs to know of a recording. `bytes`: as they were proven; `deleted_at_ms` only of a tombstone."""

    folder: str
    recording_id: str
    meeting_id: str
    state: str
    completeness: str
    bytes: int | None
    deleted_at_ms: int | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session at the provider; `sid` None: it is not known."""

    cname: str
    uid: str
    sid: str | None


class SweepRecords(Protocol):
    """Of the database. All raise JournalUnavailable."""

    async def take(self, holder: str, lease_seconds: float, since_seconds: float) -> int | None:
        """Take the turn. Unix milliseconds of now, or None: another one sweeps, or began within `since_seconds`."""
        ...

    async def hold(self, holder: str, lease_seconds: float) -> bool:
        """Keep the turn. False: somebody else has it."""
        ...

    async def leave(self, holder: str) -> None:
        """Give the turn back."""
        ...

    def rows(self) -> AsyncIterator[FolderRow]:
        """All recordings, in the order of their folders."""
        ...

    async def row(self, folder: str) -> FolderRow | None: ...

    async def count(self) -> int:
        """How many recordings there are."""
        ...

    async def seen(self, kind: str, keys: Sequence[str]) -> dict[str, int]:
        """Note that these were found. Since when each is known, in Unix milliseconds."""
        ...

    async def forget(self, before_ms: int) -> None:
        """Forget what was not found since then."""
        ...

    async def evicting(self, limit: int) -> list[SessionRow]:
        """Sessions that were given up on and are not proven gone."""
        ...

    async def strangers(self, within_seconds: float, ends: Sequence[int], limit: int) -> list[SessionRow]:
        """Sessions that are none of ours, of which notifications told lately, and none of these `ends`."""
        ...


class SweepStore(Protocol):
    """Of a store. All raise StorageDenied, StorageUnavailable."""

    async def list(self, prefix: str) -> list[StoredObject]: ...

    def pages(self, prefix: str) -> AsyncIterator[Sequence[StoredObject]]:
        """All objects, by key."""
        ...

    def uploads(self, prefix: str) -> AsyncIterator[Upload]:
        """Those that are open."""
        ...

    async def abort(self, upload: Upload) -> None: ...

    async def delete(self, keys: Sequence[str]) -> None: ...

    async def delete_prefix(self, prefix: str) -> Erased: ...
