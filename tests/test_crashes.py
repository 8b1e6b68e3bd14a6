"""The process dies around any commit: the next life takes the job up, and pays once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.answers import Answer
from bot.ledger import Kind
from bot.lifecycle import Failure, Job, State
from bot.members import MemberSettings
from bot.sandbox.runware.outcomes import Outcome
from bot.store import Store
from bot.wish import Wish
from tests.conftest import standing
from tests.corridor import (
    NOTHING_KNOWN,
    PRICE,
    WHERE,
    World,
    assert_paid_once,
    assert_released,
    clip,
    shrunk,
    world,
)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


class Crash(BaseException):
    """The process is gone: nothing of ours runs any more."""


class DyingStore(Store):
    """Dies around the commit that brings a job into `state`."""

    state: State
    when: str
    last: Job

    async def accept(self, job: Job, *rest: Any) -> Any:
        type(self).last = job
        self._die("before", job.state)
        admitted = await super().accept(job, *rest)
        self._die("after", job.state)
        return admitted

    async def move(self, before: Job, after: Job, **more: Any) -> Job:
        self._die("before", after.state)
        moved = await super().move(before, after, **more)
        self._die("after", after.state)
        return moved

    def _die(self, when: str, state: State) -> None:
        if (self.when, self.state) == (when, state):
            raise Crash


def dying(crash_state: State, moment: str) -> type[DyingStore]:
    class Dying(DyingStore):
        state = crash_state
        when = moment

    return Dying


@pytest.mark.parametrize(
    "state", [State.SUBMITTING, State.RENDERING, State.RENDERED, State.DELIVERED]
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_around_any_commit_is_taken_up_again_and_paid_once(
    here: World, state: State, when: str
) -> None:
    store = dying(state, when)
    async with here.bot(store_type=store) as bot:
        with pytest.raises(Crash):
            await bot.finished(await bot.accept())
    async with here.bot() as bot:
        done = await bot.finished(store.last)

        assert done.state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        assert len(here.channel.posts) == 1
        await assert_paid_once(bot, done)


async def test_a_crash_right_after_the_acceptance_keeps_the_job(here: World) -> None:
    store = dying(State.QUEUED, "after")
    async with here.bot(store_type=store) as bot:
        with pytest.raises(Crash):
            await bot.accept()
    async with here.bot() as bot:
        assert (await bot.finished(store.last)).state is State.DELIVERED
        await assert_paid_once(bot, store.last)


async def test_a_crash_right_before_the_acceptance_leaves_no_job_and_no_hold(here: World) -> None:
    store = dying(State.QUEUED, "before")
    async with here.bot(store_type=store) as bot:
        with pytest.raises(Crash):
            await bot.accept()
    async with here.bot() as bot:
        assert await bot.store.job(store.last.id) is None
        assert (await standing(bot.accounts, store.last)).bot.used_micro == 0


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_around_the_commit_of_a_failure_releases_once(here: World, when: str) -> None:
    here.runware.outcomes.add(Outcome(next="moderated"))
    store = dying(State.FAILED, when)
    async with here.bot(store_type=store) as bot:
        with pytest.raises(Crash):
            await bot.finished(await bot.accept())
    async with here.bot() as bot:
        done = await bot.finished(store.last)

        assert (done.state, done.failure) == (State.FAILED, Failure.DECLINED)
        await assert_released(bot, done)


@pytest.mark.parametrize("state", [State.LOST, State.RENDERED])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_around_the_loss_of_a_clip_or_its_return_books_each_once(
    here: World, state: State, when: str
) -> None:
    hidden = here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    store = dying(state, when)
    async with here.bot(store_type=store, give_up_after=1800) as bot:
        job = await bot.accept()
        if state is State.LOST:
            with pytest.raises(Crash):
                await bot.finished(job)
        else:
            await bot.until(job, [State.LOST])
            here.runware.faults.clear(hidden)
            with pytest.raises(Crash):
                await bot.finished(job)
    here.runware.faults.clear()
    async with here.bot(give_up_after=1800) as bot:
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        is_lost = state is State.RENDERED or when == "after"
        kinds = {Kind.HOLD, *((Kind.RELEASE, Kind.ADJUSTMENT) if is_lost else (Kind.SPEND,))}
        assert (await bot.entries(job)).keys() == kinds
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == PRICE
        assert await bot.held_micro(job) == 0


async def test_a_chain_of_crashes_still_pays_once(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
    for state in (State.SUBMITTING, State.RENDERING, State.RENDERED, State.DELIVERED):
        for _ in range(3):
            async with here.bot(store_type=dying(state, "before")) as bot:
                with pytest.raises(Crash):
                    await bot.finished(job)
        async with here.bot(store_type=dying(state, "after")) as bot:
            with pytest.raises(Crash):
                await bot.finished(job)
    async with here.bot() as bot:
        assert (await bot.reread(job)).state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        assert len(here.channel.posts) == 1
        await assert_paid_once(bot, job)


# --- On the way to its person --------------------------------------------------------------------


@pytest.mark.parametrize("is_private", [True, False])
@pytest.mark.parametrize("is_large", [True, False])
@pytest.mark.parametrize("after", [True, False])
async def test_a_crash_in_the_middle_of_posting_leaves_exactly_one_clip(
    here: World, *, is_private: bool, is_large: bool, after: bool
) -> None:
    here.usual_bytes -= is_large * (here.usual_bytes - len(clip()) + 1)
    private = {
        "wish": Wish(is_private=True, most_bytes=here.usual_bytes),
        "status_message_id": None,
        "answer": Answer(token="a", expires_at=here.clock() + 900_000),
    }
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(**private if is_private else {}), [State.RENDERED])
        bot.delivery.dies, bot.delivery.dies_after = Crash(), after
        with pytest.raises(Crash):
            await bot.work()
    async with here.bot() as bot:
        done = await bot.finished(job)
        assert done.state is State.DELIVERED
        await assert_paid_once(bot, done)
    (post,) = (here.channel.answers if is_private else here.channel.posts).values()
    assert len(here.channel.answers) + len(here.channel.posts) == 1
    assert post.clips == (clip(1, 16, 16) if is_large else clip(),)
    assert here.leftovers == []


@pytest.mark.parametrize("moment", ["before", "half", "after"])
async def test_a_crash_in_the_middle_of_a_copy_makes_it_anew_and_posts_it_once(
    here: World, moment: str
) -> None:
    async def die(source: Path, target: Path, most_bytes: int) -> None:
        if moment == "half":
            part = target.with_name(f"{target.name}.123.part")
            await asyncio.to_thread(part.write_bytes, b"half")
        elif moment == "after":
            await shrunk(source, target, most_bytes)
        raise Crash

    here.usual_bytes = len(clip()) - 1
    here.recode = die
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        with pytest.raises(Crash):
            await bot.work()
    here.recode = shrunk
    async with here.bot() as bot:
        done = await bot.finished(job)
        await assert_paid_once(bot, done)
    (post,) = here.channel.posts.values()
    assert post.clips == (clip(1, 16, 16),)
    assert here.runware.ledger.downloads == 1
    assert here.leftovers == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_around_the_commit_of_a_private_delivery_leaves_one_clip_in_its_answer(
    here: World, when: str
) -> None:
    store = dying(State.DELIVERED, when)
    async with here.bot(store_type=store) as bot:
        job = await bot.accept(
            wish=Wish(is_private=True),
            status_message_id=None,
            answer=Answer(token="a", expires_at=here.clock() + 900_000),
        )
        with pytest.raises(Crash):
            await bot.finished(job)
    async with here.bot() as bot:
        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)
    assert list(here.channel.answers) == ["a"]
    assert here.channel.posts == {}


async def test_a_crash_before_a_copy_for_oneself_costs_no_more_than_that_copy(here: World) -> None:
    store = dying(State.DELIVERED, "after")
    async with here.bot(store_type=store) as bot:
        await bot.members.set(30, MemberSettings(dm_copies=True))
        with pytest.raises(Crash):
            await bot.finished(await bot.accept())
    async with here.bot() as bot:
        assert (await bot.finished(store.last)).state is State.DELIVERED
    assert len(here.channel.posts) == 1
