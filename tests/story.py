"""What can be done with a clip, from first to last, as people do it in the page.

In one channel of a town, Mia has a picture of Noah's animated, has another clip made of it, looks,
deletes and looks back; Ada sets a limit, and Mia meets it.

`python -m tests.story FOLDER` saves a picture of each step, as on a desktop and on a phone, and the
one at the top of the README.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.demo import PICTURE
from tests.sandbox.browser import DESKTOP, PHONE, opened_browser, page_at
from tests.town import Town, town

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

BOT = 'article[data-author="animate-bot"][data-state="done"]'
CLIP = f"{BOT}:has(video)"
PRIVATE = f'{BOT}[data-flags="64"]'
_WITHIN = 90_000
"""Milliseconds that any step may take; none takes so long where nothing else runs."""

_CALM = 400
"""Milliseconds until nothing moves on the page any more."""

Look = Callable[["Page", str], Awaitable[None]]
"""Told the page and the name of what has just come about on it."""


@asynccontextmanager
async def pictured(
    folder: Path, photo: bytes, *, is_rendering: bool = False
) -> AsyncIterator[Town]:
    """Open a town where Noah has posted a picture, and the bot is at work."""
    async with (
        town(folder, is_rendering=is_rendering) as here,
        here.bot(),
        here.person("Noah") as noah,
    ):
        await noah.send("First light, from the hut", await noah.attach(photo, "first-light.jpg"))
        yield here


def studio(here: Town) -> str:
    """Where the story begins, as Mia."""
    return f"{here.discord.url}/?as=Mia#studio"


@dataclass(frozen=True, slots=True)
class Story:
    """What people do on one page, step by step; each returns when its end can be seen."""

    page: "Page"
    look: Look

    # --- Mia has a clip made ---------------------------------------------------------------------

    async def animate(self) -> "Locator":
        """Choose *Animate* from the menu of Noah's picture; return the clip."""
        picture = self.page.locator('article[data-author="noah"]')
        await picture.scroll_into_view_if_needed()
        await picture.hover()
        await picture.get_by_label("More", exact=True).click()
        await self._entry("Apps")
        await self.page.get_by_role("menuitem", name="Animate", exact=True).wait_for()
        await self.look(self.page, "menu")
        await self._entry("Animate")
        clip = await self._shown(CLIP, 0)
        await self.look(self.page, "clip")
        return clip

    async def again(self, clip: "Locator") -> "Locator":
        """Have another one made of the same picture; return it."""
        await self._press(clip, "Again")
        other = await self._shown(CLIP, 1)
        await self.look(self.page, "again")
        return other

    async def info(self, clip: "Locator") -> str:
        """Read what is known of a clip."""
        said = await self._answer(lambda: self._press(clip, "Info"))
        await self.look(self.page, "info")
        return said

    async def delete(self, clip: "Locator") -> str:
        """Delete a clip, and see it go."""
        gone = self.page.locator(f'article[data-message-id="{await _id(clip)}"]')
        said = await self._answer(lambda: self._press(clip, "Delete"))
        await gone.wait_for(state="detached")
        await self.look(self.page, "delete")
        return said

    async def history(self) -> str:
        """Look back, and pick the newest clip from the list."""
        listed = await self._answer(lambda: self.command("/history"))
        await self.look(self.page, "history")
        panel = self.page.locator(PRIVATE).last
        await panel.locator(".select").click()
        await self.page.get_by_role("option").first.click()
        await panel.get_by_role("button", name="Back").wait_for()
        await self.look(self.page, "history-one")
        return f"{listed} {await words(panel)}"

    async def usage(self) -> str:
        """Ask what is left."""
        said = await self._answer(lambda: self.command("/usage me"))
        await self.look(self.page, "usage")
        return said

    # --- Ada sets a limit, and Mia meets it ------------------------------------------------------

    async def limit(self, amount: str) -> str:
        """Limit what each member may spend in a month."""
        said = await self._answer(lambda: self.command("/quota set everyone", "month", amount))
        await self.look(self.page, "quota")
        return said

    async def wish_in_vain(self, clip: "Locator") -> str:
        """Ask for one more clip, and read why there is none."""
        said = await self._answer(lambda: self._press(clip, "Again"))
        await self.look(self.page, "refused")
        return said

    # --- How people get about --------------------------------------------------------------------

    async def become(self, name: str) -> None:
        """Act as somebody else, by the switch below the channels."""
        drawer = self.page.get_by_role("button", name="Channels", exact=True)
        if await drawer.is_visible():
            await drawer.click()
        await self.page.get_by_title("Act as somebody else").click()
        await self.page.get_by_role("menuitemradio", name=re.compile(f"^{name} ")).click()
        await self.page.wait_for_url(re.compile(f"as={name}"))
        await self.page.locator("#me", has_text=name).wait_for(state="attached")

    async def command(self, name: str, *values: str) -> None:
        """Send a command, with its required options in their order."""
        await self.page.get_by_label("Message #studio").press_sequentially(f"{name} ")
        await self.page.get_by_role("button", name=f"Send {name}", exact=True).wait_for()
        for value in values or ("",):  # Enter goes to the next field, and behind the last it sends
            await self.page.keyboard.type(value)
            await self.page.keyboard.press("Enter")

    async def _entry(self, name: str) -> None:
        await self.page.get_by_role("menuitem", name=name, exact=True).click()

    async def _press(self, message: "Locator", button: str) -> None:
        await message.get_by_role("button", name=button).click()

    async def _answer(self, ask: Callable[[], Awaitable[None]]) -> str:
        """Do something that is answered in private; return what is said."""
        before = await self.page.locator(PRIVATE).count()
        await ask()
        return await words(await self._shown(PRIVATE, before))

    async def _shown(self, what: str, number: int) -> "Locator":
        """Wait for a message; return it by its id, whatever comes before it or goes."""
        found = self.page.locator(what).nth(number)
        await found.wait_for()
        return self.page.locator(f'article[data-message-id="{await _id(found)}"]')


