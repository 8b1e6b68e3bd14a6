"""Pictures of one member: one at a time, and not too many that are refused."""

import asyncio
from pathlib import Path

import pytest

from bot import image
from bot.errors import NotAccepting, PictureProblem, PictureRefused, PicturesPaused
from bot.framing import Size
from bot.intake import in_a_thread
from bot.turnstile import MOST_REFUSED, SLOW_COUNTS, WITHIN, Places, Turnstile
from bot.wish import Fit
from tests.conftest import NOON, Clock
from tests.corridor import ask, world
from tests.town import until

MIA, NOAH = 30, 31


async def refused(
    turnstile: Turnstile, problem: PictureProblem = PictureProblem.DAMAGED, member: int = MIA
) -> None:
    with pytest.raises(PictureRefused):
        async with turnstile.passing(member, asyncio.Lock()):
            raise PictureRefused(problem)


async def passed(turnstile: Turnstile, member: int = MIA, places: Places | None = None) -> None:
    async with turnstile.passing(member, places or asyncio.Lock()):
        pass


async def test_a_members_second_picture_waits_for_their_first_and_for_nobody_elses() -> None:
    turnstile = Turnstile(Clock())
    async with turnstile.passing(MIA, asyncio.Lock()):
        second = asyncio.create_task(passed(turnstile))
        await passed(turnstile, NOAH)
        await asyncio.sleep(0)
        assert not second.done()
    await second


async def test_after_several_refused_ones_in_a_minute_the_next_is_not_even_looked_at() -> None:
    clock = Clock()
    turnstile = Turnstile(clock)
    for _ in range(MOST_REFUSED):
        await passed(turnstile)
        await refused(turnstile)
    with pytest.raises(PicturesPaused) as paused:
        await passed(turnstile)
    assert paused.value.until == NOON // 1000 + WITHIN
    await passed(turnstile, NOAH)

    clock.forward(seconds=WITHIN)
    await passed(turnstile)


async def test_what_waits_behind_the_last_one_refused_is_not_looked_at_either() -> None:
    turnstile = Turnstile(Clock())
    tries = (refused(turnstile) for _ in range(MOST_REFUSED + 3))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    paused = [one for one in outcomes if isinstance(one, PicturesPaused)]
    assert (outcomes.count(None), len(paused)) == (MOST_REFUSED, 3)


async def test_slow_ones_count_more() -> None:
    turnstile = Turnstile(Clock())
    for _ in range(MOST_REFUSED // SLOW_COUNTS):
        await refused(turnstile, PictureProblem.UNSAFE)
    with pytest.raises(PicturesPaused):
        await passed(turnstile)


async def test_what_discord_does_not_hand_over_counts_against_nobody() -> None:
    turnstile = Turnstile(Clock())
    for _ in range(2 * MOST_REFUSED):
        await refused(turnstile, PictureProblem.UNREACHABLE)
    await passed(turnstile)


async def test_slow_refusals_over_minutes_are_let_pass() -> None:
    clock = Clock()
    turnstile = Turnstile(clock)
    for _ in range(3 * MOST_REFUSED):
        await refused(turnstile)
        clock.forward(seconds=WITHIN / (MOST_REFUSED - 1))


async def test_once_it_is_shut_who_waits_hears_so_at_once_and_who_has_a_place_keeps_it() -> None:
    turnstile = Turnstile(Clock())
    places = asyncio.Semaphore(1)
    async with turnstile.passing(MIA, places):
        behind_her_own = asyncio.create_task(passed(turnstile, MIA, places))
        behind_hers = asyncio.create_task(passed(turnstile, NOAH, places))
        await asyncio.sleep(0)
        turnstile.shut()
        for waiting in (behind_her_own, behind_hers, passed(turnstile, NOAH)):
            with pytest.raises(NotAccepting):
                await waiting
    assert not places.locked()


async def test_one_members_slow_pictures_leave_a_place_for_everybody_else(tmp_path: Path) -> None:
    at_work = 0
    goes_on = asyncio.Event()

    async def slow(data: bytes, rules: image.Rules, size: Size | None, fit: Fit) -> image.Frame:
        nonlocal at_work
        at_work += 1
        await goes_on.wait()
        return await in_a_thread(data, rules, size, fit)

    async with world(tmp_path) as here, here.bot(prepare=slow) as bot:
        hers = [asyncio.create_task(bot.intake.accept(ask(member_id=MIA))) for _ in range(4)]
        await until(lambda: at_work == 1)
        his = asyncio.create_task(bot.intake.accept(ask(member_id=NOAH)))
        await until(lambda: at_work == 2, within=10)
        goes_on.set()
        assert (await his).is_new
        assert all(one.is_new for one in await asyncio.gather(*hers))
