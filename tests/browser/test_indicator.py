"""`docs/indicator.md`, word for word, in a page of another origin, while the server is treated badly."""

import itertools
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, RunningServer, serving, token_for
from tests.browser.elsewhere import Elsewhere, blocks, elsewhere
from tests.listening import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBERS = itertools.count(1)
NOT_RECORDING, RECORDING, LOST = "Not recording", "Recording", "(connection lost)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages() -> AsyncIterator[Elsewhere]:
    async with elsewhere() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tapedeck(pages: Elsewhere) -> AsyncIterator[RunningServer]:
    """A server on a port that it keeps, which the application's pages may call."""
    async with serving(**settings_for(pages, free_port())) as server:
        pages.tapedeck = server.url
        yield server


@pytest.fixture
def application(pages: Elsewhere, tapedeck: RunningServer) -> Elsewhere:
    """The application as it is at first, with a meeting that is new."""
    pages.meeting = f"standup-{next(NUMBERS)}"
    pages.tokens, pages.token_seconds, pages.token_meeting = 0, 3600, "*"
    return pages


def settings_for(application: Elsewhere, port: int) -> dict[str, str]:
    return {
        "PORT": str(port),
        "TAPEDECK_HTTP__CORS_ORIGINS": f'["{application.origin}"]',
        "TAPEDECK_AUTH__LEEWAY_SECONDS": "0",
    }


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _impatient(page: Page) -> None:
    """Chance is on our side: the waits between two tries are short."""
    await page.add_init_script("Math.random = () => 0.1")


@asynccontextmanager
async def host_of(server: RunningServer) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client(http, server)


async def shows(page: Page, text: str) -> None:
    await expect(page.locator("#indicator")).to_have_text(text)


async def test_the_page_is_short() -> None:
    script = blocks("html")[0].partition("<script>")[2].partition("</script>")[0]
    assert len((blocks("js")[0] + script.strip()).splitlines()) <= 60


async def test_two_recordings_in_sequence(page: Page, application: Elsewhere, tapedeck: RunningServer) -> None:
    await page.goto(application.origin)
    await shows(page, NOT_RECORDING)
    await page.evaluate(WATCH)
    async with host_of(tapedeck) as host:
        for _ in range(2):
            await started(host, application.meeting)
            await shows(page, RECORDING)
            await host.call(
                "POST", f"/api/v1/meetings/{application.meeting}/recording/stop", headers={"Prefer": "wait=0"}
            )
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


async def started(host: Client, meeting: str) -> Any:
    """Start, as soon as the recording before leaves the meeting free: it may still be processed."""

    async def look() -> Any:
        path = f"/api/v1/meetings/{meeting}/recording/start"
        status, recording, _ = await host.call("POST", path, headers={"Prefer": "wait=0"})
        return recording if status in (201, 202) else None

    return await eventually(look)


async def test_a_deploy_in_the_middle_of_a_recording(
    page: Page, application: Elsewhere, tapedeck: RunningServer
) -> None:
    await page.goto(application.origin)
    async with host_of(tapedeck) as host:
        await host.start(application.meeting)
        await shows(page, RECORDING)
        await tapedeck.stop()
        await shows(page, f"{RECORDING} {LOST}")
        await tapedeck.start()
        await shows(page, RECORDING)
        await host.stop(application.meeting)
    await shows(page, NOT_RECORDING)


async def test_a_server_that_is_killed_and_the_recording_ends_before_the_page_is_back(
    page: Page, application: Elsewhere, tapedeck: RunningServer
) -> None:
    await page.goto(application.origin)
    async with host_of(tapedeck) as host:
        await host.start(application.meeting)
        await shows(page, RECORDING)
        await page.context.set_offline(True)
        await tapedeck.kill()
        await shows(page, f"{RECORDING} {LOST}")
        await tapedeck.start()
        await host.stop(application.meeting)
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
        await host.start(application.meeting)
        await shows(page, RECORDING)
        await host.stop(application.meeting)
        await started(host, application.meeting)
        await shows(page, RECORDING)
    await tapedeck.stop()
    other = await fresh(**settings_for(application, int(tapedeck.url.rpartition(":")[2])))
    await shows(page, NOT_RECORDING)
    assert sum("stream.reset" in frame for frame in frames) == 1
    async with host_of(other) as host:
        await host.start(application.meeting)
        await shows(page, RECORDING)
    await other.stop()
    await tapedeck.start()
    await shows(page, RECORDING)
    assert sum("stream.reset" in frame for frame in frames) == 2


