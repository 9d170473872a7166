"""The operators' page, handled with real clicks: from the first sign-in to a file that plays."""

import json
import re
from typing import Any, Literal

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.acceptance.running import Client, RunningServer, token_for
from tests.browser.desk import Desk
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = "<img src=x onerror=document.body.remove()>"
TURNED = "ann\N{RIGHT-TO-LEFT OVERRIDE}a"


async def test_a_recording_from_its_start_to_its_sound(page: Page, server: RunningServer) -> None:
    desk = await Desk(page, server).enter()
    await desk.start("standup")
    row = desk.live_row("standup")
    await expect(row).to_contain_text("recording")
    await expect(row.locator(".elapsed")).to_have_text(re.compile("0:0[2-9]|0:[1-9][0-9]"))
    await desk.stop("standup")
    await expect(row).to_have_count(0)
    await expect(desk.recent_row("standup")).to_contain_text("completed")

    await desk.recent_row("standup").get_by_role("link").click()
    steps = desk.story
    await expect(steps.first).to_contain_text("Recording was asked for")
    await expect(steps.filter(has_text="It records")).to_contain_text(
        "Evidence: Agora reported that its recorder has begun (event 40)"
    )
    await expect(steps.last).to_contain_text("Its manifest was written")
    end = steps.filter(has_text="It is complete")
    await expect(end).to_contain_text("1 MP4 of")
    raw = end.locator("pre")
    await expect(raw).to_be_hidden()
    await end.get_by_text("Data", exact=True).click()
    assert json.loads(await raw.inner_text())["type"] == "recording.completed"

    await page.get_by_role("button", name="Play MP4").click()
    player = page.locator("audio")
    await eventually(lambda: player.evaluate("(player) => player.currentTime > 0.3"))
    assert ".mp4?" in await player.evaluate("(player) => player.currentSrc")


async def test_what_somebody_else_does_is_seen_at_once(
    page: Page, server: RunningServer, operator: Client, host: Client
) -> None:
    desk = await Desk(page, server).enter()
    recording = await host.start("elsewhere")
    await expect(desk.live_row("elsewhere")).to_contain_text("recording")
    await operator.call("POST", f"/api/v1/recordings/{recording['id']}/stop")
    await expect(desk.recent_row("elsewhere")).to_contain_text("stopped by an operator")
    await expect(page.locator("#announcer")).to_have_text("elsewhere: completed")


async def test_what_comes_from_outside_is_text(page: Page, server: RunningServer, host: Client) -> None:
    recording = await active(host, "m-hostile", {"externalId": HOSTILE, "metadata": {HOSTILE: HOSTILE}})
    desk = await Desk(page, server).enter()
    await expect(desk.live_row("m-hostile").locator(".external")).to_have_text(HOSTILE)
    await desk.live_row("m-hostile").get_by_role("link").click()
    await expect(page.locator(".facts pre")).to_contain_text(HOSTILE)
    assert await page.locator("img[src=x]").count() == 0
    await host.stop("m-hostile")
    await host.in_state(recording["id"], "completed")


async def test_no_name_turns_the_words_behind_it(page: Page, server: RunningServer, host: Client) -> None:
    recording = await host.start("m-turned", {"onBehalfOf": TURNED})
    desk = await Desk(page, server).enter()
    await expect(desk.live_row("m-turned").locator(".by")).to_have_text("ann\N{REPLACEMENT CHARACTER}a")
    await desk.live_row("m-turned").get_by_role("link").click()
    await expect(desk.story.first).to_contain_text("By ann\N{REPLACEMENT CHARACTER}a. The wish is stored")
    await host.stop("m-turned")
    await host.in_state(recording["id"], "completed")