async def _id(message: "Locator") -> str:
    return await message.get_attribute("data-message-id") or ""


async def words(message: "Locator") -> str:
    """What a person reads of a message."""
    return " ".join((await message.inner_text()).split())


async def begun(page: "Page", look: Look) -> Story:
    """Begin the story on a page."""
    page.set_default_timeout(_WITHIN)
    await page.locator('article[data-author="noah"] img').first.wait_for()
    return Story(page, look)


async def told_in_full(story: Story) -> dict[str, str]:
    """Live through all of it; return what was said to people alone, by step."""
    first = await story.animate()
    second = await story.again(first)
    said = {
        "info": await story.info(second),
        "delete": await story.delete(first),
        "history": await story.history(),
        "usage": await story.usage(),
    }
    await story.become("Ada")
    said["limit"] = await story.limit("0.50")
    await story.become("Mia")
    said["refusal"] = await story.wish_in_vain(second)
    return said


async def nobody_looks(page: "Page", name: str) -> None:
    """Save no picture."""
    del page, name


@dataclass(slots=True)
class Album:
    """Saves what comes about on the page of a device, in its order."""

    folder: Path
    device: str
    count: int = 0

    async def __call__(self, page: "Page", name: str) -> None:
        """Wait until nothing moves, and save it with the newest message in sight."""
        self.count += 1
        await _let_go(page)
        missed = page.locator("#new-pill")
        if await missed.is_visible():
            await missed.click()
        await page.wait_for_function(
            "() => [...document.querySelectorAll('video')].every((video) => video.readyState > 2)"
        )
        await page.wait_for_timeout(_CALM)
        await page.screenshot(path=self.folder / f"{self.device}-{self.count:02}-{name}.png")


async def _let_go(page: "Page") -> None:
    """Have neither the pointer nor the keyboard on anything."""
    await page.mouse.move(0, 0)
    await page.evaluate("() => document.activeElement.blur()")


async def _save(folder: Path) -> None:
    async with opened_browser() as browser:
        for size, device in ((DESKTOP, "desktop"), (PHONE, "phone")):
            with tempfile.TemporaryDirectory() as name:
                photo = PICTURE.read_bytes()
                async with (
                    pictured(Path(name), photo, is_rendering=True) as here,
                    page_at(studio(here), browser, size) as page,
                ):
                    await told_in_full(await begun(page, Album(folder, device)))


async def _save_cover(folder: Path) -> None:
    """Save a finished `/animate` of the demo's picture, its clip playing."""
    with tempfile.TemporaryDirectory() as name:
        async with (
            town(Path(name), is_rendering=True) as here,
            here.bot(),
            opened_browser() as browser,
            page_at(studio(here), browser, DESKTOP) as page,
        ):
            page.set_default_timeout(_WITHIN)
            await here.animate(PICTURE.read_bytes(), PICTURE.name)
            video = page.locator(f"{CLIP} video")
            await video.click()
            await _let_go(page)
            await page.wait_for_function("() => document.querySelector('video').currentTime > 3.5")
            await page.screenshot(path=folder / "README.png")


async def _main(folder: Path) -> None:
    await _save_cover(folder)
    await _save(folder)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