async def test_a_token_that_expires_in_the_middle(page: Page, application: Elsewhere, tapedeck: RunningServer) -> None:
    application.token_seconds = 2
    await page.goto(application.origin)
    await shows(page, NOT_RECORDING)

    async def renewed() -> bool:
        return application.tokens >= 3

    await eventually(renewed)
    application.token_seconds = 3600
    async with host_of(tapedeck) as host:
        await host.start(application.meeting)
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
    application.token_meeting = "another-one"
    sockets: list[str] = []
    page.on("websocket", lambda opened: sockets.append(opened.url))
    await page.clock.install()
    await page.goto(application.origin)
    await shows(page, f"{NOT_RECORDING} {LOST}")
    await page.clock.fast_forward(120_000)
    assert len(sockets) == application.tokens == 1


async def test_an_event_source_comes_back_by_itself_and_misses_nothing(
    page: Page, application: Elsewhere, tapedeck: RunningServer
) -> None:
    await follow_by_event_source(page, application)
    async with host_of(tapedeck) as host:
        recording = await started(host, application.meeting)
        await host.in_state(recording["id"], "active")
        await tapedeck.stop()
        await tapedeck.start()
        await host.stop(application.meeting)
        await told(page, recording["id"], "completed")
    assert await page.evaluate("window.events.map(event => event.sequence)") == list(range(6))
    assert application.tokens == 1


async def test_an_event_source_whose_token_expires_goes_on_with_a_new_one(
    page: Page, application: Elsewhere, tapedeck: RunningServer
) -> None:
    application.token_seconds = 2
    await follow_by_event_source(page, application)

    async def renewed() -> bool:
        return application.tokens >= 2

    await eventually(renewed)
    application.token_seconds = 3600
    async with host_of(tapedeck) as host:
        recording = await started(host, application.meeting)
        await host.in_state(recording["id"], "active")
        await host.stop(application.meeting)
        await told(page, recording["id"], "completed")
    types = await page.evaluate("window.events.map(event => event.type)")
    assert types.count("recording.snapshot") == 1
    assert await page.evaluate("window.events.map(event => event.sequence)") == list(range(len(types)))


async def follow_by_event_source(page: Page, application: Elsewhere) -> None:
    await page.goto(f"{application.origin}/empty")
    await page.evaluate(
        """([server, meetingId]) => {
          window.events = [];
          const fetchToken = async () => (await fetch("/recording-token")).text();
          followWithEventSource({ server, meetingId, fetchToken, take: (event) => window.events.push(event) });
        }""",
        [application.tapedeck, application.meeting],
    )
    await page.wait_for_function("window.events.length")


async def told(page: Page, recording_id: str, state: str) -> None:
    """The page has been told that the recording is in that state."""
    await page.wait_for_function(
        "([id, state]) => window.events.some(({ data: { recording } }) => recording?.id === id && recording.state === state)",
        arg=[recording_id, state],
    )


async def test_a_page_understands_why_its_websocket_is_refused(
    page: Page, application: Elsewhere, tapedeck: RunningServer
) -> None:
    await page.goto(f"{application.origin}/empty")
    events = f"/api/v1/meetings/{application.meeting}/events"
    token = token_for("guest", "PARTICIPANT", application.meeting)
    expired = token_for("guest", ttl=-1)
    stranger = token_for("guest", "HOST", "another-one")
    assert await refusal(page, tapedeck, events) == [4401, "unauthenticated"]
    assert await refusal(page, tapedeck, f"{events}?access_token={expired}") == [4401, "unauthenticated"]
    assert await refusal(page, tapedeck, f"{events}?access_token={stranger}") == [4403, "not_found"]
    assert await refusal(page, tapedeck, f"/api/v1/events?access_token={token}") == [4403, "forbidden"]
    assert await refusal(page, tapedeck, f"{events}?heartbeat=5&access_token={token}") == [4403, "validation_failed"]
    assert await refusal(page, tapedeck, f"{events}?access_token={'x' * 8200}") == [4403, "uri_too_long"]
    await page.goto(f"{application.origin.replace('127.0.0.1', 'localhost')}/empty")
    assert await refusal(page, tapedeck, f"{events}?access_token={token}") == [4403, "forbidden"]


async def refusal(page: Page, server: RunningServer, path: str) -> Any:
    """Close code and reason, as the page sees them."""
    return await page.evaluate(
        """(url) => new Promise((resolve) => {
          new WebSocket(url).onclose = ({ code, reason }) => resolve([code, reason]);
        })""",
        server.url.replace("http", "ws") + path,
    )
