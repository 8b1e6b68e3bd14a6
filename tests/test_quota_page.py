"""Quotas in a real browser: an admin sets limits and sees what was spent, a member meets them."""

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot.sandbox.person import Person
from tests.sandbox.browser import everywhere, opened_browser, page_at
from tests.town import CLIP_WITHIN, JSON, NOT_CHARGED, PRICE, Town, photo_file, told, town

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = 'article[data-author="animate-bot"][data-state="done"][data-flags="64"]'


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town in which Mia has had two clips and Noah one."""
    async with town(tmp_path_factory.mktemp("town")) as made, made.bot():
        async with Person(made.discord.url, "Noah") as noah:
            for person in (made.mia, made.mia, noah):
                started = await made.animate(photo_file(), who=person)
                await person.wait_for_reply(started, CLIP_WITHIN)
        await made.settled()
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> "AsyncIterator[Browser]":
    async with opened_browser() as opened:
        yield opened


async def use(page: "Page", command: str, *values: str) -> "Locator":
    """Use a command with the keyboard alone, and return the bot's private answer."""
    before = await page.locator(PRIVATE).count()
    await page.get_by_label("Message #studio").press_sequentially(f"{command} ")
    await page.get_by_role("button", name=f"Send {command}").wait_for()
    for value in values:
        await page.keyboard.type(value)
        await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    answer = page.locator(PRIVATE).nth(before)
    await answer.wait_for()
    return answer


async def words(answer: "Locator") -> str:
    """What a person reads of an answer."""
    return " ".join((await answer.inner_text()).split())


def studio(here: Town, who: str) -> str:
    return f"{here.discord.url}/?as={who}#studio"


@everywhere
async def test_an_admin_sets_a_limit_and_looks_at_what_holds_and_what_was_spent(
    here: Town, browser: "Browser", size: tuple[int, int]
) -> None:
    async with page_at(studio(here, "Ada"), browser, size) as page:
        box = page.get_by_label("Message #studio")
        await box.press_sequentially("/quota")
        await page.get_by_role("option").first.wait_for()
        offered = await page.get_by_role("option").locator(".option-label").all_inner_texts()
        assert {"/quota set everyone", "/quota explain", "/quota view"} <= set(offered)
        await box.fill("")

        said = await words(await use(page, "/quota set everyone", "month", "0.50"))
        assert "✅ Limit set Each member: $0.50 a month." in said
        said = await words(await use(page, "/quota explain", "Mia"))
        assert "@Mia This month · $0.1304 left of $0.50" in said
        assert "$0.3696 spent · this server's default · resets in" in said
        assert "Held by clips in progress nothing" in said

        said = await words(await use(page, "/quota grant", "Mia", "250", "meant 2.50"))
        assert "✅ Credit given @Mia has $250.00 more" in said
        said = await words(await use(page, "/quota revoke", "Mia", "a slip of the hand"))
        assert "✅ Credit revoked $250.00 of @Mia's credit is gone." in said
        said = await words(await use(page, "/quota changes"))
        assert "@Mia: $250.00 credit revoked" in said
        assert "· @Ada · a slip of the hand @Mia: $250.00 credit" in said

        report = await use(page, "/usage server")
        picture = report.locator("img[alt*='Mia']")
        await picture.scroll_into_view_if_needed()
        await page.wait_for_function(
            "picture => picture.complete && picture.naturalWidth > 0",
            arg=await picture.element_handle(),
        )
        assert "📊 Spent this month $0.5544 spent. @Mia $0.3696, @Noah $0.1848" in await words(
            report
        )

        export = await use(page, "/usage export")
        card = export.locator(".file-card")
        assert (await card.get_attribute("data-filename") or "").endswith(".csv")
        beginning = export.get_by_label("Beginning of accounts-")
        await beginning.filter(has_text="time,day,kind,member,job,held,spent").wait_for()


@everywhere
async def test_a_member_sees_what_is_left_and_is_refused_in_the_words_of_that_limit(
    here: Town, browser: "Browser", size: tuple[int, int]
) -> None:
    async with Person(here.discord.url, "Ada") as ada:
        limit = await ada.command("quota set everyone", limit="month", amount="0.50")
        assert "Each member: $0.50 a month." in told(await ada.wait_for_reply(limit))
    before = len(here.books().jobs)
    async with page_at(studio(here, "Mia"), browser, size) as page:
        box = page.get_by_label("Message #studio")
        await box.press_sequentially("/quota")
        assert await page.get_by_role("option").count() == 0
        await box.fill("")

        said = await words(await use(page, "/usage me"))
        assert "💳 What you can use here This month · $0.1304 left of $0.50" in said
        assert "set by the bot's owner" in said

        refusals = page.locator(PRIVATE)
        shown = await refusals.count()
        await box.press_sequentially("/animate ")
        file = {"name": "photo.png", "mimeType": "image/png", "buffer": photo_file()}
        await page.get_by_label("image", exact=True).set_input_files(file)  # type: ignore[arg-type]
        await page.get_by_role("button", name="Send /animate").click()
        refusal = refusals.nth(shown)
        await refusal.wait_for()
        said = await words(refusal)
        assert "🚫 Monthly limit reached You have $0.1304 left of $0.50 this month" in said
        assert "($0.3696 is spent), and this clip needs $0.1848. It resets in" in said
        assert NOT_CHARGED in said
    assert len(here.books().jobs) == before
    assert here.books().spent_micro == here.runware.ledger.billed_micro == 3 * PRICE


def answers(status: JSON, message: JSON) -> bool:
    """Whether a message has the clips that a status message told of."""
    about = message.get("message_reference") or {}
    return bool(message["attachments"]) and about.get("message_id") == status["id"]


async def test_what_is_left_is_told_under_a_clip_until_an_admin_turns_it_off(here: Town) -> None:
    async with Person(here.discord.url, "Ada") as ada:
        for shown in (False, True):
            answer = await ada.wait_for_reply(await ada.command("quota receipts", shown=shown))
            assert "✅ Receipts" in told(answer)
            limit = await ada.command("quota set member", member=ada.id, limit="month", amount="9")
            await ada.wait_for_reply(limit)
            started = await here.animate(photo_file(), who=ada)
            status = await ada.wait_for_reply(started, CLIP_WITHIN)
            clip = await ada.wait_for(partial(answers, status), CLIP_WITHIN)
            assert ("left this month, resets" in told(clip)) is shown
            assert "$0.1848" in told(clip)
