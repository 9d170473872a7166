"""An application's own web server: pages of another origin than Tapedeck's, and the tokens that its back end mints."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.acceptance.running import token_for
from tests.listening import listening

GUIDE = Path(__file__).parents[2] / "docs" / "indicator.md"
SERVER, MEETING = "https://tapedeck.example.com", "standup"
"""What the guide says where an application has its own."""


def blocks(language: str) -> list[str]:
    """The guide's pieces of code, as they stand there."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


class Elsewhere:
    """What the application serves. A test sets what the next token is like."""

    def __init__(self) -> None:
        self.tapedeck = ""
        self.origin = ""
        self.token_seconds = 3600
        self.token_meeting = "*"
        self.tokens = 0
        self.meeting = ""

    async def page(self, _: web.Request) -> web.Response:
        text = blocks("html")[0].replace(SERVER, self.tapedeck).replace(MEETING, self.meeting)
        return web.Response(text=text, content_type="text/html")

    async def empty(self, _: web.Request) -> web.Response:
        script = "<script src='indicator.js'></script>"
        return web.Response(text=f"<!doctype html><title>Empty</title>{script}", content_type="text/html")

    async def script(self, _: web.Request) -> web.Response:
        return web.Response(text="\n".join(blocks("js")), content_type="text/javascript")

    async def token(self, _: web.Request) -> web.Response:
        self.tokens += 1
        return web.Response(text=token_for("guest", "PARTICIPANT", self.token_meeting, ttl=self.token_seconds))


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """An application on a free port."""
    application, app = Elsewhere(), web.Application()
    app.router.add_get("/", application.page)
    app.router.add_get("/empty", application.empty)
    app.router.add_get("/indicator.js", application.script)
    app.router.add_get("/recording-token", application.token)
    async with listening(app) as application.origin:
        yield application
