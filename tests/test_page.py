"""The local Discord's page in a real browser, with the real bot behind it: pick, attach, watch."""

import base64
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot.sandbox.person import Person
from tests.sandbox.browser import DESKTOP, everywhere, opened_browser, page_at
from tests.town import NOT_CHARGED, Town, photo_file, town

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOT = 'article[data-author="animate-bot"]'


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town with the bot in it, whose video service renders for real."""
    async with town(tmp_path_factory.mktemp("town"), is_rendering=True) as made, made.bot():
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> "AsyncIterator[Browser]":
    async with opened_browser() as opened:
        yield opened


def page_of(
    here: Town, browser: "Browser", size: tuple[int, int]
) -> "AbstractAsyncContextManager[Page]":
    """Open the studio, as Mia."""
    return page_at(f"{here.discord.url}/#studio", browser, size)


async def send_animate(page: "Page", content: bytes, filename: str) -> None:
    """Pick `/animate` from the picker, attach a file, send."""
    await page.get_by_label("Message #studio").press_sequentially("/ani")
    await page.get_by_role("option").filter(has_text="/animate").click()
    file = {"name": filename, "mimeType": "image/png", "buffer": content}
    await page.get_by_label("image", exact=True).set_input_files(file)  # type: ignore[arg-type]
    await page.get_by_role("button", name="Send /animate").click()


async def watch(page: "Page", clip: "Locator") -> None:
    """Play a clip as a person does, and see that it goes on."""
    video = clip.locator("video")
    await video.scroll_into_view_if_needed()
    assert await video.evaluate("video => video.paused")
    await video.click()
    handle = await video.element_handle()
    await page.wait_for_function("video => video.currentTime > 0.3 && !video.paused", arg=handle)
    shown = await video.evaluate("video => [video.videoWidth, video.videoHeight, video.duration]")
    assert shown == [1280, 720, pytest.approx(5, abs=0.05)]


@everywhere
async def test_a_person_picks_the_command_attaches_a_picture_and_watches_the_clip(
    here: Town, browser: "Browser", size: tuple[int, int]
) -> None:
    before = len(here.posts)
    async with page_of(here, browser, size) as page:
        await send_animate(page, photo_file(1600, 900), "holiday.png")
        clip = page.locator(f"{BOT}:has(video)").nth(before)
        assert "Mia your clip is ready" in await clip.inner_text()
        await watch(page, clip)

        status = page.locator(BOT, has_text="✅ Done").nth(before)
        assert "Mia used /animate" in " ".join((await status.inner_text()).split())
    assert len(here.posts) == before + 1


@everywhere
async def test_a_refusal_is_seen_by_its_sender_alone_and_can_be_dismissed(
    here: Town, browser: "Browser", size: tuple[int, int]
) -> None:
    async with Person(here.discord.url, "Noah") as noah, page_of(here, browser, size) as page:
        await page.get_by_label("Message #studio").wait_for()
        private = page.locator(f'{BOT}[data-flags="64"]')
        before = await private.count()
        await send_animate(page, b"this is not a picture", "cat.png")
        refusal = private.nth(before)
        text = await refusal.inner_text()
        assert "Can't read that file" in text
        assert NOT_CHARGED in text
        assert "Only you can see this" in text
        shown = await refusal.get_attribute("data-message-id")
        assert shown not in [message["id"] for message in noah.everything()]
        assert await page.get_by_text("is thinking…").count() == 0

        await refusal.get_by_text("Dismiss message").click()
        await refusal.wait_for(state="detached")


async def test_a_picture_that_is_dropped_on_the_page_goes_into_the_command(
    here: Town, browser: "Browser"
) -> None:
    before = len(here.posts)
    async with page_of(here, browser, DESKTOP) as page:
        await page.get_by_label("Message #studio").wait_for()
        await page.evaluate(
            """content => {
                const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], "dropped.png", {type: "image/png"}));
                dispatchEvent(new DragEvent("drop", {dataTransfer, bubbles: true}));
            }""",
            base64.b64encode(photo_file(1600, 900)).decode(),
        )
        await page.get_by_role("button", name="Use it with /animate").click()
        await page.get_by_role("button", name="Send /animate").click()
        await page.locator(f"{BOT}:has(video)").nth(before).wait_for()


async def test_the_command_can_be_filled_in_and_sent_with_the_keyboard_alone(
    here: Town, browser: "Browser"
) -> None:
    async with page_of(here, browser, DESKTOP) as page:
        await page.get_by_label("Message #studio").press_sequentially("/animate")
        await page.get_by_role("option").first.wait_for()
        await page.keyboard.press("Enter")
        image = page.get_by_label("image", exact=True)
        await image.wait_for(state="attached")
        assert await image.evaluate("input => input === document.activeElement")
        await page.get_by_role("button", name="Send /animate").focus()
        await page.keyboard.press("Enter")  # without a picture
        await page.get_by_role("alert").filter(has_text="required").first.wait_for()
