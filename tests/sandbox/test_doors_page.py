"""The page for what members bring and do: menus, forms, forwards, stickers, settings."""

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.person import Person
from tests.contract.test_discord_doors_contract import German, doors
from tests.sandbox.browser import DESKTOP, PHONE, everywhere, opened_browser, page_at
from tests.sandbox.discord_client import JSON, commands, connected, png
from tests.sandbox.test_discord_private import panelled

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

pytestmark = pytest.mark.asyncio(loop_scope="module")


def offering(bot: commands.Bot) -> None:
    """Give a bot a menu, a form, and a private panel."""
    doors(bot)
    panelled(bot)


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as running, connected(running, offering) as bot:
        await bot.tree.set_translator(German())
        await bot.tree.sync()
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def noah(server: LocalDiscord) -> AsyncIterator[Person]:
    async with Person(server.url, "Noah") as person:
        yield person


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> "AsyncIterator[Browser]":
    async with opened_browser() as opened:
        yield opened


def studio(server: LocalDiscord, who: str) -> str:
    """The address of the studio as one of the people."""
    return f"{server.url}/?as={who}#studio"


def article(page: "Page", message: JSON) -> "Locator":
    """A message on the page."""
    return page.locator(f'article[data-message-id="{message["id"]}"]')


async def open_menu(page: "Page", message: JSON) -> None:
    """Open the menu of a message by the button on it."""
    shown = article(page, message)
    await shown.scroll_into_view_if_needed()
    await shown.hover()
    await shown.get_by_label("More", exact=True).click()


async def pick(page: "Page", name: str) -> None:
    """Choose an entry of the menu that is open."""
    await page.get_by_role("menuitem", name=name, exact=True).click()


@everywhere
async def test_an_apps_menu_on_anothers_picture_brings_up_its_form(
    server: LocalDiscord, noah: Person, browser: "Browser", size: tuple[int, int]
) -> None:
    picture = await noah.send("look", await noah.attach(png(), "cat.png"))
    async with page_at(studio(server, "Mia"), browser, size) as page:
        await open_menu(page, picture)
        await pick(page, "Apps")
        shown = (
            await page.get_by_role("menu", name="Apps").get_by_role("menuitem").all_inner_texts()
        )
        assert [one.strip().split("\n")[-1] for one in shown] == [
            "Animate",
            "Animate with options…",
        ]
        await pick(page, "Animate with options…")
        form = page.locator("#modal")
        await form.get_by_label("What happens?").fill("jump")
        await form.get_by_label("10 seconds").check()
        await form.get_by_label("Spoiler").check()
        await form.get_by_label("Sure?").uncheck()
        await form.get_by_role("button", name="Submit").click()
        answer = page.locator("article", has_text="jump 10 False spoiler")
        assert "Only you can see this" in await answer.inner_text()


@everywhere
async def test_a_private_panel_is_used_in_its_place(
    server: LocalDiscord, browser: "Browser", size: tuple[int, int]
) -> None:
    async with page_at(studio(server, "Mia"), browser, size) as page:
        await page.get_by_label("Message #studio").press_sequentially("/panel ")
        await page.get_by_role("button", name="Send /panel").click()
        panel = page.locator('article[data-flags="64"]')
        await panel.get_by_role("button", name="Shape").click()
        await panel.get_by_role("button", name="Open picture: cut wide").wait_for()
        await panel.locator(".select").click()
        await page.get_by_role("option", name="First").click()
        await panel.get_by_text("picture 0").wait_for()
        assert await panel.locator(".select").count() == 0
        await panel.get_by_text("Dismiss message").click()
        await panel.wait_for(state="detached")


