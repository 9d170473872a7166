"""What a browser shows when a link of a problem is followed."""

import pytest
from playwright.async_api import Page

from tests.acceptance.running import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_problem_is_explained_in_a_page(page: Page, server: RunningServer) -> None:
    await page.goto(f"{server.url}/errors/recording_already_active")
    assert await page.locator("code").first.inner_text() == "recording_already_active"
