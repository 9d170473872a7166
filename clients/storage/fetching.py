"""Media fetched from a URL that somebody names: only over HTTP, only from public addresses, only so much of it.

Redirects are followed here, one by one, so that each address is looked at as the first one is.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from clients.storage.public import PrivateAddress, PublicResolver, is_address, is_public

CHUNK_BYTES = 256 * 1024
REDIRECTS = {301, 302, 303, 307, 308}


class SourceRefused(Exception):
    """Nothing is fetched from there; the text says why."""


class SourceFailed(Exception):
    """The source did not do its part; another try may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """`types`: patterns of media types that are taken. `private`: addresses of our own network are fine too."""

    bytes_max: int = 10 * 1024**3
    seconds_max: float = 3600.0
    silence_seconds_max: float = 30.0
    redirects_max: int = 3
    types: tuple[str, ...] = ("video/*", "audio/*", "application/vnd.apple.mpegurl", "application/x-mpegurl")
    private: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """What is there. `chunks` raises SourceRefused and SourceFailed; they come only while the source is open."""

    content_type: str
    size: int | None
    chunks: AsyncIterator[bytes]


class Fetcher:
    """Opens sources. Has connections of its own: what is trusted elsewhere is not trusted here."""

    def __init__(self, limits: FetchLimits, resolver: AbstractResolver | None = None) -> None:
        self._limits = limits
        self._resolver = resolver

    @asynccontextmanager
    async def open(self, url: str) -> AsyncIterator[Source]:
        """The media at that URL. Raises SourceRefused, SourceFailed."""
        seconds = self._limits.seconds_max
        try:
            async with asyncio.timeout(seconds) as deadline, self._session() as http:
                with _told():
                    answer = await self._followed(http, URL(url))
                async with answer:
                    yield self._source(answer)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise SourceFailed(f"it was not all there after {seconds:g} s") from None

    def _session(self) -> aiohttp.ClientSession:
        resolver = self._resolver if self._limits.private else PublicResolver(self._resolver)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(
                total=None, connect=self._limits.silence_seconds_max, sock_read=self._limits.silence_seconds_max
            ),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def _followed(self, http: aiohttp.ClientSession, url: URL) -> aiohttp.ClientResponse:
        for _ in range(self._limits.redirects_max + 1):
            answer = await http.get(self._allowed(url), allow_redirects=False)
            if answer.status not in REDIRECTS:
                return answer
            answer.release()
            url = url.join(URL(answer.headers.get("Location", "")))
        raise SourceRefused(f"more than {self._limits.redirects_max} redirects")

    def _allowed(self, url: URL) -> URL:
        if url.scheme not in ("http", "https") or not url.host or url.user is not None or url.password is not None:
            raise SourceRefused("it is no http or https URL without user and password")
        if not self._limits.private and is_address(url.host) and not is_public(url.host):
            raise PrivateAddress
        return url

    def _source(self, answer: aiohttp.ClientResponse) -> Source:
        if answer.status != 200:
            raise SourceFailed(f"the source answers {answer.status}")
        content_type = answer.content_type.lower()
        if not any(fnmatch(content_type, pattern) for pattern in self._limits.types):
            raise SourceRefused(f"it is of the type {content_type}, which is not taken")
        if answer.content_length is not None and answer.content_length > self._limits.bytes_max:
            raise self._too_large()
        return Source(content_type, answer.content_length, self._chunks(answer))

    async def _chunks(self, answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
        size = 0
        with _told():
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                size += len(chunk)
                if size > self._limits.bytes_max:
                    raise self._too_large()
                yield chunk

    def _too_large(self) -> SourceRefused:
        return SourceRefused(f"it has more than {self._limits.bytes_max} bytes")


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong with a source, in our words: others have named it, and see them."""
    try:
        yield
    except PrivateAddress:
        raise SourceRefused("the URL leads to an address that is not public") from None
    except TimeoutError:
        raise SourceFailed("the source is silent") from None
    except ValueError:  # aiohttp's InvalidURL too
        raise SourceRefused("it is no URL") from None
    except (aiohttp.ClientError, OSError) as error:
        raise SourceFailed(f"the source cannot be read: {type(error).__name__}") from None
