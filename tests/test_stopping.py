"""The bot is told to stop in the middle of everything: in time, with kind words, losing nothing."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.town import (
    CLIP_WITHIN,
    NO_LIMITS,
    NOT_CHARGED,
    PRICE,
    Town,
    photo_file,
    told,
    town,
    until,
)

MANY = 20
STOPS_WITHIN = 10.0
SUBMIT = {"path": "/v1", "label": "videoInference"}
ACKNOWLEDGE = {"method": "POST", "path": "/callback"}
PICTURE = {"method": "GET", "path": "attachments/"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Town]:
    """A town without a bot yet, whose service takes its time."""
    async with town(tmp_path, render_seconds=2, stagger=0.9) as made:
        made.discord.set_limits({"rate_limits_enabled": False})
        yield made


async def stopped(process: asyncio.subprocess.Process) -> int:
    """Return the exit code of a bot that was told to stop, if it does so in time."""
    return await asyncio.wait_for(process.wait(), STOPS_WITHIN)


async def assert_each_was_made_and_posted_once(here: Town, jobs: int) -> None:
    books = await here.settled()
    assert books.states == ["delivered"] * jobs
    assert all(books.of(job) == ["hold", "spend"] for job in books.jobs)
    assert books.held_micro == 0
    assert books.spent_micro == here.runware.ledger.billed_micro == jobs * PRICE
    assert here.runware.ledger.accepted == len(here.posts) == jobs
    assert here.trouble() == []


async def test_twenty_clips_in_the_making_outlive_a_stop_and_who_comes_then_gets_a_kind_word(
    here: Town,
) -> None:
    async with here.bot(**NO_LIMITS) as process:
        for _ in range(MANY):
            await here.animate(photo_file())
        await until(lambda: here.runware.ledger.accepted == MANY, CLIP_WITHIN)
        stall = here.trouble_at_runware(do="stall", match=SUBMIT, seconds=60, when="after")
        last = await here.animate(photo_file())
        await until(lambda: here.runware.faults.hits(stall))  # and it keeps the bot from stopping

        process.send_signal(signal.SIGTERM)
        late = [await here.animate(photo_file()) for _ in range(3)]
        for started in late:
            answer = told(await here.refusal(started))
            assert "I'm restarting" in answer
            assert NOT_CHARGED in answer
        assert await stopped(process) == 0

    async with here.bot(**NO_LIMITS):
        await here.clip(last)
        await assert_each_was_made_and_posted_once(here, MANY + 1)


async def test_what_is_being_asked_as_the_bot_is_told_to_stop_is_taken(here: Town) -> None:
    async with here.bot(**NO_LIMITS) as process:
        stall = here.trouble_at_discord(do="stall", match=PICTURE, seconds=0.4, times=None)
        asked = [await here.animate(photo_file()) for _ in range(2)]
        await until(lambda: here.discord.faults.hits(stall) == len(asked))
        process.send_signal(signal.SIGTERM)
        assert await stopped(process) == 0
        for started in asked:
            status = told(await here.status(started))
            assert status.startswith(("⏳ Queued", "🎞️ Animating")), status

    async with here.bot(**NO_LIMITS):
        for started in asked:
            await here.clip(started)
        await assert_each_was_made_and_posted_once(here, len(asked))


async def test_who_is_just_being_acknowledged_as_the_bot_stops_is_told_to_come_back(
    here: Town,
) -> None:
    async with here.bot(**NO_LIMITS) as process:
        stall = here.trouble_at_discord(do="stall", match=ACKNOWLEDGE, seconds=0.7, when="after")
        started = await here.animate(photo_file())
        await until(lambda: here.discord.faults.hits(stall))
        process.send_signal(signal.SIGTERM)
        assert await stopped(process) == 0
        answer = told(await here.refusal(started))

    assert "I'm restarting" in answer
    assert NOT_CHARGED in answer
    assert here.books().jobs == ()
    assert here.trouble() == []


async def test_who_still_waits_for_their_turn_as_the_bot_stops_is_told_to_come_back(
    here: Town,
) -> None:
    async with here.bot(**NO_LIMITS) as process:
        here.trouble_at_discord(do="stall", match=PICTURE, seconds=1, times=None)
        asked = [await here.animate(photo_file()) for _ in range(MANY)]
        for started in asked:
            await here.mia.wait_for_state(started, "acknowledged")
        process.send_signal(signal.SIGTERM)
        assert await stopped(process) == 0

        answers = [told(await here.refusal(started)) for started in asked]
    taken = [answer for answer in answers if "⏳ Queued" in answer]
    refused = [answer for answer in answers if "I'm restarting" in answer]
    assert len(taken) + len(refused) == MANY
    assert refused
    assert all(NOT_CHARGED in answer for answer in refused)

    async with here.bot(**NO_LIMITS):
        await assert_each_was_made_and_posted_once(here, len(taken))


async def test_a_gateway_that_has_fallen_silent_keeps_the_bot_from_stopping_no_longer(
    here: Town,
) -> None:
    async with here.bot(**NO_LIMITS) as process:
        await here.control("POST", "gateway", {"do": "silence"})
        process.send_signal(signal.SIGTERM)
        assert await stopped(process) == 0
    assert here.trouble() == []
