"""The page with a tree of commands: who sees them, filling them in, and their private answers."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.person import Person
from tests.sandbox.browser import DESKTOP, PHONE, everywhere, opened_browser, page_at
from tests.sandbox.clerk import RECORDS, clerk
from tests.sandbox.discord_client import connected

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWER = 'article[data-author="animate-bot"][data-state="done"]'


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as running, connected(running, clerk):
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> "AsyncIterator[Browser]":
    async with opened_browser() as opened:
        yield opened


def studio(server: LocalDiscord, who: str) -> str:
    """The address of the studio as one of the people."""
    return f"{server.url}/?as={who}#studio"


async def listed(page: "Page") -> list[str]:
    """Say which commands the picker lists."""
    await page.get_by_label("Message #studio").fill("")
    await page.get_by_label("Message #studio").press_sequentially("/")
    await page.get_by_role("option").first.wait_for()
    return await page.get_by_role("option").locator(".option-label").all_inner_texts()


async def use(page: "Page", command: str) -> "Locator":
    """Use a command that needs no options, and return its answer."""
    before = await page.locator(ANSWER).count()
    await page.get_by_label("Message #studio").press_sequentially(f"{command} ")
    await page.get_by_role("button", name=f"Send {command}").click()
    answer = page.locator(ANSWER).nth(before)
    await answer.wait_for()
    return answer


async def test_the_picker_lists_what_a_person_may_use_as_soon_as_they_may(
    server: LocalDiscord, browser: "Browser"
) -> None:
    everybodys = ["/usage archive show", "/usage export", "/usage me"]
    managers = ["/quota set", "/quota timezone", "/quota view"]
    async with (
        Person(server.url, "Ada") as ada,
        page_at(studio(server, "Ada"), browser, DESKTOP) as for_ada,
        page_at(studio(server, "Mia"), browser, DESKTOP) as for_mia,
    ):
        assert await listed(for_ada) == [*managers, *everybodys]
        assert await listed(for_mia) == everybodys
        await ada.control("PATCH", "member", {"user_id": ada.person_id("Mia"), "roles": ["Admin"]})
        await for_mia.get_by_role("option").filter(has_text="/quota set").wait_for()
        assert "Admin" in await for_mia.locator("#me").inner_text()


@everywhere
async def test_a_subcommand_is_filled_in_with_the_keyboard(
    server: LocalDiscord, browser: "Browser", size: tuple[int, int]
) -> None:
    async with page_at(studio(server, "Ada"), browser, size) as page:
        await page.get_by_label("Message #studio").press_sequentially("/quota se")
        await page.get_by_role("option").first.wait_for()
        await page.keyboard.press("Enter")
        await page.get_by_role("option").filter(has_text="animate-bot").first.wait_for()
        await page.keyboard.type("@sup")
        assert await page.get_by_role("option").all_inner_texts() == ["@Supporter"]
        await page.keyboard.press("Enter")
        await page.keyboard.type("101")
        await page.keyboard.press("Enter")
        await page.get_by_role("alert").filter(has_text="Must be at most 100.").wait_for()
        await page.keyboard.press("Backspace")
        await page.get_by_role("button", name="2 more options").click()
        await page.get_by_role("option").filter(has_text="per").click()
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        answer = page.locator(ANSWER)
        await answer.wait_for()
        assert "role @Supporter 10 w 1.0" in await answer.inner_text()
        assert "Ada used /quota set" in " ".join((await answer.inner_text()).split())


async def test_an_option_that_the_bot_completes_says_when_nothing_fits(
    server: LocalDiscord, browser: "Browser"
) -> None:
    async with page_at(studio(server, "Ada"), browser, DESKTOP) as page:
        await page.get_by_label("Message #studio").press_sequentially("/quota timezone ")
        zone = page.get_by_role("combobox", name="zone")
        await zone.press_sequentially("nowhere")
        await page.get_by_text("No options match your search.").wait_for()
        await zone.fill("ber")
        await page.get_by_role("option", name="Europe / Berlin").click()
        await page.get_by_role("button", name="Send /quota timezone").click()
        assert "Europe/Berlin" in await page.locator(ANSWER).inner_text()


@everywhere
async def test_a_private_report_is_shown_whole_to_its_reader(
    server: LocalDiscord, browser: "Browser", size: tuple[int, int]
) -> None:
    async with page_at(studio(server, "Ada"), browser, size) as page:
        report = await use(page, "/usage me")
        picture = report.locator(".embed-image img")
        await picture.scroll_into_view_if_needed()
        await page.wait_for_function(
            "picture => picture.complete", arg=await picture.element_handle()
        )
        assert await picture.evaluate("picture => picture.naturalWidth") == 800
        edges = "part => [part.getBoundingClientRect().left, part.getBoundingClientRect().right]"
        left, right = await report.locator(".embed").evaluate(edges)
        inner_left, inner_right = await picture.evaluate(edges)
        assert left < inner_left < inner_right < right <= size[0]
        text = " ".join((await report.inner_text()).split())
        assert "@Ada, a new day begins" in text
        assert "@Staff @Admin" in text
        assert "Only you can see this" in text
        await report.get_by_role("button", name="/usage me").click()
        await page.get_by_role("button", name="Send /usage me").wait_for()


async def test_a_private_export_can_be_downloaded(server: LocalDiscord, browser: "Browser") -> None:
    async with page_at(studio(server, "Mia"), browser, PHONE) as page:
        export = await use(page, "/usage export")
        card = export.locator('.file-card[data-filename="usage.csv"]')
        assert f"{len(RECORDS)} bytes" in await card.inner_text()
        beginning = export.get_by_label("Beginning of usage.csv")
        await beginning.filter(has_text="2026-11-10,Noémie,10").wait_for()
        height = "part => part.getBoundingClientRect().height"
        low = await beginning.evaluate(height)
        await export.get_by_role("button", name="Expand").click()
        assert await beginning.evaluate(height) > low
        async with page.expect_download() as coming:
            await card.get_by_label("Download usage.csv").click()
        download = await coming.value
        assert download.suggested_filename == "usage.csv"
        assert (await download.path()).read_bytes() == RECORDS


async def test_an_admin_gives_and_takes_a_role_in_the_page(
    server: LocalDiscord, browser: "Browser"
) -> None:
    async with (
        Person(server.url, "Mia") as mia,
        page_at(studio(server, "Ada"), browser, DESKTOP) as page,
    ):
        for given in (["Staff"], []):
            await page.locator("#members .member", has_text="Mia").click(button="right")
            await page.get_by_role("menuitem", name="Roles").click()
            await page.get_by_role("menuitemcheckbox", name="Staff").click()
            await mia.wait_for_roles("Mia", *given)
        assert await page.get_by_role("menuitemcheckbox").count() == 0
