"""Chromium, as Debian ships it, with a page of its own for each test; what goes wrong on the page fails the test."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.acceptance.conftest import fresh, host, http, kind, operator, server

__all__ = ["browser", "fresh", "host", "http", "kind", "operator", "page", "page_errors", "server"]

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
PATIENCE_MS = 30_000
"""What a loaded machine may take; nothing waits so long when all is well."""
expect.set_options(timeout=PATIENCE_MS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A headless browser without a profile. Its tests run in the loop of their module."""
    program = shutil.which("chromium")
    assert program, "these tests need Debian's package chromium, which `make test` installs"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield started
        await started.close()


@pytest.fixture
def page_errors() -> list[str]:
    """Exceptions of the page and refusals of its content security policy; a test that expects some empties it."""
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, page_errors: list[str]) -> AsyncIterator[Page]:
    """An empty page. Requests that fail are the test's business, exceptions of scripts never are expected."""
    opened = await browser.new_page()
    opened.on("pageerror", lambda error: page_errors.append(str(error)))
    opened.on("console", lambda message: _note(message, page_errors))
    yield opened
    await opened.close()
    assert page_errors == []


def _note(message: ConsoleMessage, errors: list[str]) -> None:
    if "Content Security Policy" in message.text:
        errors.append(message.text)
