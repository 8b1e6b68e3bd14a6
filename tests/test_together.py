"""Jobs that are sent in one request: whatever befalls it, each is one task, paid once, or none."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.database import Database
from bot.errors import StoreError
from bot.ledger import Resolution
from bot.lifecycle import Failure, Job, State
from bot.store import Store
from tests.corridor import PRICE, Bot, World, assert_paid_once, assert_released, world
from tests.test_fault_table import FINAL, PASSING, TIMEOUT

TOGETHER = {"label": "^videoInference videoInference"}
ALONE = {"label": "^videoInference$"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def accepted(bot: Bot, count: int) -> list[Job]:
    """Accept wishes while the account is known to be in order."""
    bot.gate.prove()
    return [await bot.accept() for _ in range(count)]


async def assert_all_delivered(bot: Bot, jobs: list[Job]) -> None:
    for job in jobs:
        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)
    assert bot.world.runware.ledger.accepted == len(jobs)
    assert len(bot.world.channel.posts) == len(jobs)
    assert bot.world.leftovers == []


async def test_jobs_that_wait_together_are_sent_in_one_request(here: World) -> None:
    async with here.bot() as bot:
        jobs = await accepted(bot, 5)
        await bot.pipeline.begin(jobs)

        assert here.runware.ledger.requests == 1
        assert {(await bot.reread(job)).state for job in jobs} == {State.RENDERING}
        await assert_all_delivered(bot, jobs)


@pytest.mark.parametrize("fault", PASSING)
async def test_trouble_with_a_request_for_several_doubles_and_loses_none_of_them(
    here: World, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("bot.provider._TIMEOUT", TIMEOUT)
    key = here.trouble(match=TOGETHER, **PASSING[fault])
    async with here.bot() as bot:
        jobs = await accepted(bot, 3)
        await bot.pipeline.begin(jobs)
        assert {(await bot.reread(job)).state for job in jobs} == {State.SUBMITTING}

        await assert_all_delivered(bot, jobs)
    assert here.runware.faults.hits(key) == 1


@pytest.mark.parametrize(
    ("fault", "when"),
    [("400", "before"), *((fault, "after") for fault in FINAL if not fault.startswith("401"))],
)
async def test_a_refusal_that_names_none_of_several_has_each_sent_again_alone(
    here: World, fault: str, when: str
) -> None:
    rule, _ = FINAL[fault]
    here.trouble(match=TOGETHER, **rule | {"when": when, "times": None})
    async with here.bot() as bot:
        jobs = await accepted(bot, 3)
        await bot.pipeline.begin(jobs)

        assert {(await bot.reread(job)).state for job in jobs} == {State.SUBMITTING}
        await assert_all_delivered(bot, jobs)


async def test_a_key_that_is_refused_refuses_all(here: World) -> None:
    here.runware.settings.api_key = "another-key"
    async with here.bot() as bot:
        jobs = await accepted(bot, 3)
        await bot.pipeline.begin(jobs)

        for job in jobs:
            done = await bot.reread(job)
            assert (done.state, done.failure) == (State.FAILED, Failure.ACCOUNT)
            await assert_released(bot, job)
        assert here.runware.ledger.requests == 1


async def test_one_that_is_refused_takes_none_of_the_others_along(here: World) -> None:
    async with here.bot() as bot:
        first, bad, last = await accepted(bot, 3)
        wrong = replace(bad, order=replace(bad.order, width=1, height=1))
        await bot.pipeline.begin([first, wrong, last])

        done = await bot.reread(bad)
        assert (done.state, done.failure) == (State.FAILED, Failure.REFUSED)
        await assert_released(bot, bad)
        await assert_all_delivered(bot, [first, last])


async def test_credit_for_some_makes_those(here: World) -> None:
    here.runware.settings.balance_micro = 2 * PRICE
    async with here.bot() as bot:
        jobs = await accepted(bot, 3)
        await bot.pipeline.begin(jobs)

        done = await bot.reread(jobs[2])
        assert (done.state, done.failure) == (State.FAILED, Failure.ACCOUNT)
        await assert_released(bot, jobs[2])
        await assert_all_delivered(bot, jobs[:2])


async def test_a_lost_picture_fails_its_own_job_only(here: World) -> None:
    async with here.bot() as bot:
        first, bare, last = jobs = await accepted(bot, 3)
        bot.pictures.drop(bare.id)
        await bot.pipeline.begin(jobs)

        done = await bot.reread(bare)
        assert (done.state, done.failure) == (State.FAILED, Failure.LOST)
        await assert_released(bot, bare)
        await assert_all_delivered(bot, [first, last])


async def test_until_the_account_is_proven_no_more_than_one_is_sent(here: World) -> None:
    here.trouble(match=ALONE, do="status", status=402)
    async with here.bot() as bot:
        jobs = [await bot.accept() for _ in range(5)]
        await bot.pipeline.begin(jobs)

        assert here.runware.ledger.refused == here.runware.ledger.accepted == 0
        assert (await bot.reread(jobs[0])).failure is Failure.ACCOUNT
        assert {(await bot.reread(job)).state for job in jobs[1:]} == {State.QUEUED}


async def test_the_first_proves_the_account_and_the_others_follow_together(here: World) -> None:
    async with here.bot() as bot:
        jobs = [await bot.accept() for _ in range(5)]
        await bot.pipeline.begin(jobs)

        assert here.runware.ledger.requests == 2
        assert here.runware.ledger.accepted == 5


async def test_a_job_that_another_hand_sent_meanwhile_is_left_to_it(here: World) -> None:
    async with here.bot() as bot:
        jobs = await accepted(bot, 3)
        await bot.pipeline.step(jobs[1])
        await bot.pipeline.begin(jobs)

        assert here.runware.ledger.asked["videoInference"] == 3
        await assert_all_delivered(bot, jobs)


class Forgetful(Store):
    """A store that cannot write about some jobs, once each and for each state they come to."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.refused: set[tuple[str, State]] = set()

    async def move(
        self,
        before: Job,
        after: Job,
        *,
        resolution: Resolution | None = None,
        clips: Any = (),
        posts: Any = (),
    ) -> Job:
        key = (before.id, after.state)
        if key in self.refused:
            self.refused.remove(key)
            raise StoreError("the disk is full")
        return await super().move(before, after, resolution=resolution, clips=clips, posts=posts)


@pytest.mark.parametrize("state", [State.SUBMITTING, State.RENDERING])
async def test_accounts_that_cannot_be_written_for_one_lose_and_double_nothing(
    here: World, state: State
) -> None:
    async with here.bot(store_type=Forgetful) as bot:
        jobs = await accepted(bot, 3)
        assert isinstance(bot.store, Forgetful)
        bot.store.refused = {(jobs[1].id, state)}
        with pytest.raises(StoreError):
            await bot.pipeline.begin(jobs)

        await assert_all_delivered(bot, jobs)


async def test_nothing_is_sent_before_it_is_written_down_for_each(here: World) -> None:
    async with here.bot() as bot:
        jobs = await accepted(bot, 3)
        found: list[State] = []
        post = bot.provider.submit

        async def watched(tasks: Any) -> Any:
            found.extend([(await bot.reread(job)).state for job in jobs])
            return await post(tasks)

        bot.provider.submit = watched  # type: ignore[method-assign] # watched from outside
        await bot.pipeline.begin(jobs)

        assert found == [State.SUBMITTING] * 3
