"""`docs/indicator.md`, word for word, in a page of another origin, while the server is treated badly."""

import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, RunningServer
from tests.browser.elsewhere import Elsewhere, blocks, elsewhere
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEETING = "standup"
PATIENCE_MS = 30_000
NOT_RECORDING, RECORDING, LOST = "Not recording", "Recording", "(connection lost)"


@pytest_asyncio.fixture(loop_scope="module")
async def application() -> AsyncIterator[Elsewhere]:
    async with elsewhere() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def tapedeck(fresh: Fresh, application: Elsewhere) -> RunningServer:
    """A server on a port that it keeps, which the application's pages may call."""
    server = await fresh(**settings_for(application))
    application.tapedeck = server.url
    return server


def settings_for(application: Elsewhere) -> dict[str, str]:
    return {
        "PORT": str(free_port()),
        "TAPEDECK_HTTP__CORS_ORIGINS": f'["{application.origin}"]',
        "TAPEDECK_AUTH__LEEWAY_SECONDS": "0",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def host_of(server: RunningServer) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client(http, server)


async def shows(page: Page, text: str) -> None:
    await expect(page.locator("#indicator")).to_have_text(text, timeout=PATIENCE_MS)


async def test_the_function_is_short() -> None:
    assert len(blocks("js")[0].splitlines()) <= 60


async def test_two_recordings_in_sequence(page: Page, application: Elsewhere, tapedeck: RunningServer) -> None:
    await page.goto(application.origin)
    await shows(page, NOT_RECORDING)
    await page.evaluate(WATCH)
    async with host_of(tapedeck) as host:
        for _ in range(2):
            await started(host)
            await shows(page, RECORDING)
            await host.call("POST", f"/api/v1/meetings/{MEETING}/recording/stop", headers={"Prefer": "wait=0"})
    await shows(page, NOT_RECORDING)
    once = ["Recording begins", RECORDING, "Recording ends", NOT_RECORDING]
    assert await page.evaluate("window.shown") == once * 2


WATCH = """() => {
  const indicator = document.querySelector("#indicator");
  window.shown = [];
  new MutationObserver(() => {
    if (indicator.textContent !== window.shown.at(-1)) window.shown.push(indicator.textContent);
  }).observe(indicator, { childList: true });
}"""


async def started(host: Client) -> Any:
    """Start, as soon as the recording before leaves the meeting free: it may still be processed."""

    async def look() -> Any:
        path = f"/api/v1/meetings/{MEETING}/recording/start"
        status, recording, _ = await host.call("POST", path, headers={"Prefer": "wait=0"})
        return recording if status in (201, 202) else None

    return await eventually(look)


async def test_a_deploy_in_the_middle_of_a_recording(
    page: Page, application: Elsewhere, tapedeck: RunningServer
) -> None:
    await page.goto(application.origin)
    async with host_of(tapedeck) as host:
        await host.start(MEETING)
        await shows(page, RECORDING)
        await tapedeck.stop()
        await shows(page, f"{RECORDING} {LOST}")
        await tapedeck.start()
        await shows(page, RECORDING)
        await host.stop(MEETING)
    await shows(page, NOT_RECORDING)


async def test_a_server_that_is_killed_and_the_recording_ends_before_the_page_is_back(
    page: Page, application: Elsewhere, tapedeck: RunningServer
) -> None:
    await page.goto(application.origin)
    async with host_of(tapedeck) as host:
        await host.start(MEETING)
        await shows(page, RECORDING)
        await page.context.set_offline(True)
        await tapedeck.kill()
        await shows(page, f"{RECORDING} {LOST}")
        await tapedeck.start()
        await host.stop(MEETING)
        await shows(page, f"{RECORDING} {LOST}")
        await page.context.set_offline(False)
    await shows(page, NOT_RECORDING)


async def test_another_server_with_another_history_takes_the_place(
    page: Page, application: Elsewhere, tapedeck: RunningServer, fresh: Fresh
) -> None:
    frames: list[str] = []
    page.on("websocket", lambda opened: opened.on("framereceived", lambda frame: frames.append(str(frame))))
    await page.goto(application.origin)
    async with host_of(tapedeck) as host:
        await host.start(MEETING)
        await shows(page, RECORDING)
    await tapedeck.stop()
    port = tapedeck.url.rpartition(":")[2]
    other = await fresh(**{**settings_for(application), "PORT": port})
    await shows(page, NOT_RECORDING)
    assert any("stream.reset" in frame for frame in frames)
    async with host_of(other) as host:
        await host.start(MEETING)
        await shows(page, RECORDING)


async def test_a_token_that_expires_in_the_middle(page: Page, application: Elsewhere, tapedeck: RunningServer) -> None:
    application.token_seconds = 2
    await page.goto(application.origin)
    await shows(page, NOT_RECORDING)

    async def renewed() -> bool:
        return application.tokens >= 3

    await eventually(renewed)
    application.token_seconds = 3600
    async with host_of(tapedeck) as host:
        await host.start(MEETING)
    await shows(page, RECORDING)


async def test_a_server_that_falls_silent(page: Page, application: Elsewhere, tapedeck: RunningServer) -> None:
    await page.clock.install()
    await page.goto(application.origin)
    await shows(page, NOT_RECORDING)
    os.kill(tapedeck.pid, signal.SIGSTOP)
    try:
        await page.clock.fast_forward(20_000)
        await shows(page, NOT_RECORDING)
        await page.clock.fast_forward(6_000)
        await shows(page, f"{NOT_RECORDING} {LOST}")
    finally:
        os.kill(tapedeck.pid, signal.SIGCONT)
    await page.clock.fast_forward(30_000)
    await shows(page, NOT_RECORDING)


async def test_a_page_without_a_role_stays_away(page: Page, application: Elsewhere, tapedeck: RunningServer) -> None:
    application.token_meeting = "another"
    sockets: list[str] = []
    page.on("websocket", lambda opened: sockets.append(opened.url))
    await page.clock.install()
    await page.goto(application.origin)
    await shows(page, f"{NOT_RECORDING} {LOST}")
    await page.clock.fast_forward(120_000)
    assert len(sockets) == application.tokens == 1
