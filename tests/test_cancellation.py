"""Taking a clip back: in time it costs nothing and says so, too late it changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import StaleJob
from bot.lifecycle import Failure, Job, State
from bot.wish import Door, Origin
from tests.corridor import PRICE, World, assert_paid_once, assert_released, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as opened:
        yield opened


def reaction(message: int = 7, key: str = "attachment:1") -> dict[str, object]:
    origin = Origin(channel_id=20, message_id=message, key=key, author_id=31)
    return {"door": Door.REACTION, "picture": origin, "status_message_id": None}


async def test_a_clip_that_was_not_sent_is_taken_back_and_costs_nothing(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        assert await bot.cancellation.cancel(job.id, by=30)

        job = await bot.reread(job)
        assert (job.state, job.failure) == (State.FAILED, Failure.CANCELLED)
        await assert_released(bot, job)
        assert here.channel.titles[-1] == "✖️ Cancelled"
        assert here.leftovers == []
        assert here.runware.ledger.accepted == 0


async def test_who_took_it_back_is_in_the_accounts(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.cancellation.cancel(job.id, by=77)
        *_, released = await bot.store.entries(job.id)
        assert released.note == "cancelled by 77"


@pytest.mark.parametrize("state", [State.RENDERING, State.DELIVERED])
async def test_a_clip_that_was_sent_is_not_taken_back(here: World, state: State) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [state])
        assert not await bot.cancellation.cancel(job.id, by=30)
        await bot.until(job, [State.DELIVERED])
        await assert_paid_once(bot, job)


async def test_twice_is_once_and_what_never_was_cannot_be_taken_back(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        assert await bot.cancellation.cancel(job.id, by=30)
        assert not await bot.cancellation.cancel(job.id, by=30)
        assert not await bot.cancellation.cancel("no such job", by=30)
        await assert_released(bot, job)


async def test_of_sending_and_taking_back_in_one_moment_the_first_wins(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.bot() as bot:
        job = await bot.accept()

        async def sent_meanwhile(*_given: object, **_named: object) -> Job:
            raise StaleJob

        with monkeypatch.context() as patch:
            patch.setattr(bot.store, "move", sent_meanwhile)
            assert not await bot.cancellation.cancel(job.id, by=30)
        assert here.leftovers == [f"{job.id}.jpg"]
        await bot.finished(job)
        await assert_paid_once(bot, job)


async def test_a_worker_that_holds_a_job_that_was_taken_back_sends_nothing(here: World) -> None:
    async with here.bot() as bot:
        (job,) = [await bot.accept()]
        agenda = await bot.store.agenda(here.clock())
        await bot.cancellation.cancel(job.id, by=30)
        with pytest.raises(StaleJob):
            await bot.pipeline.begin(agenda.jobs)
        await assert_released(bot, job)
        assert here.runware.ledger.accepted == 0


async def test_of_many_that_are_taken_back_as_they_are_sent_each_is_cancelled_or_paid_never_both(
    here: World,
) -> None:
    async with here.bot() as bot:
        early = await bot.accept()
        assert await bot.cancellation.cancel(early.id, by=30)
        bot.worker.start()

        async def taken_back(number: int) -> tuple[Job, bool]:
            job = await bot.accept()
            await asyncio.sleep(number % 20 * 0.002)  # from before it is sent to when it was
            return job, await bot.cancellation.cancel(job.id, by=30)

        tried = await asyncio.gather(*map(taken_back, range(60)))
        await bot.worker.stop()
        late = await bot.until(await bot.accept(), [State.RENDERING])
        tried += [(early, True), (late, await bot.cancellation.cancel(late.id, by=30))]
        assert {was_time for _, was_time in tried} == {True, False}
        for job, was_time in tried:
            end = await bot.finished(job)
            if was_time:
                assert end.failure is Failure.CANCELLED
                await assert_released(bot, job)
            else:
                assert end.state is State.DELIVERED
                await assert_paid_once(bot, job)
        paid = sum(not was_time for _, was_time in tried)
        assert here.runware.ledger.accepted == paid
        assert here.runware.ledger.billed_micro == paid * PRICE
        assert here.leftovers == []


async def test_a_reaction_taken_back_takes_back_what_it_asked_for_and_nothing_else(
    here: World,
) -> None:
    async with here.bot() as bot:
        mine = await bot.accept(**reaction())
        another = await bot.accept(**reaction(message=8))
        theirs = await bot.accept(**reaction(), member_id=99)
        by_command = await bot.accept()

        assert await bot.cancellation.unreact(7, 30)
        states = [(await bot.reread(job)).state for job in (mine, another, theirs, by_command)]
        assert states == [State.FAILED, State.QUEUED, State.QUEUED, State.QUEUED]
        assert not await bot.cancellation.unreact(7, 30)


async def test_a_reaction_after_one_that_was_taken_back_is_a_new_wish(here: World) -> None:
    async with here.bot() as bot:
        first = await bot.accept(**reaction())
        assert await bot.accept(**reaction()) == first
        await bot.cancellation.unreact(7, 30)
        assert (await bot.accept(**reaction())).id != first.id
