"""Which provider a base URL is: asked by `GET /_simulator/info`, for a while, before anything else is started."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from server import provider
from server.config import Config, ConfigError, load_config
from server.provider import find_mode
from tests.listening import listening

CREDENTIALS = {"AGORA_APP_ID": "app", "AGORA_CUSTOMER_ID": "customer", "AGORA_CUSTOMER_SECRET": "hush-hush"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def host() -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Starts something that answers at a base URL."""
    async with AsyncExitStack() as stack:

        async def start(handler: Handler) -> str:
            app = web.Application()
            app.router.add_get("/_simulator/info", handler)
            return await stack.enter_async_context(listening(app))

        yield start


async def simulator(_: web.Request) -> web.Response:
    return web.json_response({"simulator": "tapedeck", "version": "1"})


def at(url: str, **environ: str) -> Config:
    return load_config(None, {"AGORA_BASE_URL": url, **environ})


async def test_agoras_own_domains_are_not_asked() -> None:
    assert await find_mode(Config()) == "embedded"


@pytest.mark.parametrize("environ", [{}, CREDENTIALS])
async def test_a_simulator_needs_no_credentials_and_takes_them(
    host: Callable[..., Awaitable[str]], environ: dict[str, str]
) -> None:
    assert await find_mode(at(await host(simulator), **environ)) == "elsewhere"
    assert await find_mode(at(f"{await host(simulator)}/", **environ)) == "elsewhere"


async def test_a_simulator_is_not_real(host: Callable[..., Awaitable[str]]) -> None:
    with pytest.raises(ConfigError, match="TAPEDECK_REQUIRE_REAL refuses the Agora simulator"):
        await find_mode(at(await host(simulator), TAPEDECK_REQUIRE_REAL="true"))


async def missing(_: web.Request) -> web.Response:
    raise web.HTTPNotFound


async def another(_: web.Request) -> web.Response:
    return web.json_response({"simulator": "of others"})


async def page(_: web.Request) -> web.Response:
    return web.Response(text="<html>", content_type="text/html")


async def bytes_only(_: web.Request) -> web.Response:
    return web.Response(body=b"\xff\xfe", content_type="application/json")


async def a_list(_: web.Request) -> web.Response:
    return web.json_response(["tapedeck"])


@pytest.mark.parametrize("handler", [missing, another, page, bytes_only, a_list])
async def test_whatever_else_answers_is_taken_for_agora(host: Callable[..., Awaitable[str]], handler: Handler) -> None:
    """And Agora cannot write to this host's disk."""
    url = await host(handler)
    with pytest.raises(ConfigError, match="live Agora needs S3"):
        await find_mode(at(url, **CREDENTIALS))
    with pytest.raises(ConfigError, match="live Agora needs S3"):
        await find_mode(at(url))


async def test_one_that_comes_later_is_waited_for(
    host: Callable[..., Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections break off at first, as those of one that is being started."""
    monkeypatch.setattr(provider, "PAUSE_SECONDS", 0.01)
    asked = 0

    async def at_last(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked < 3:
            assert request.transport is not None
            request.transport.abort()
        return await simulator(request)

    assert await find_mode(at(await host(at_last))) == "elsewhere"
    assert asked == 3


async def test_one_that_never_comes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "ASK_SECONDS", 0.1)
    monkeypatch.setattr(provider, "PAUSE_SECONDS", 0.01)
    with pytest.raises(ConfigError, match=r"^AGORA_BASE_URL: http://127.0.0.1:1 does not answer: \w+$"):
        await find_mode(at("http://127.0.0.1:1", **CREDENTIALS))
