"""What a member sees when things go wrong: a clip that failed, one that is late, one that is paid
and cannot be posted; all in one channel of a town.

`python -m tests.trouble FOLDER` saves pictures of the page, as on a desktop and on a phone.
"""

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from bot.pace import LATE_AFTER
from bot.sandbox.runware.outcomes import Outcome
from tests.sandbox.browser import DESKTOP, PHONE, opened_browser, page_at
from tests.town import Town, photo_file, town

FAILED, LATE, WAITING = (
    "The video service declined this",
    "Taking longer than usual",
    "Finished, but I can't post it here",
)
"""The titles of the three, in the order in which they are in the channel."""
_RENDERING = 1.0


@asynccontextmanager
async def troubled(folder: Path) -> AsyncIterator[Town]:
    """Open a town where all three have happened to Mia, and the bot is at work."""
    async with town(folder) as here:
        for outcome in (
            Outcome(next="moderated"),
            Outcome(next="never"),
            Outcome(next="success", render_seconds=_RENDERING),
        ):
            here.runware.outcomes.add(outcome)
        async with here.bot():
            failed = await here.status(await here.animate(photo_file()))
            await here.says(failed, FAILED)
            late = await here.status(await here.animate(photo_file(1600, 900)))
            await here.says(late, "Animating")
        _let_time_pass(here)
        async with here.bot():
            await here.says(late, LATE)
            waiting = await here.status(await here.animate(photo_file(900, 900)))
            await here.deny("studio", "ATTACH_FILES")
            await here.says(waiting, WAITING)
            yield here


def _let_time_pass(here: Town) -> None:
    """Have the bot have been down for so long that what was in the making is late."""
    path = here.data / "animate.db"
    with closing(sqlite3.connect(path)) as db, db:
        times = ("created_at", "updated_at", "due_at")
        changes = ", ".join(f"{time} = {time} - {(LATE_AFTER + 60) * 1000}" for time in times)
        db.execute(f"UPDATE jobs SET {changes} WHERE state = 'rendering'")


async def _save(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        async with troubled(Path(name)) as here, opened_browser() as browser:
            for size, device in ((DESKTOP, "desktop"), (PHONE, "phone")):
                async with page_at(f"{here.discord.url}/#studio", browser, size) as page:
                    await page.get_by_text(WAITING).wait_for()
                    await page.screenshot(path=folder / f"trouble-{device}.png")


if __name__ == "__main__":
    asyncio.run(_save(Path(sys.argv[1])))
