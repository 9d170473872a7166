"""Commands called as the entry point calls them, against a server that answers as the test has it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from server.cli import main
from tests.listening import listening


def called(*arguments: str) -> int:
    """The exit code."""
    with pytest.raises(SystemExit) as raised:
        main([*arguments])
    return int(raised.value.code or 0)


async def called_aside(*arguments: str) -> int:
    """The exit code. In a thread, since the server answers in this one."""
    return await asyncio.to_thread(called, *arguments)


@asynccontextmanager
async def answered_by(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """The URL of a server that has every request answered by that."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with listening(app) as url:
        yield url
