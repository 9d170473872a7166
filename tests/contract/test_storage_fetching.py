"""Media fetched from a URL into a store: what is taken, what is refused, and that a refusal leaves nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from actors.ports import StorageDenied
from clients.storage import public
from clients.storage.fetching import Fetcher, FetchLimits, SourceFailed, SourceRefused
from clients.storage.s3.store import S3Store
from tests.contract.stores import Store
from tests.fakes.buckets import PART_BYTES, S3Server
from tests.listening import listening
from tests.unit.test_s3_public import Names

LONG = PART_BYTES + 100_000
KEY = "r/a.mp4"


@pytest.fixture(params=["local", "moto"])
def place(request: pytest.FixtureRequest) -> S3Server | None:
    """One bucket is enough: what is refused here has not come to a store's server yet."""
    return None if request.param == "local" else request.getfixturevalue("moto")


class Elsewhere:
    """Servers of others. `url` is where they are; `asked` counts requests."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []

    async def film(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.host)
        size = int(request.query.get("size", "1000"))
        return web.Response(body=bytes(size), content_type=request.query.get("type", "video/mp4"))

    async def endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
        await response.prepare(request)
        while True:
            await response.write(bytes(100_000))

    async def broken(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": str(2 * LONG)})
        await response.prepare(request)
        await response.write(bytes(LONG))
        assert request.transport is not None
        request.transport.close()
        return response

    async def silent(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
        await response.prepare(request)
        await response.write(bytes(LONG))
        await asyncio.Event().wait()
        return response

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        return web.Response(status=302, headers={"Location": request.query["to"]})

    async def around(self, request: web.Request) -> web.StreamResponse:
        left = int(request.match_info["left"])
        raise web.HTTPTemporaryRedirect(f"/around/{left - 1}" if left else "/film")


@pytest_asyncio.fixture
async def there() -> AsyncIterator[Elsewhere]:
    made, app = Elsewhere(), web.Application()
    routes: dict[str, Callable[[web.Request], Any]] = {
        "/film": made.film,
        "/endless": made.endless,
        "/broken": made.broken,
        "/silent": made.silent,
        "/elsewhere": made.elsewhere,
        "/around/{left}": made.around,
    }
    for path, handler in routes.items():
        app.router.add_get(path, handler)
    async with listening(app) as made.url:
        yield made


def fetcher(**told: Any) -> Fetcher:
    return Fetcher(FetchLimits(**{"private": True, "silence_seconds_max": 5.0, **told}))


async def put_url(store: Store, key: str, url: str, fetcher: Fetcher) -> int:
    """As who stores what is fetched does it."""
    async with fetcher.open(url) as source:
        return await store.put_stream(key, source.chunks, source.content_type)


async def nothing_is_left(store: Store) -> bool:
    if isinstance(store, S3Store):
        async with store._line.call("uploads") as s3:
            if (await s3.list_multipart_uploads(Bucket=store._bucket)).get("Uploads"):
                return False
    return await store.list("") == []


@pytest.mark.parametrize("size", [0, 1000, LONG])
async def test_what_is_there_is_stored(store: Store, there: Elsewhere, size: int) -> None:
    assert await put_url(store, KEY, f"{there.url}/film?size={size}&type=audio/ogg", fetcher()) == size
    assert await store.get(KEY) == bytes(size)
    if isinstance(store, S3Store):
        assert (await store.head(KEY)).content_type == "audio/ogg"


async def test_redirects_are_followed_so_far(store: Store, there: Elsewhere) -> None:
    assert await put_url(store, KEY, f"{there.url}/around/1", fetcher(redirects_max=2)) == 1000
    with pytest.raises(SourceRefused, match="more than 2 redirects"):
        await put_url(store, "r/b.mp4", f"{there.url}/around/2", fetcher(redirects_max=2))
    assert [found.key for found in await store.list("")] == [KEY]


BAD_SOURCES = [
    (f"/film?size={LONG}", {"bytes_max": LONG - 1}, SourceRefused, f"more than {LONG - 1} bytes"),
    ("/endless", {"bytes_max": LONG}, SourceRefused, f"more than {LONG} bytes"),
    ("/endless", {"seconds_max": 0.5}, SourceFailed, "after 0.5 s"),
    ("/broken", {}, SourceFailed, "cannot be read: ClientPayloadError"),
    ("/silent", {"silence_seconds_max": 0.3}, SourceFailed, "is silent"),
    ("/film?type=text/html", {}, SourceRefused, "type text/html, which is not taken"),
    ("/film?type=video/mp4", {"types": ("audio/*",)}, SourceRefused, "type video/mp4"),
    ("/absent", {}, SourceFailed, "answers 404"),
    ("/elsewhere?to=file:///etc/passwd", {}, SourceRefused, "no http or https URL"),
    ("/elsewhere?to=http://user:word@127.0.0.1/", {}, SourceRefused, "without user and password"),
    ("/elsewhere?to=http://[", {}, SourceRefused, "no URL"),
]


@pytest.mark.parametrize(("path", "limits", "error", "said"), BAD_SOURCES)
async def test_a_bad_source_is_refused_with_the_reason_and_leaves_nothing(
    store: Store, there: Elsewhere, path: str, limits: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await put_url(store, KEY, there.url + path, fetcher(**limits))
    assert await nothing_is_left(store)


async def test_a_key_that_may_not_be_used_takes_nothing(store: Store, there: Elsewhere) -> None:
    with pytest.raises(StorageDenied):
        await put_url(store, "../a.mp4", f"{there.url}/film", fetcher())
    assert await nothing_is_left(store)


NO_URLS = [
    "file:///etc/passwd",
    "ftp://1.1.1.1/a",
    "gopher://1.1.1.1/",
    "a.mp4",
    "",
    "http://",
    "http://[::1",
    "//1.1.1.1/",
]
INSIDE = ["127.0.0.1", "localhost", "[::1]", "127.1", "0x7f.1", "2130706433", "0.0.0.0", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("url", NO_URLS)
async def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(SourceRefused, match="URL"):
        await opened(fetcher(), url)


@pytest.mark.parametrize("host", INSIDE)
async def test_nothing_is_fetched_from_our_own_network(there: Elsewhere, host: str) -> None:
    port = there.url.rpartition(":")[2]
    with pytest.raises(SourceRefused, match=r"not public|no URL"):
        await opened(Fetcher(FetchLimits()), f"http://{host}:{port}/film")
    assert there.asked == []


@pytest.fixture
def one_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 127.0.0.1 were everybody's, and its neighbours not."""
    for module in ("clients.storage.public.is_public", "clients.storage.fetching.is_public"):
        monkeypatch.setattr(module, lambda address: address == "127.0.0.1")


