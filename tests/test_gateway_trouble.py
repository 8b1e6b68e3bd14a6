"""The gateway on a bad day: events missed, doubled or mangled; no job lost, and none made twice."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.demo import bot_process
from bot.logins import RESERVE, Logins
from bot.sandbox.person import Started
from tests.simulation.loop import VirtualLoop
from tests.town import PRICE, Town, photo_file, town, until

CONNECT = {"path": "^/gateway"}
RESUME, IDENTIFY = 6, 2


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Town]:
    """A town with a bot in it."""
    async with town(tmp_path) as made, made.bot():
        yield made


async def asked_in_between(here: Town) -> Started:
    """Have Mia ask while the bot has lost its connection and is about to come back."""
    here.trouble_at_discord(do="stall", match=CONNECT, seconds=0.5)
    await here.control("POST", "gateway", {"do": "drop"})
    await here.mia.wait_for_bot(online=False)
    return await here.animate(photo_file())


def heard(here: Town) -> list[int]:
    """What the gateway was told since the bot's first word."""
    return [frame["op"] for frame in here.discord.gateway_server.received][1:]


async def assert_jobs(here: Town, count: int) -> None:
    books = await here.settled()
    assert books.states == ["delivered"] * count
    assert books.held_micro == 0
    assert books.spent_micro == here.runware.ledger.billed_micro == count * PRICE
    assert here.runware.ledger.accepted == len(here.posts) == count


async def test_a_wish_that_came_while_the_connection_was_lost_is_heard_on_resuming(
    here: Town,
) -> None:
    await here.clip(await asked_in_between(here))
    assert heard(here) == [RESUME]
    await assert_jobs(here, 1)


async def test_a_wish_that_is_lost_with_its_session_starts_nothing_and_the_next_is_heard(
    here: Town,
) -> None:
    here.discord.set_limits({"resume_window_s": 0.0, "interaction_deadline_s": 1.0})
    lost = await asked_in_between(here)
    await here.mia.wait_for_state(lost, "failed")
    await until(lambda: heard(here) == [RESUME, IDENTIFY])
    assert here.books().jobs == ()

    here.discord.set_limits({"interaction_deadline_s": 3.0})
    await here.mia.wait_for_bot()
    await here.clip(await here.animate(photo_file()))
    await assert_jobs(here, 1)


async def test_an_event_that_comes_over_and_over_also_when_all_is_done_is_one_wish(
    here: Town,
) -> None:
    started = await here.animate(photo_file())
    await here.control("POST", "gateway", {"do": "duplicate", "count": 1})
    await here.clip(started)
    for _ in range(3):
        await here.control("POST", "gateway", {"do": "duplicate", "count": 3})
    await asyncio.sleep(0.3)
    await assert_jobs(here, 1)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        pytest.param("INTERACTION_CREATE", {"id": "1"}, id="a wish of which most is missing"),
        pytest.param("INTERACTION_CREATE", None, id="a wish that is nothing"),
        pytest.param("GUILD_CREATE", {"id": "seven"}, id="a server without a number"),
        pytest.param("CHANNEL_UPDATE", [], id="a channel that is a list"),
        pytest.param("MESSAGE_CREATE", {}, id="a message that is empty"),
        pytest.param("A_NEW_ONE", {"id": "1"}, id="an event that nobody knows"),
    ],
)
async def test_an_event_that_makes_no_sense_is_ignored(here: Town, name: str, event: Any) -> None:
    before = await here.animate(photo_file())
    here.discord.gateway_server.publish(name, event, guild_id=None)
    after = await here.animate(photo_file())

    for started in (before, after):
        await here.clip(started)
    assert heard(here) == []
    await assert_jobs(here, 2)
    assert here.trouble() == []


# --- Each new session takes one login of a thousand a day -----------------------------------------


async def test_a_bot_that_is_started_over_and_over_waits_before_discord_resets_its_token(
    tmp_path: Path,
) -> None:
    began = time.monotonic()
    async with town(tmp_path) as here:
        async with here.bot():
            pass
        logins = here.discord.gateway_server.received
        again_in = time.monotonic() - began + 12
        here.discord.set_limits({"session_starts": [RESERVE + 1, again_in]})
        async with bot_process(here.settings, os.environ, here.folder / "bot.log"):
            await until(lambda: "hardly any login is left" in here.log, within=12)
            assert len(logins) == 1
            await here.mia.wait_for_bot(within=20)
        assert len(logins) == 2
        assert here.log.count("hardly any login is left") == 1


def test_sessions_that_discord_ends_one_after_the_other_come_ever_more_slowly() -> None:
    async def begun() -> list[float]:
        logins = Logins(discord.Client(intents=discord.Intents.none()))
        times = []
        for _ in range(12):
            await logins.pace()
            times.append(loop.time())
        await asyncio.sleep(3600)
        await logins.pace()
        return [*times, loop.time()]

    loop = VirtualLoop()
    times = loop.run_until_complete(begun())
    loop.close()
    assert times == [*(5.0 * number for number in range(1, 11)), 100.0, 150.0, 3755.0]


async def test_a_question_for_logins_that_discord_puts_off_keeps_no_other_request_waiting(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        limited = {"message": "slow", "retry_after": 7.0, "global": True}
        headers = {"Retry-After": "7", "X-RateLimit-Global": "true", "Via": "1.1 google"}
        here.trouble_at_discord(
            do="status", status=429, body=limited, headers=headers, match={"path": "/gateway/bot"}
        )
        async with here.bot():
            await here.clip(await here.animate(photo_file()))


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"do": "status", "status": 403, "body": {"code": 0}}, id="a refusal"),
        pytest.param({"do": "status", "status": 200, "body": {"url": 7}}, id="nonsense"),
        pytest.param({"do": "stall", "seconds": 60}, id="silence"),
    ],
)
async def test_a_bot_that_is_not_told_how_many_logins_are_left_connects(
    tmp_path: Path, trouble: dict[str, Any]
) -> None:
    async with town(tmp_path) as here:
        rule = here.trouble_at_discord(match={"path": "/gateway/bot"}, **trouble)
        async with here.bot():
            assert here.discord.faults.hits(rule) == 1
            assert here.trouble() == []