@everywhere
async def test_a_picture_is_forwarded_into_another_channel(
    server: LocalDiscord, noah: Person, browser: "Browser", size: tuple[int, int]
) -> None:
    picture = await noah.send("look", await noah.attach(png(800, 450), "cat.png"))
    async with page_at(studio(server, "Noah"), browser, size) as page:
        await open_menu(page, picture)
        await pick(page, "Forward")
        await pick(page, "#lobby · Night Owls")
        forward = await noah.wait_for(lambda one: "message_snapshots" in one)
        assert forward["channel_id"] == noah.channel_id("lobby")
        await page.goto(f"{server.url}/?as=Noah#lobby")
        box = article(page, forward).locator(".forwarded")
        assert "Forwarded" in await box.inner_text()
        edges = "part => part.getBoundingClientRect().right"
        assert await box.locator("img").evaluate(edges) <= size[0]
        await box.locator("a.forwarded-source").click()
        await article(page, picture).wait_for()
        assert await page.locator("#guild-name").text_content() == "Pixel Garden"


async def test_a_person_sends_a_spoiler_with_words_about_it_and_another_uncovers_it(
    server: LocalDiscord, noah: Person, browser: "Browser"
) -> None:
    async with page_at(studio(server, "Mia"), browser, DESKTOP) as page:
        file = {"name": "cat.png", "mimeType": "image/png", "buffer": png()}
        await page.get_by_label("Attach files").set_input_files(file)  # type: ignore[arg-type]
        await page.get_by_label("Spoiler: cat.png").click()
        await page.get_by_label("Describe cat.png").click()
        await page.get_by_label("Description (alt text)").fill("a red cat")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_label("Message #studio").press("Enter")
        message = await noah.sees("SPOILER_cat.png")
        assert message["attachments"][0]["description"] == "a red cat"
    async with page_at(studio(server, "Noah"), browser, DESKTOP) as page:
        shown = article(page, message)
        await shown.get_by_label("Show spoiler").click()
        await shown.get_by_role("button", name="Open picture: a red cat").click()
        await page.locator("#lightbox").get_by_text("a red cat").wait_for()


async def test_a_link_to_a_picture_and_a_sticker_are_shown(
    server: LocalDiscord, noah: Person, browser: "Browser"
) -> None:
    published = await noah.publish(png(), "postcard.png")
    async with page_at(studio(server, "Noah"), browser, DESKTOP) as page:
        await page.get_by_label("Message #studio").fill(published.picture)
        await page.get_by_label("Message #studio").press("Enter")
        posted = await noah.wait_for(lambda one: one["embeds"])
        picture = article(page, posted).locator("img")
        await picture.wait_for()
        assert await picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == 64
        assert published.picture not in await article(page, posted).inner_text()
        await page.get_by_role("button", name="Stickers").click()
        await page.get_by_role("button", name="Fern").click()
        await page.get_by_role("img", name="Sticker: Fern").wait_for()
        assert (await noah.wait_for(lambda one: "sticker_items" in one))["content"] == ""


@everywhere
async def test_an_author_edits_a_message_and_takes_a_picture_out(
    server: LocalDiscord, noah: Person, browser: "Browser", size: tuple[int, int]
) -> None:
    files = [await noah.attach(png(), name) for name in ("one.png", "two.png")]
    posted = await noah.send("two pictures", *files)
    async with page_at(studio(server, "Noah"), browser, size) as page:
        await open_menu(page, posted)
        await pick(page, "Edit Message")
        shown = article(page, posted)
        await shown.get_by_label("Remove one.png").click()
        await shown.get_by_label("Edit message").fill("one picture")
        await shown.get_by_label("Edit message").press("Enter")
        await shown.get_by_text("(edited)").wait_for()
        assert "one picture" in await shown.inner_text()
        assert await shown.locator(".media.image").count() == 1
        seen = await noah.seen(posted)
        assert [one["filename"] for one in seen["attachments"]] == ["two.png"]


async def test_a_moderator_sees_who_reacted_and_takes_a_reaction_off(
    server: LocalDiscord, noah: Person, browser: "Browser"
) -> None:
    posted = await noah.send("look")
    await noah.react(posted, "🎬")
    await noah.react(posted, "👍", burst=True)
    async with page_at(studio(server, "Kim"), browser, DESKTOP) as page:
        await open_menu(page, posted)
        await pick(page, "View Reactions")
        await page.get_by_label("Remove 🎬 of Noah").click()
        await page.get_by_label("Remove 🎬 of Noah").wait_for(state="detached")
        await page.locator("#settings").get_by_label("Close").click()
        assert await article(page, posted).locator(".reaction:not(.add)").all_inner_texts() == [
            "👍\n1"
        ]
        await open_menu(page, posted)
        await pick(page, "Remove All Reactions")
        await article(page, posted).locator(".reaction").first.wait_for(state="detached")