async def test_filters_narrow_the_list_and_stand_in_the_address(
    page: Page, server: RunningServer, host: Client
) -> None:
    for meeting in ("filter-a", "filter-b"):
        await active(host, meeting, {"externalId": f"id-of-{meeting}"})
        await host.stop(meeting)
    desk = await Desk(page, server).enter()
    await expect(desk.recent_row("filter-b")).to_have_count(1)
    await desk.filters.get_by_label("External id").fill("id-of-filter-a")
    await page.keyboard.press("Enter")
    await expect(desk.recent_row("filter-b")).to_have_count(0)
    await expect(desk.recent_row("filter-a")).to_have_count(1)
    await desk.filters.get_by_label("Completeness").select_option("partial")
    await expect(desk.recent.get_by_text("No recording fits.")).to_be_visible()
    assert page.url.endswith("#/?completeness=partial&externalId=id-of-filter-a")
    await page.get_by_role("button", name="Clear").click()
    await expect(desk.recent_row("filter-b")).to_have_count(1)
    await desk.open("#/?status=completed&meetingId=filter-b")
    await expect(desk.recent.locator("[data-recording]")).to_have_count(1)
    await expect(desk.filters.get_by_label("Status")).to_have_value("completed")


async def test_a_long_list_is_loaded_by_pages(page: Page, server: RunningServer, host: Client) -> None:
    for number in range(2):
        await host.start(f"page-{number}")
        await host.stop(f"page-{number}")

    async def short(route: Route) -> None:
        url = route.request.url
        await route.continue_(url=f"{url}{'&' if '?' in url else '?'}limit=1")

    await page.route(lambda url: "/api/v1/recordings?" in url and "limit=" not in url, short)
    await page.route(lambda url: url.endswith("/api/v1/recordings"), short)
    desk = await Desk(page, server).enter()
    await expect(desk.recent.locator("[data-recording]")).to_have_count(1)
    await expect(desk.recent_row("page-1")).to_have_count(1)
    await page.get_by_role("button", name="Load older ones").click()
    await expect(desk.recent_row("page-0")).to_have_count(1)


async def test_a_refusal_is_told_with_its_title_detail_and_code(
    page: Page, server: RunningServer, host: Client
) -> None:
    await host.start("twice")
    desk = await Desk(page, server).enter()
    await desk.start("twice")
    problem = desk.start_dialog.locator(".problem")
    await expect(problem).to_contain_text("A recording is live already")
    await expect(problem.locator("a", has_text="recording_already_active")).to_have_attribute(
        "href", "/errors/recording_already_active"
    )
    await page.keyboard.press("Escape")
    await expect(desk.start_dialog).to_be_hidden()
    await host.stop("twice")


async def test_a_filter_that_is_none_is_told_once(page: Page, server: RunningServer) -> None:
    await Desk(page, server).enter(address="#/?status=bogus")
    problem = page.locator("#notices .problem")
    await expect(problem).to_contain_text("Some values are not allowed")
    assert (await problem.inner_text()).count("Input should be") == 1


async def test_no_stop_without_a_yes(page: Page, server: RunningServer, host: Client) -> None:
    recording = await host.start("unsure")
    desk = await Desk(page, server).enter()
    await page.get_by_role("button", name="Stop recording unsure").click()
    await page.get_by_role("button", name="Keep recording").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert (await host.recording(recording["id"]))["live"] is True
    await desk.stop("unsure")
    await expect(desk.live_row("unsure")).to_have_count(0)


async def test_the_token_stays_in_the_tab_and_out_of_addresses(page: Page, server: RunningServer) -> None:
    token = token_for("anna", operator=True)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    await Desk(page, server).enter(token)
    assert await page.evaluate("[...Object.values(sessionStorage)]") == [token]
    assert await page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert addresses
    assert not [address for address in addresses if token in address]
    await expect(page.locator("#account")).to_contain_text("anna")
    await expect(page.locator("#account")).to_contain_text("operator · HOST everywhere")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Token")).to_be_focused()
    await expect(page.locator("#overview")).to_be_hidden()
    assert await page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize(
    ("token", "told"), [("nonsense", "This is not a token"), (token_for("anna", ttl=-3600), "has expired")]
)
async def test_a_bad_token_is_refused_with_its_reason(page: Page, server: RunningServer, token: str, told: str) -> None:
    desk = Desk(page, server)
    await desk.open()
    await desk.sign_in(token)
    await expect(page.locator("#sign-in-reason")).to_contain_text(told)
    await expect(page.locator("#overview")).to_be_hidden()


