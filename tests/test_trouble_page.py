"""What a member reads in a real browser when a clip fails, is late, or cannot be posted."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.sandbox.browser import everywhere, opened_browser, page_at
from tests.town import NOT_CHARGED, Town
from tests.trouble import FAILED, LATE, WAITING, troubled

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = 'article[data-author="animate-bot"]'


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with troubled(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> "AsyncIterator[Browser]":
    async with opened_browser() as opened:
        yield opened


@everywhere
@pytest.mark.parametrize(
    ("title", "words"),
    [
        pytest.param(FAILED, ["Try a different one.", NOT_CHARGED], id="failed"),
        pytest.param(
            LATE,
            ["still being made", "I'll post it here and mention you", "$0.1848 is held."],
            id="late",
        ),
        pytest.param(
            WAITING,
            [
                "View Channel, Send Messages and Attach Files",
                "Who manages this server can give me that",
                "Your clip is safe, and comes by itself then",
                "$0.1848 is paid; trying again is free.",
            ],
            id="not postable",
        ),
    ],
)
async def test_trouble_is_told_with_its_cause_what_to_do_and_what_it_costs(
    here: Town, browser: "Browser", size: tuple[int, int], title: str, words: list[str]
) -> None:
    async with page_at(f"{here.discord.url}/#studio", browser, size) as page:
        card = page.locator(CARD, has_text=title)
        await card.scroll_into_view_if_needed()
        text = " ".join((await card.inner_text()).split())
        assert "Mia used /animate" in text
        for one in words:
            assert one in text
        assert await card.get_by_text(title).is_visible()
        assert await page.locator(CARD, has=page.locator("video")).count() == 0


async def test_what_could_not_be_posted_is_there_as_soon_as_the_bot_may(
    here: Town, browser: "Browser"
) -> None:
    async with page_at(f"{here.discord.url}/#studio", browser, (1280, 800)) as page:
        await page.locator(CARD, has_text=WAITING).wait_for()
        await here.deny("studio")
        clip = page.locator(CARD, has=page.locator("video"))
        await clip.wait_for()
        assert "your clip is ready" in await clip.inner_text()
        await page.locator(CARD, has_text=WAITING).wait_for(state="detached")