@pytest.mark.usefixtures("one_public")
@pytest.mark.parametrize(
    "to", ["http://127.0.0.2:{port}/film", "http://169.254.169.254/film", "http://inside.example/film"]
)
async def test_no_redirect_leads_into_our_own_network(there: Elsewhere, to: str) -> None:
    port = there.url.rpartition(":")[2]
    names = {"outside.example": "127.0.0.1", "inside.example": "127.0.0.2"}
    with pytest.raises(SourceRefused, match="not public"):
        await opened(
            Fetcher(FetchLimits(), Table(names)), f"http://outside.example:{port}/elsewhere?to={to.format(port=port)}"
        )
    assert there.asked == ["/elsewhere"]


@pytest.mark.usefixtures("one_public")
async def test_a_name_is_resolved_once_and_that_address_is_used(there: Elsewhere) -> None:
    names = Turncoat("127.0.0.1", "127.0.0.2")
    port = there.url.rpartition(":")[2]
    await opened(Fetcher(FetchLimits(), names), f"http://outside.example:{port}/film")
    assert (names.asked, there.asked) == (1, [f"outside.example:{port}"])


def test_the_addresses_that_are_tested_are_those_that_are_looked_at() -> None:
    assert not public.is_public("127.0.0.1")


class Table(Names):
    """Names and their addresses."""

    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self.names = names

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> Any:
        return await Names(self.names[host]).resolve(host, port, socket.AF_INET)


class Turncoat(Names):
    """Each answer is another address."""

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> Any:
        self.asked += 1
        return await Names(self.addresses[self.asked - 1]).resolve(host, port, socket.AF_INET)


async def opened(fetcher: Fetcher, url: str) -> None:
    async with fetcher.open(url):
        pass