async def test_who_is_host_of_a_meeting_sees_and_stops_it(page: Page, server: RunningServer, host: Client) -> None:
    await host.start("not-hers")
    desk = await Desk(page, server).enter(token_for("hanna", "HOST", "hers"))
    await desk.start("hers")
    await expect(desk.live_row("hers")).to_contain_text("recording")
    await expect(page.get_by_text("not-hers")).to_have_count(0)
    await desk.stop("hers")
    await expect(desk.recent_row("hers")).to_contain_text("completed")
    await host.stop("not-hers")


async def test_who_takes_part_sees_and_plays_and_can_do_no_more(
    page: Page, server: RunningServer, host: Client
) -> None:
    await host.start("heard", {"externalId": "secret"})
    desk = await Desk(page, server).enter(token_for("paul", "PARTICIPANT", "heard"))
    await expect(desk.live_row("heard")).to_contain_text("recording")
    await expect(page.get_by_text("secret")).to_have_count(0)
    await expect(page.get_by_role("button", name="Start a recording")).to_be_hidden()
    await expect(page.get_by_role("button", name="Stop recording heard")).to_be_hidden()
    await host.stop("heard")
    await desk.recent_row("heard").get_by_role("link").click()
    await expect(page.get_by_text("The history is shown to hosts and operators.")).to_be_visible()
    await expect(page.get_by_role("button", name="Play MP4")).to_be_visible()


async def test_a_service_token_follows_any_meeting(page: Page, server: RunningServer, host: Client) -> None:
    await host.start("any-one")
    desk = Desk(page, server)
    await desk.open()
    await desk.sign_in(token_for("service"))
    await page.get_by_label("Meeting to follow").fill("any-one")
    await page.keyboard.press("Enter")
    await expect(desk.live_row("any-one")).to_contain_text("recording")
    await host.stop("any-one")
    await expect(desk.recent_row("any-one")).to_contain_text("completed")


async def test_by_keyboard_alone(page: Page, server: RunningServer) -> None:
    desk = Desk(page, server)
    await desk.open()
    await page.keyboard.type(token_for("anna", operator=True))
    await page.keyboard.press("Enter")
    await expect(desk.connection).to_have_text("Live")
    start = page.get_by_role("button", name="Start a recording")
    await tab_to(page, start)
    assert await start.evaluate("(button) => getComputedStyle(button).outlineStyle") == "solid"
    await page.keyboard.press("Enter")
    await page.keyboard.type("by-keyboard")
    await page.keyboard.press("Enter")
    await expect(desk.live_row("by-keyboard")).to_contain_text("recording")
    await expect(start).to_be_focused()
    await tab_to(page, page.get_by_role("button", name="Stop recording by-keyboard"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Keep recording")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(desk.recent_row("by-keyboard")).to_contain_text("completed")
    await tab_to(page, desk.recent_row("by-keyboard").get_by_role("link"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="by-keyboard")).to_be_focused()


async def test_light_and_dark_can_be_read(page: Page, server: RunningServer) -> None:
    await Desk(page, server).enter()
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme)
        paper, ink, soft = await page.evaluate(
            """() => [getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color,
                getComputedStyle(document.querySelector('.rights')).color]"""
        )
        assert (luminance(paper) > 0.5) is (scheme == "light")
        assert contrast(paper, ink) > 10
        assert contrast(paper, soft) > 4.5


async def test_it_fits_a_small_screen(page: Page, server: RunningServer, host: Client) -> None:
    await page.set_viewport_size({"width": 360, "height": 700})
    recording = await active(host, "x" * 64, {"channelName": "small"})
    desk = await Desk(page, server).enter()
    await expect(desk.live_row("x" * 64)).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await host.stop("x" * 64)
    await desk.open(f"#/recordings/{recording['id']}")
    await expect(desk.story.filter(has_text="It is complete")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def active(host: Client, meeting: str, body: dict[str, Any]) -> Any:
    """A recording that captures, so that something comes of it."""
    recording = await host.start(meeting, body)
    return await host.in_state(recording["id"], "active")


async def tab_to(page: Page, element: Locator) -> None:
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await element.evaluate("(each) => each === document.activeElement"):
            return
    raise AssertionError("not to be reached by the key Tab")


def luminance(color: str) -> float:
    """Relative luminance of a computed colour (WCAG 2.2)."""
    parts = [int(part) / 255 for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
