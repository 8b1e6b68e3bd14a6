"""A video service that takes nothing: it is left in peace, and everybody is kept in line.

Trouble with the account is `test_gate.py`'s.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import refusals, words
from bot.errors import AccountTrouble, Busy, QueueFull, Unclear
from bot.gate import Gate
from bot.lifecycle import Failure, Job, State
from tests.corridor import PRICE, QUEUE_MOST, Bot, World, ask, assert_released, world
from tests.test_gate import EMPTY, SUBMIT, Account

SILENT = Unclear("unreachable", "no answer")
DOWN = {"match": SUBMIT, "do": "status", "status": 503, "times": None}
ANYTHING = {"path": "/v1"}
IN_A_ROW = 5


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def silenced(bot: Bot) -> Job:
    """Have the service take nothing until the gate is shut; return the job that found out."""
    bot.world.trouble(**DOWN)
    job = await bot.accept()
    while bot.gate.is_open:
        await bot.work()
    return job


def is_shut(gate: Gate) -> bool:
    return not gate.is_open


# --- The gate alone ------------------------------------------------------------------------------


async def test_only_some_misses_in_a_row_shut_the_gate_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = Gate(Account(SILENT), lambda: 1.0)
    for _ in range(IN_A_ROW - 1):
        gate.miss(SILENT)
    gate.prove()
    for _ in range(IN_A_ROW - 1):
        gate.miss(SILENT)
    assert not is_shut(gate)
    for _ in range(3):
        gate.miss(Busy("overloaded", status=503))
    assert is_shut(gate)
    assert not gate.needs_owner
    told = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    (line,) = told
    assert line.startswith("the video service does not answer; what is new is kept in line: Busy")
    await gate.stop()


@pytest.mark.parametrize("balance", [PRICE, 0, None])
async def test_a_service_that_answers_again_is_tried_whatever_the_balance(
    balance: int | None,
) -> None:
    gate = Gate(Account(balance), lambda: 1.0)
    for _ in range(IN_A_ROW):
        gate.miss(SILENT)
    await gate.look()
    assert not is_shut(gate)
    assert not gate.is_proven
    await gate.stop()


async def test_one_more_miss_shuts_it_again_and_one_task_that_is_taken_ends_the_count() -> None:
    gate = Gate(Account(PRICE), lambda: 1.0)
    for _ in range(IN_A_ROW):
        gate.miss(SILENT)
    await gate.look()
    gate.miss(SILENT)
    assert is_shut(gate)

    gate.prove()
    gate.miss(SILENT)
    assert not is_shut(gate)
    await gate.stop()


async def test_what_the_owner_must_mend_is_not_forgotten_over_it() -> None:
    gate = Gate(Account(0), lambda: 1.0)
    gate.shut(AccountTrouble("insufficientCredits", status=402), PRICE)
    for _ in range(2 * IN_A_ROW):
        gate.miss(SILENT)
    assert gate.needs_owner
    await gate.look()
    assert is_shut(gate)
    await gate.stop()


async def test_a_service_that_refuses_the_account_at_last_needs_its_owner() -> None:
    gate = Gate(Account(0), lambda: 1.0)
    for _ in range(IN_A_ROW):
        gate.miss(SILENT)
    gate.shut(AccountTrouble("invalidApiKey", status=401))
    assert gate.needs_owner
    await gate.stop()


# --- The gate in the corridor --------------------------------------------------------------------


async def test_a_service_that_takes_nothing_is_left_in_peace_and_people_are_kept_in_line(
    here: World,
) -> None:
    async with here.bot() as bot:
        first = await silenced(bot)
        others = [await bot.accept() for _ in range(2)]
        asked = here.runware.ledger.requests
        for job in others:
            await bot.pipeline.step(job)
        assert here.runware.ledger.requests == asked
        assert here.channel.notes[-1] == words.unanswered(others[-1])
        assert "You're kept in line" in here.channel.notes[-1].body
        assert "$0.1848 is held." in here.channel.notes[-1].body

        here.runware.faults.clear()
        assert {(await bot.finished(job)).state for job in (first, *others)} == {State.DELIVERED}
        assert here.runware.ledger.accepted == 3


async def test_after_a_look_that_is_answered_one_job_tries_and_the_others_wait_for_it(
    here: World,
) -> None:
    async with here.bot() as bot:
        await silenced(bot)
        others = [await bot.accept() for _ in range(3)]
        await bot.gate.look()
        await asyncio.gather(*map(bot.pipeline.step, others))
        states = sorted([(await bot.reread(job)).state for job in others])
        assert states == [State.QUEUED, State.QUEUED, State.SUBMITTING]


async def test_a_batch_that_is_lost_is_one_miss(here: World) -> None:
    async with here.bot() as bot:
        await bot.finished(await bot.accept())
        here.trouble(**DOWN)
        await bot.pipeline.begin([await bot.accept() for _ in range(8)])
        assert bot.gate.is_open


async def test_a_picture_that_cannot_be_read_says_nothing_about_the_service(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        path = bot.pictures.path(job.id)
        path.rename(path.with_suffix(".away"))
        path.mkdir()
        for _ in range(2 * IN_A_ROW):
            await bot.work()
        assert (await bot.reread(job)).state is State.SUBMITTING
        assert bot.gate.is_open
        path.rmdir()


async def test_the_line_is_only_so_long_while_nothing_is_answered(here: World) -> None:
    async with here.bot() as bot:
        await silenced(bot)
        for _ in range(QUEUE_MOST - 1):  # with the job that found out
            await bot.accept()
        bot.intake.check(1000)
        with pytest.raises(QueueFull):
            await bot.accept()
        assert len(here.leftovers) == QUEUE_MOST

        here.runware.faults.clear()
        await bot.gate.look()
        await bot.accept()


async def test_while_all_is_well_the_line_may_be_longer(here: World) -> None:
    async with here.bot() as bot:
        for _ in range(QUEUE_MOST + 1):
            await bot.accept()


async def test_what_is_kept_in_line_for_too_long_is_given_up_without_a_charge(here: World) -> None:
    async with here.bot(give_up_after=1800) as bot:
        # Nothing is answered at all: the gate's own look goes by the real clock, and this half hour
        # is a virtual one.
        here.trouble(**DOWN | {"match": ANYTHING})
        await silenced(bot)
        job = await bot.finished(await bot.accept())
        assert (job.state, job.failure) == (State.FAILED, Failure.SILENT)
        assert "didn't answer for too long" in here.channel.notes[-1].body
        await assert_released(bot, job)


async def test_an_account_that_is_refused_closes_the_door_as_ever(here: World) -> None:
    async with here.bot() as bot:
        await silenced(bot)
        job = await bot.accept()
        await bot.gate.look()
        here.runware.faults.clear()
        here.trouble(match=SUBMIT, **EMPTY)
        await bot.pipeline.step(job)
        assert bot.gate.needs_owner
        with pytest.raises(Exception, match="needs its owner"):
            await bot.intake.accept(ask())


def test_who_is_not_taken_into_the_line_hears_why_and_that_it_cost_nothing() -> None:
    note = refusals.refusal(QueueFull())
    assert note.title == "🔧 The video service isn't answering"
    assert note.body == (
        "Enough clips are kept in line for it already. Try again later. You were not charged."
    )
