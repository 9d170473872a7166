"""The key set of `auth.jwks`, kept fresh: a look in the background now and then, and one when a token names a new key.

Looks are shared and rationed, since anybody can name a key that does not exist. A look that fails changes nothing: the keys
of the last good one stay, `/readyz` and a metric tell. A well-formed set is the truth, also when it has no key left.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import structlog

from server.auth.key_set import KeySet, KeySetError, parse_key_set
from server.config import ConfigError
from server.metrics import AuthMetrics
from server.settings import AuthSettings

log = structlog.get_logger(__name__)

Read = Callable[[], Awaitable[bytes]]
"""Returns the document; raises KeySetError, OSError, ValueError, aiohttp.ClientError."""


class Jwks:
    """Implements `KeySource`. `pause_seconds` lie between looks that succeed, `retry_seconds` after one that failed, and at
    least between two that tokens caused."""

    def __init__(
        self,
        read: Read,
        metrics: AuthMetrics,
        *,
        pause_seconds: float,
        retry_seconds: float,
        timeout_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keys = KeySet()
        self.trouble: str | None = "not looked at yet"
        self._read = read
        self._metrics = metrics
        self._pause_seconds = pause_seconds
        self._retry_seconds = retry_seconds
        self._timeout_seconds = timeout_seconds
        self._monotonic = monotonic
        self._document: bytes | None = None
        self._asked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Brings `keys` up to date, or says why not in `trouble`; whoever asks meanwhile shares the look."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="jwks look")
        await asyncio.shield(self._looking)

    async def look_again(self) -> bool:
        """A look because of a token; False if the last of these was less than `retry_seconds` ago."""
        if self._looking is None:
            if self._monotonic() - self._asked_at < self._retry_seconds:
                self._metrics.looked("rationed")
                return False
            self._asked_at = self._monotonic()
        await self.look()
        return True

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            await asyncio.sleep(self._pause_seconds if self.trouble is None else self._retry_seconds)
            await self.look()

    async def check(self) -> str:
        """For `/readyz`. Raises KeySetError."""
        if self.trouble is not None:
            raise KeySetError(self.trouble)
        return f"{len(self.keys.keys)} keys"

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                document = await self._read()
            self._take(document)
        except TimeoutError:
            self._fail(f"no answer within {self._timeout_seconds:g} s")
        except KeySetError as error:
            self._fail(str(error))
        except (OSError, ValueError, aiohttp.ClientError) as error:
            self._fail(f"cannot be read: {type(error).__name__}")
        finally:
            self._looking = None

    def _take(self, document: bytes) -> None:
        changed = document != self._document
        if changed:
            self.keys = parse_key_set(document)
            self._document = document
            log.info("jwks.changed", kids=[each.key_id for each in self.keys.keys], passed_over=self.keys.passed_over)
        self.trouble = None if self.keys.keys else f"no usable key: {'; '.join(self.keys.passed_over) or 'it is empty'}"
        self._metrics.looked("changed" if changed else "unchanged")
        self._metrics.keys(len(self.keys.keys))

    def _fail(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("jwks.failed", trouble=trouble)
        self.trouble = trouble
        self._metrics.looked("failed")


async def open_jwks(auth: AuthSettings, http: aiohttp.ClientSession, metrics: AuthMetrics) -> Jwks | None:
    """The key set of the settings after its first look, None without one. Raises ConfigError for a file without keys;
    a URL that fails is looked at again later, and until then its tokens are refused."""
    place = auth.jwks
    if place is None:
        return None
    is_file = "://" not in place
    jwks = Jwks(
        _file(Path(place), auth.jwks_bytes_max) if is_file else _url(place, http, auth.jwks_bytes_max),
        metrics,
        # To look at a file costs nothing.
        pause_seconds=auth.jwks_retry_seconds if is_file else auth.jwks_refresh_seconds,
        retry_seconds=auth.jwks_retry_seconds,
        timeout_seconds=auth.jwks_timeout_seconds,
    )
    await jwks.look()
    if is_file and jwks.trouble is not None:
        raise ConfigError(f"TAPEDECK_JWKS: {place}: {jwks.trouble}")
    return jwks


def _file(path: Path, bytes_max: int) -> Read:
    def read() -> bytes:
        try:
            with path.open("rb") as file:
                return _limited(file.read(bytes_max + 1), bytes_max)
        except OSError as error:
            raise KeySetError(str(error.strerror)) from None

    return lambda: asyncio.to_thread(read)


def _url(url: str, http: aiohttp.ClientSession, bytes_max: int) -> Read:
    async def read() -> bytes:
        async with http.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response:
            if response.status != 200:
                raise KeySetError(f"it answers {response.status}")
            try:
                return _limited(await response.content.readexactly(bytes_max + 1), bytes_max)
            except asyncio.IncompleteReadError as whole:
                return whole.partial

    return read


def _limited(document: bytes, bytes_max: int) -> bytes:
    if len(document) > bytes_max:
        raise KeySetError(f"it has more than {bytes_max} bytes")
    return document
