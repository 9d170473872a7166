"""What the server says of its interface: for programs (OpenAPI, AsyncAPI) and for people (/docs, /errors/CODE)."""

from aiohttp import hdrs, web

from server.answers import json
from server.documents.asyncapi import asyncapi
from server.documents.error_pages import error_page
from server.documents.reference import reference
from server.errors import ERRORS, Problem
from server.openapi import document
from server.policy import PUBLIC, route


class DocumentRoutes:
    """`expires_seconds_max` is the longest life of a playback URL, which the document names."""

    def __init__(self, expires_seconds_max: int, public_url: str) -> None:
        self._expires_seconds_max = expires_seconds_max
        self._public_url = public_url

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_GET, "/openapi.json", self.openapi, policy=PUBLIC)
        route(app, hdrs.METH_GET, "/asyncapi.json", self.asyncapi, policy=PUBLIC)
        route(app, hdrs.METH_GET, "/docs", self.docs, policy=PUBLIC)
        route(app, hdrs.METH_GET, "/errors/{code}", self.error, policy=PUBLIC)

    async def openapi(self, request: web.Request) -> web.Response:
        """This interface as OpenAPI 3.1."""
        return json(document(self._expires_seconds_max))

    async def asyncapi(self, request: web.Request) -> web.Response:
        """The streams as AsyncAPI 3."""
        return json(asyncapi(self._public_url))

    async def docs(self, request: web.Request) -> web.Response:
        """This interface as a page for people."""
        return _page(reference(self._expires_seconds_max, self._public_url))

    async def error(self, request: web.Request) -> web.Response:
        """What a code means. Raises Problem for what is none."""
        code = request.match_info["code"]
        if code not in ERRORS:
            raise Problem("not_found", "there is no such error code")
        return _page(error_page(code))


def _page(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8")
