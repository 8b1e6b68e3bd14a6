"""A task of which nobody hears any more: given up without a charge, and paid if it turns up."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import words
from bot.ledger import Kind
from bot.lifecycle import Failure, Job, State
from bot.sandbox.runware.outcomes import Outcome
from tests.corridor import NOTHING_KNOWN, PRICE, WHERE, Bot, World, assert_released, world

HOUR = 3600.0
PATIENCE = 1800.0


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def bot(here: World) -> AsyncIterator[Bot]:
    async with here.bot(give_up_after=PATIENCE) as made:
        yield made


async def lost(here: World, bot: Bot) -> Job:
    """A job that the service made a clip for, and said nothing of."""
    hidden = here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    job = await bot.until(await bot.accept(), [State.LOST])
    here.runware.faults.clear(hidden)
    return job


async def assert_paid_late(here: World, bot: Bot, job: Job, note: str) -> None:
    """The hold was given back and the cost booked after that, once; nothing is held."""
    entries = await bot.entries(job)
    assert list(entries) == [Kind.HOLD, Kind.RELEASE, Kind.ADJUSTMENT]
    assert entries[Kind.ADJUSTMENT].note == note
    assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == PRICE
    assert await bot.held_micro(job) == 0


async def test_no_word_for_the_whole_patience_releases_the_hold(here: World, bot: Bot) -> None:
    job = await lost(here, bot)

    assert PATIENCE <= (here.clock() - job.created_at) / 1000 < PATIENCE + 100
    assert job.failure is None
    await assert_released(bot, job)
    assert (await bot.entries(job))[Kind.RELEASE].note == "never finished"
    assert here.channel.notes[-1] == words.lost(job)
    assert here.leftovers == []


async def test_a_clip_that_turns_up_is_booked_late_and_delivered(here: World, bot: Bot) -> None:
    job = await lost(here, bot)
    done = await bot.finished(job)

    assert done.state is State.DELIVERED
    assert (here.clock() - job.updated_at) / 1000 == HOUR
    (post,) = here.channel.posts.values()
    assert "I had lost track of it. Now that it's here, it counts: $0.1848." in post.text
    assert here.channel.titles[-1] == "✅ Done"
    assert here.runware.ledger.accepted == 1
    await assert_paid_late(here, bot, job, "turned up after its hold had been released")
    assert here.leftovers == []


async def test_a_service_that_does_not_answer_for_the_whole_patience_keeps_no_hold(
    here: World, bot: Bot
) -> None:
    silence = here.trouble(match=WHERE["look"], do="drop", times=None)
    job = await bot.until(await bot.accept(), [State.LOST])
    assert (here.clock() - job.created_at) / 1000 >= PATIENCE
    await assert_released(bot, job)
    assert (await bot.entries(job))[Kind.RELEASE].note == "the service does not answer"

    here.runware.faults.clear(silence)
    assert (await bot.finished(job)).state is State.DELIVERED
    await assert_paid_late(here, bot, job, "turned up after its hold had been released")


async def test_a_clip_that_turns_up_without_a_cost_is_booked_as_estimated(
    here: World, bot: Bot
) -> None:
    here.runware.settings.cost = "never"
    job = await lost(here, bot)
    await bot.finished(job)

    note = "turned up after its hold had been released; cost not reported, estimate booked"
    await assert_paid_late(here, bot, job, note)


async def test_a_task_that_turns_up_as_failed_stays_uncharged(here: World, bot: Bot) -> None:
    here.runware.outcomes.add(Outcome(next="moderated"))
    job = await lost(here, bot)
    done = await bot.finished(job)

    assert (done.state, done.failure) == (State.FAILED, Failure.DECLINED)
    assert here.channel.notes[-1] == words.failed(done)
    await assert_released(bot, job)


async def test_a_lost_task_is_looked_for_hourly_for_a_week_and_then_no_more(
    here: World, bot: Bot
) -> None:
    hidden = here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    job = await bot.until(await bot.accept(), [State.LOST])
    before = here.runware.faults.hits(hidden)
    done = await bot.finished(job)

    assert (done.state, done.failure) == (State.FAILED, Failure.LOST)
    assert here.runware.faults.hits(hidden) - before == 7 * 24 + 1
    assert (here.clock() - job.updated_at) / 1000 == (7 * 24 + 1) * HOUR
    await assert_released(bot, job)
    assert (await bot.store.agenda(here.clock())).jobs == ()


async def test_a_lost_task_that_cannot_be_asked_about_is_not_given_up(
    here: World, bot: Bot
) -> None:
    job = await lost(here, bot)
    here.trouble(match=WHERE["look"], do="drop")
    here.clock.forward(seconds=30 * 24 * HOUR)

    assert (await bot.finished(job)).state is State.DELIVERED


async def test_a_task_that_was_never_acknowledged_may_turn_up_too(here: World, bot: Bot) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    here.trouble(match=WHERE["submit"], do="status", status=503, times=None)
    job = await bot.until(await bot.accept(), [State.LOST])
    await assert_released(bot, job)
    assert here.leftovers == []

    assert (await bot.finished(job)).state is State.DELIVERED
    assert here.runware.ledger.accepted == 1
    await assert_paid_late(here, bot, job, "turned up after its hold had been released")
