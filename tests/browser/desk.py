"""The operators' page as its user handles it: by labels, names and keys."""

from playwright.async_api import Locator, Page, expect

from tests.acceptance.running import RunningServer, token_for


class Desk:
    """One page that shows one server."""

    def __init__(self, page: Page, server: RunningServer) -> None:
        self.page = page
        self.server = server
        self.connection = page.locator("#connection")
        self.live = page.locator("#live")
        self.recent = page.locator("#recent")
        self.failures = page.locator("#failures")
        self.story = page.locator(".story > li")
        self.filters = page.get_by_role("form", name="Filters")
        self.start_dialog = page.get_by_role("dialog", name="Start a recording")

    async def open(self, address: str = "") -> None:
        await self.page.goto(f"{self.server.url}/{address}")

    async def sign_in(self, token: str | None = None) -> None:
        """As an operator who is host everywhere, unless told otherwise."""
        await self.page.get_by_label("Token").fill(token or token_for("anna", operator=True))
        await self.page.get_by_role("button", name="Sign in").click()

    async def enter(self, token: str | None = None, address: str = "") -> "Desk":
        """Open, sign in, be live."""
        await self.open(address)
        await self.sign_in(token)
        await expect(self.connection).to_have_text("Live")
        return self

    async def start(self, meeting: str) -> None:
        await self.page.get_by_role("button", name="Start a recording").click()
        await self.start_dialog.get_by_label("Meeting").fill(meeting)
        await self.start_dialog.get_by_role("button", name="Start").click()

    async def stop(self, meeting: str) -> None:
        await self.page.get_by_role("button", name=f"Stop recording {meeting}").click()
        await self.page.get_by_role("dialog").get_by_role("button", name="Stop recording").click()

    def live_row(self, meeting: str) -> Locator:
        return self.row(self.live, meeting)

    def recent_row(self, meeting: str) -> Locator:
        return self.row(self.recent, meeting)

    def row(self, place: Locator, meeting: str) -> Locator:
        link = self.page.get_by_role("link", name=meeting, exact=True)
        return place.locator("[data-recording]").filter(has=link)
