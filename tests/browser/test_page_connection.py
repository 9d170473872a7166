"""The operators' page when the server goes, refuses, or is in trouble: it says so, and comes back by itself."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Page, Route, expect

from server.auth import mint_token
from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, RunningServer, token_for
from tests.browser.desk import Desk
from tests.listening import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER_SECRET = "another-secret-of-the-acceptance-tests-also-long-enough"


@pytest_asyncio.fixture(loop_scope="module")
async def steady(fresh: Fresh) -> AsyncIterator[RunningServer]:
    """A server that keeps its port when it is started again."""
    yield await fresh(PORT=str(free_port()))


async def test_it_comes_back_after_a_restart_with_what_happened_meanwhile(
    page: Page, steady: RunningServer, http: ClientSession
) -> None:
    caller = Client(http, steady)
    await caller.start("through")
    desk = await Desk(page, steady).enter()
    await expect(desk.live_row("through")).to_contain_text("recording")
    await steady.stop()
    banner = page.locator("[data-banner=connection]")
    await expect(banner).to_contain_text("Connection lost")
    await expect(desk.connection).to_have_text("Connection lost")
    await page.route("**/api/v1/events*", lambda route: route.abort())
    await steady.start()
    await caller.stop("through")
    await caller.start("meanwhile")
    await expect(desk.live_row("through")).to_have_count(1)
    await page.unroute("**/api/v1/events*")
    await expect(desk.connection).to_have_text("Live")
    await expect(banner).to_have_count(0)
    await expect(desk.live_row("meanwhile")).to_contain_text("recording")
    await expect(desk.live_row("through")).to_have_count(0)
    await expect(desk.recent_row("through")).to_contain_text("completed")


async def test_a_refused_token_is_asked_for_anew_and_the_place_is_kept(
    page: Page, steady: RunningServer, http: ClientSession
) -> None:
    caller = Client(http, steady)
    recording = await caller.start("kept")
    desk = await Desk(page, steady).enter(address=f"#/recordings/{recording['id']}")
    await expect(desk.story.filter(has_text="It records")).to_have_count(1)
    await steady.stop()
    rotated = RunningServer(steady.data_dir, PORT=steady.url.rpartition(":")[2], TAPEDECK_JWT_SECRET=OTHER_SECRET)
    await rotated.start()
    try:
        reason = page.locator("#sign-in-reason")
        await expect(reason).to_have_text(
            "The server refused this token: the token's signature is wrong. "
            "Sign in again, and the page goes on where it was."
        )
        await expect(page.get_by_label("Token")).to_be_focused()
        await expect(page.get_by_role("heading", name="kept")).to_be_visible()
        await desk.sign_in(token_for("anna", operator=True))
        await expect(reason).to_have_text("The server refused this token: the token's signature is wrong")
        await desk.sign_in(mint_token(OTHER_SECRET, sub="anna", meetings={"*": "HOST"}, operator=True))
        await expect(desk.connection).to_have_text("Live")
        await expect(page.locator("#sign-in")).to_be_hidden()
        await page.get_by_role("button", name="Stop recording").click()
        await page.get_by_role("dialog").get_by_role("button", name="Stop recording").click()
        await expect(desk.story.filter(has_text="It is complete")).to_have_count(1)
    finally:
        await rotated.stop()


async def test_a_busy_server_is_tried_again_when_it_or_its_user_asks_to(page: Page, server: RunningServer) -> None:
    refusals = 0

    async def refuse_once(route: Route) -> None:
        nonlocal refusals
        refusals += 1
        if refusals > 1:
            return await route.fallback()
        problem = (
            '{"code":"overloaded","title":"The server has too much to do","detail":"A queue is full.","status":503}'
        )
        await route.fulfill(
            status=503, headers={"Retry-After": "3600"}, content_type="application/problem+json", body=problem
        )

    await page.route("**/api/v1/events*", refuse_once)
    desk = Desk(page, server)
    await desk.open()
    await desk.sign_in()
    await expect(page.locator("[data-banner=connection]")).to_contain_text("A queue is full.")
    await page.get_by_role("button", name="Try now").click()
    await expect(desk.connection).to_have_text("Live")
    assert refusals == 2


async def test_an_unanswered_start_is_repeated_with_its_key_and_done_once(
    page: Page, server: RunningServer, host: Client
) -> None:
    keys: list[str] = []

    async def lose_the_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            return await route.fallback()
        await route.fetch()
        await route.abort()

    await page.route("**/recording/start", lose_the_answer)
    desk = await Desk(page, server).enter()
    await desk.start("once")
    await expect(desk.start_dialog.locator(".problem")).to_contain_text("The server does not answer")
    await desk.start_dialog.get_by_role("button", name="Start").click()
    await expect(desk.start_dialog).to_be_hidden()
    assert len(keys) == 2
    assert len(set(keys)) == 1
    _, listed, _ = await host.call("GET", "/api/v1/meetings/once/recordings")
    assert listed["total"] == 1
    await host.stop("once")


async def test_it_says_what_is_simulated_and_what_is_in_trouble(page: Page, server: RunningServer) -> None:
    detail = "<b>401</b> wrong credentials"

    async def troubled(route: Route) -> None:
        response = await route.fetch()
        report = await response.json()
        report["status"] = "degraded"
        report["checks"]["agora"].update(ok=False, detail=detail)
        await route.fulfill(response=response, json=report)

    desk = await Desk(page, server).enter()
    modes = page.locator("[data-banner=modes]")
    for mode in ("agora-simulated", "storage-local", "database-embedded"):
        await expect(modes.locator(f"[data-mode={mode}]")).to_be_visible()
    await page.route("**/readyz", troubled)
    await desk.open("?again")
    banner = page.locator("[data-banner=check-agora]")
    await expect(banner).to_contain_text(f"Agora is in trouble: {detail}")
    await page.unroute("**/readyz")
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(banner).to_have_count(0)
