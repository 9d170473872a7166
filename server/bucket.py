"""URLs of a bucket's recordings: its own server opens films and slices, this one the playlists, which each player gets anew."""

from actors.ports import Clock
from clients.storage.keys import content_type_of
from clients.storage.s3.signing import SECONDS_MAX, ObjectSigner
from clients.storage.s3.store import S3Store
from server.playback import Signer


class BucketUrls:
    """`own`: opens playlists."""

    def __init__(self, own: Signer, store: S3Store, clock: Clock) -> None:
        self._own = own
        self._store = store
        self._clock = clock

    async def signer(self) -> Signer:
        """Raises StorageDenied, StorageUnavailable: there are no keys."""
        return BucketSigner(self._own, await self._store.signer(), self._clock.now_ms() // 1000)


class BucketSigner:
    """Of one moment, `now` in Unix seconds."""

    def __init__(self, own: Signer, objects: ObjectSigner, now: int) -> None:
        self._own = own
        self._objects = objects
        self._now = now

    def sign(self, key: str, expires_at: int, **parameters: str) -> str:
        """The parameters are only for what is opened here. Raises StorageDenied."""
        if key.lower().endswith(".m3u8"):
            return self._own.sign(key, expires_at, **parameters)
        seconds = min(max(expires_at - self._now, 1), SECONDS_MAX)
        name = key.rpartition("/")[2]
        return self._objects.get(key, seconds, file_name=name, content_type=content_type_of(key))