async def test_a_member_reads_commands_in_their_language_and_uses_them(
    server: LocalDiscord, browser: "Browser"
) -> None:
    async with page_at(studio(server, "Mia"), browser, DESKTOP) as page:
        await page.get_by_label("User Settings").click()
        await page.get_by_label("Language").select_option("de")
        await page.locator("#settings").get_by_label("Close").click()
        await page.get_by_label("Message #studio").press_sequentially("/looke")
        option = page.get_by_role("option").first
        assert (await option.inner_text()).split("\n")[:2] == ["AB", "/looke"]
        await option.click()
        await page.get_by_role("button", name="1 more options").click()
        await page.get_by_role("option", name="shapee").click()
        await page.get_by_label("shapee", exact=True).fill("1:1")
        await page.get_by_role("button", name="Send /looke").click()
        answer = page.locator('article[data-author="animate-bot"]', has_text="1:1")
        assert "Mia used /looke" in " ".join((await answer.inner_text()).split())


async def test_the_portals_switch_is_turned_in_the_page(
    server: LocalDiscord, browser: "Browser"
) -> None:
    async with page_at(studio(server, "Mia"), browser, DESKTOP) as page:
        await page.get_by_role("button", name="Developer Portal").click()
        switch = page.get_by_role("switch", name=re.compile("^Message Content Intent"))
        for on in (True, False):
            assert await switch.is_checked() is not on
            await switch.click()
            await page.wait_for_function("on => document.activeElement.checked === on", arg=on)
            assert server.limits.message_content_enabled is on


@everywhere
async def test_a_member_of_two_servers_goes_from_one_to_the_other_and_to_the_bot(
    server: LocalDiscord, browser: "Browser", size: tuple[int, int]
) -> None:
    async with page_at(studio(server, "Noah"), browser, size) as page:

        async def go(name: str, channel: str) -> None:
            if size == PHONE:
                await page.locator("#open-drawer").click()
            await page.get_by_role("navigation", name="Servers").get_by_label(name).click()
            await page.get_by_role("heading", level=1, name=channel).wait_for()

        await go("Night Owls", "lobby")
        assert await page.locator("#channels a").all_text_contents() == ["lobby", "night-studio"]
        await go("Direct Messages", "animate-bot")
        await page.get_by_label("Message @animate-bot").fill("hello")
        await page.get_by_label("Message @animate-bot").press("Enter")
        await page.locator("article", has_text="hello").wait_for()
        await go("Pixel Garden", "studio")


async def test_an_admin_takes_a_command_from_everybody_but_one_role(
    server: LocalDiscord, noah: Person, browser: "Browser"
) -> None:
    async with Person(server.url, "Mia") as mia:
        async with page_at(studio(server, "Ada"), browser, DESKTOP) as page:
            await page.locator("#guild-name").click()
            await pick(page, "Server Settings")
            await page.get_by_role("button", name="/look").click()
            await page.get_by_label("Deny: @everyone").click()
            await page.get_by_label("Allow: @Supporter").click()
            await page.get_by_role("button", name="2 of the server's own").wait_for()
        for person, allowed in ((noah, True), (mia, False)):
            look = await person.wait_for_command("look")
            assert (person.channel_id() in look["usable_in"]) is allowed


async def test_code_is_copied_with_its_button(
    server: LocalDiscord, noah: Person, browser: "Browser"
) -> None:
    posted = await noah.send("```\n/animate image:cat.png duration:10\n```")
    async with page_at(studio(server, "Mia"), browser, DESKTOP) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await article(page, posted).hover()
        await article(page, posted).get_by_label("Copy code").click()
        await page.get_by_text("Copied.").wait_for()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied == "/animate image:cat.png duration:10"
