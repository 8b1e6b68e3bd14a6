"""The bot is killed fifty times with money in the air: in the end the accounts equal the bill.

Each life of the bot takes one wish and is killed from outside, by a local server, at one moment of
it. What is checked at each death is the file on the disk and the video service's own ledger.
"""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.accounts import Accounts
from bot.database import Database
from tests.conftest import UNLIMITED
from tests.town import NO_LIMITS, PRICE, Town, photo_file, town

DEATHS = 25
"""In each of the two windows."""


@dataclass(frozen=True, slots=True)
class Blow:
    """Who kills the bot, at which request, and whether before or after it took effect."""

    server: str
    match: dict[str, str]
    when: str

    def order(self, here: Town, pid: int) -> str:
        """Have the server do it, once."""
        trouble = here.trouble_at_discord if self.server == "discord" else here.trouble_at_runware
        return trouble(do="kill", pid=pid, match=self.match, when=self.when)


STATUS = {"method": "PATCH", "path": "/messages/@original"}
SUBMIT = {"label": "videoInference"}
LOOK = {"label": "getResponse"}

HOLD_TO_ANSWER = (
    Blow("discord", STATUS, "before"),
    Blow("discord", STATUS, "after"),
    Blow("runware", SUBMIT, "before"),
    Blow("runware", SUBMIT, "after"),
)
"""The hold is booked; neither the person nor we have heard yet."""
ANSWER_TO_SPEND = (
    Blow("runware", LOOK, "after"),
    Blow("runware", LOOK, "answered"),
)
"""The service has made the clip and billed it; we are just being told what it costs."""


@pytest.mark.timeout(300)  # half a minute, where nobody else is at work
async def test_the_accounts_equal_the_bill_however_often_the_bot_is_killed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with asyncio.TaskGroup() as both:  # a start keeps a processor busy
        for blows in (HOLD_TO_ANSWER, ANSWER_TO_SPEND):
            both.create_task(killed(tmp_path_factory.mktemp("town"), blows))


async def killed(folder: Path, blows: Sequence[Blow]) -> None:
    """Kill the bot over and over in one window, then let it live and compare all three books."""
    async with town(folder) as here:
        lives = deaths = 0
        while deaths < DEATHS:
            assert lives < 2 * DEATHS, "the blows miss their window"
            await life_and_death(here, blows[lives % len(blows)])
            lives += 1
            books = here.books()
            if books.held_micro == 0:
                continue  # the bot was quicker than the blow: a death, but not in the window
            deaths += 1
            assert books.held_micro == PRICE
            if blows is ANSWER_TO_SPEND:
                assert here.runware.ledger.billed_micro - books.spent_micro == PRICE

        async with here.bot(**NO_LIMITS) as process:
            books = await here.settled()
            await here.crash(process)

        assert books.states == ["delivered"] * lives
        assert all(books.of(job) == ["hold", "spend"] for job in books.jobs)
        assert books.held_micro == 0
        assert books.spent_micro == here.runware.ledger.billed_micro == lives * PRICE
        assert here.runware.ledger.accepted == len(here.posts) == lives
        assert here.trouble() == []
        async with Database(here.data) as database:
            assert await Accounts(database, UNLIMITED).discrepancies() == ()


async def life_and_death(here: Town, blow: Blow) -> None:
    """Live one life of the bot: it makes good what the last one left, and dies over a new wish."""
    async with here.bot(**NO_LIMITS) as process:
        if (here.data / "animate.db").exists():
            await here.settled()
        blow.order(here, process.pid)
        if blow.match is not LOOK:  # or the clip might be paid before the blow falls
            here.trouble_at_runware(do="stall", match=LOOK, seconds=30, times=None)
        await here.animate(photo_file())
        await asyncio.wait_for(process.wait(), 20)
        assert process.returncode == -signal.SIGKILL
        await here.mia.wait_for_bot(online=False)
        here.runware.faults.clear()
