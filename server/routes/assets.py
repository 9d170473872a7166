"""The operators' page and the files that pages are made of: those of this package, known by name, read once."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

from server.answers import not_modified
from server.errors import Problem
from server.policy import PUBLIC, route
from server.protection import POLICY, origin_of, page_policy

_SERVER = Path(__file__).parents[1]
FOLDERS = (_SERVER / "assets", _SERVER / "dashboard")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PAGE = "index.html"
_TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types 'none'"
"""The browser itself refuses the page to make markup of text, such as a meeting's name."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    body: bytes
    content_type: str
    etag: str

    @classmethod
    def read(cls, path: Path) -> "Asset":
        body = path.read_bytes()
        return cls(body, _TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')

    def answer(self, request: web.Request, headers: dict[str, str] | None = None) -> web.Response:
        """The file, or 304 for whoever has it."""
        sent = {hdrs.ETAG: self.etag, hdrs.CACHE_CONTROL: "no-cache", **(headers or {})}
        if not_modified(request, self.etag):
            return web.Response(status=304, headers=sent)
        return web.Response(body=self.body, content_type=self.content_type, charset="utf-8", headers=sent)


class AssetRoutes:
    """GET `/` and `/assets/{name}`. The page plays media from where signed URLs lead: `media_urls` begin like them."""

    def __init__(self, *media_urls: str) -> None:
        self._assets = {
            path.name: Asset.read(path) for folder in FOLDERS for path in folder.iterdir() if path.is_file()
        }
        self._page = self._assets.pop(_PAGE)
        self._policy = page_policy([origin_of(url) for url in media_urls]) + _TRUSTED_TYPES

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_GET, "/", self.page, policy=PUBLIC)
        route(app, hdrs.METH_GET, "/assets/{name}", self.asset, policy=PUBLIC)

    async def page(self, request: web.Request) -> web.Response:
        """The operators' page. It needs no token; what it asks for does."""
        return self._page.answer(request, {POLICY: self._policy})

    async def asset(self, request: web.Request) -> web.Response:
        """A file that a page is made of."""
        found = self._assets.get(request.match_info["name"])
        if found is None:
            raise Problem("not_found", "there is no such file")
        return found.answer(request)
