"""A task on its way to the service: sent until it is taken, once, whatever the answers say."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.lifecycle import Failure, State
from tests.corridor import (
    NOTHING_KNOWN,
    PRICE,
    WHERE,
    World,
    assert_paid_once,
    assert_released,
    world,
)

EMPTY = {"do": "status", "status": 402, "body": {"errors": [{"code": "insufficientCredits"}]}}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def test_a_repeat_that_is_refused_does_not_lose_the_task_that_was_taken_before(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    here.trouble(match=WHERE["submit"], **EMPTY)
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)


async def test_a_key_that_is_changed_between_two_tries_ends_nothing(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()
        here.runware.settings.api_key = "another-key"
        for _ in range(5):
            await bot.work()
        assert (await bot.reread(job)).state is State.SUBMITTING

        here.runware.settings.api_key = "test-key"
        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_a_refusal_after_tries_that_were_surely_not_taken_is_final(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=429, times=3)
    here.trouble(match=WHERE["submit"], **EMPTY | {"times": None})
    looks = here.trouble(match=WHERE["look"], do="drop", times=None)
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.ACCOUNT)
        assert here.runware.faults.hits(looks) == here.runware.ledger.accepted == 0
        await assert_released(bot, job)


@pytest.mark.parametrize(
    ("status", "code"), [(500, "internalServerError"), (503, "serviceUnavailable")]
)
async def test_a_server_error_says_nothing_about_whether_the_task_was_taken(
    here: World, status: int, code: str
) -> None:
    here.trouble(
        match=WHERE["submit"],
        do="status",
        when="after",
        status=status,
        body={"errors": [{"code": code}]},
    )
    here.trouble(match=WHERE["submit"], **EMPTY | {"times": None})
    async with here.bot() as bot:
        job = await bot.accept()
        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_one_lost_answer_among_tries_that_were_not_taken_leaves_a_doubt(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=429)
    here.trouble(match=WHERE["submit"], do="lose_answer")
    here.trouble(match=WHERE["submit"], do="status", status=429)
    here.trouble(match=WHERE["submit"], **EMPTY | {"times": None})
    async with here.bot() as bot:
        job = await bot.accept()
        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_a_task_that_is_refused_after_doubtful_tries_is_lost_and_not_failed(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=503, times=3)
    here.trouble(match=WHERE["submit"], **EMPTY | {"times": None})
    async with here.bot() as bot:
        job = await bot.accept()
        lost = await bot.until(job, [State.LOST])

        assert here.runware.ledger.accepted == 0
        assert (here.clock() - job.created_at) / 1000 > 600
        await assert_released(bot, job)
        assert (await bot.finished(lost)).failure is Failure.LOST


async def test_a_task_that_was_taken_and_long_denied_is_posted_and_booked_when_it_turns_up(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    here.trouble(match=WHERE["submit"], do="drop", times=10)
    here.trouble(match=WHERE["submit"], **EMPTY | {"times": None})
    here.trouble(match=WHERE["look"], **NOTHING_KNOWN | {"times": 1})
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.LOST])
        assert (await bot.finished(job)).state is State.DELIVERED
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro > 0


async def test_a_task_that_turns_out_to_be_taken_says_nothing_of_an_account_that_is_empty_since(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    here.trouble(match=WHERE["submit"], **EMPTY | {"times": None})
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()
        here.runware.settings.balance_micro = 0  # or the gate opens when it has looked
        others = [await bot.accept() for _ in range(3)]
        assert (await bot.finished(job)).state is State.DELIVERED

        assert bot.gate.needs_owner
        states = sorted([(await bot.reread(one)).state for one in others])
        assert states == [State.FAILED, State.QUEUED, State.QUEUED]  # the first one found it out
        assert sum(log.levelname == "CRITICAL" for log in caplog.records) == 1


async def test_a_taken_task_of_which_the_service_says_nothing_yet_survives_a_refused_repeat(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    here.trouble(match=WHERE["submit"], **EMPTY | {"times": 3})
    here.trouble(match=WHERE["look"], **NOTHING_KNOWN | {"times": 3})
    async with here.bot() as bot:
        job = await bot.accept()
        assert (await bot.finished(job)).state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)


async def test_the_wish_of_a_busy_service_is_heard(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=429, headers={"Retry-After": "45"})
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()

        assert (await bot.reread(job)).due_at == here.clock() + 45_000


async def test_tries_to_submit_come_at_growing_gaps_but_never_rarely(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=503, times=None)
    gaps = []
    async with here.bot() as bot:
        job = await bot.accept()
        for _ in range(12):
            await bot.work()
            gaps.append(((await bot.reread(job)).due_at - here.clock()) / 1000)

    assert gaps[:5] == [1, 2, 4, 8, 16]
    assert max(gaps) == 300


async def test_an_empty_account_fails_the_job_and_leaves_its_owner_a_word(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    here.runware.settings.balance_micro = PRICE - 1
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.ACCOUNT)
        await assert_released(bot, job)
        assert here.channel.titles[-1] == "🔧 Paused"
        assert [log.levelname for log in caplog.records if "needs its owner" in log.message] == [
            "CRITICAL"
        ]


async def test_a_refused_key_fails_the_job(here: World) -> None:
    here.runware.settings.api_key = "another-key"
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.ACCOUNT)
        await assert_released(bot, job)


async def test_what_may_be_forgotten_over_there_is_asked_about_and_not_sent_again(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="drop")
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()
    here.clock.forward(seconds=25 * 3600)
    again = here.trouble(match=WHERE["submit"], do="drop", times=None)
    async with here.bot() as bot:
        lost = await bot.until(job, [State.LOST])
        await assert_released(bot, lost)
    assert here.runware.faults.hits(again) == 0


async def test_what_was_surely_not_taken_is_sent_however_long_ago_that_was(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=429)
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()
    here.clock.forward(seconds=72 * 3600)
    here.trouble(match=WHERE["submit"], do="status", status=429, times=2)
    async with here.bot() as bot:
        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_a_task_that_was_sent_before_the_bot_was_down_for_days_is_asked_for_again(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()
    here.clock.forward(seconds=72 * 3600)
    async with here.bot() as bot:
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)


async def test_a_lost_picture_fails_the_job_before_anything_is_paid(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        bot.pictures.drop(job.id)
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.LOST)
        assert here.runware.ledger.accepted == 0
        await assert_released(bot, job)


async def test_a_picture_lost_after_a_lost_answer_does_not_lose_the_paid_clip(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()
        bot.pictures.drop(job.id)

        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)
