"""A recording that fails stands on top of the page with its reason, and its story says what was tried."""

import pytest
from playwright.async_api import Page, expect

from tests.acceptance.conftest import Fresh
from tests.browser.desk import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_failure_is_on_top_with_its_reason(page: Page, fresh: Fresh) -> None:
    server = await fresh(
        TAPEDECK_SIMULATOR__FAULTS='{"session.never_active": 1}', TAPEDECK_RECORDING__STARTING_DEADLINE_SECONDS="3"
    )
    desk = await Desk(page, server).enter()
    await desk.start("silent")
    failure = desk.row(desk.failures, "silent")
    await expect(failure).to_contain_text("The recorder was not seen to start in time.")
    await expect(failure).to_contain_text("never_started")
    await expect(failure).to_contain_text("starting again may help")
    above, below = await page.locator("#failures-section").bounding_box(), await desk.recent.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] < below["y"]
    await page.get_by_role("link", name="All failures").click()
    await expect(desk.filters.get_by_label("Status")).to_have_value("failed")
    await expect(desk.recent_row("silent")).to_contain_text("failed")
    await failure.get_by_role("link").click()
    await expect(page.locator("#detail .problem")).to_contain_text("The recorder was not seen to start in time.")
    await expect(desk.story.last).to_contain_text("It failed")
    await expect(desk.story.filter(has_text="A stop was asked for")).to_contain_text("it never began")
