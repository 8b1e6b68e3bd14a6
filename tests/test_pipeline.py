"""A job on its way through the corridor: what it becomes, what it costs, what is left behind."""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import IllegalTransition
from bot.keeper import Keeper
from bot.ledger import Kind
from bot.lifecycle import FINAL, LOOKED_AT, Job, State
from bot.provider import Progress
from bot.sandbox.runware.outcomes import Outcome
from bot.store import Store
from tests.corridor import (
    NOTHING_KNOWN,
    PRICE,
    TURBO,
    WHERE,
    World,
    assert_paid_once,
    assert_released,
    clip,
    world,
)

SLOW = "⏳ Taking longer than usual"
HOUR = 3600.0


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def test_a_wish_becomes_one_paid_task_and_one_posted_clip(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        (post,) = here.channel.posts.values()
        assert done.message_id == post.id
        assert post.clips == (clip(),)
        assert here.runware.ledger.accepted == 1
        assert here.runware.ledger.clips == 1
        assert here.runware.ledger.billed_micro == PRICE
        entries = await bot.entries(job)
        assert entries.keys() == {Kind.HOLD, Kind.SPEND}
        assert entries[Kind.SPEND].note == ""
        await assert_paid_once(bot, job)
        assert here.leftovers == []


async def test_the_status_message_tells_each_stage_once(here: World) -> None:
    async with here.bot() as bot:
        await bot.finished(await bot.accept())

    assert here.channel.titles == ["⏳ Queued", "🎞️ Animating", "✅ Done"]


async def test_four_results_are_one_task_four_clips_and_one_message(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept(results=4)
        await bot.finished(job)

        (post,) = here.channel.posts.values()
        assert len(post.clips) == 4
        assert "your 4 clips are ready" in post.text
        assert here.runware.ledger.accepted == 1
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == 4 * PRICE
        assert await bot.held_micro(job) == 0
        assert here.leftovers == []


async def test_a_model_whose_size_follows_the_picture_is_served_too(here: World) -> None:
    async with here.bot(model_id=TURBO) as bot:
        job = await bot.accept(prompt="a wave breaks", negative="people")
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == 210_000


async def test_ten_jobs_are_looked_at_in_one_request(here: World) -> None:
    async with here.bot() as bot:
        jobs = [await bot.accept() for _ in range(10)]
        await bot.work()
        before = here.runware.ledger.requests
        await bot.work()

        assert here.runware.ledger.requests == before + 1
        assert here.runware.ledger.asked["getResponse"] == 10
        assert {(await bot.finished(job)).state for job in jobs} == {State.DELIVERED}


# --- How a task may end --------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["errors", "item", "http_400"])
async def test_a_task_that_half_succeeds_is_delivered_and_says_what_is_missing(
    here: World, form: Any
) -> None:
    here.runware.settings.failure_form = form
    here.runware.outcomes.add(Outcome(next="partial"))
    async with here.bot() as bot:
        job = await bot.accept(results=2)
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        (post,) = here.channel.posts.values()
        assert len(post.clips) == 1
        assert "1 of 2 could not be made, and cost nothing." in post.text
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == PRICE
        assert await bot.held_micro(job) == 0


# --- Money that is not as expected ---------------------------------------------------------------


async def test_a_cost_above_the_hold_is_booked_in_full_and_flagged(here: World) -> None:
    here.runware.settings.price_percent = 150
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.finished(job)

        spend = (await bot.entries(job))[Kind.SPEND]
        assert spend.spent_micro == here.runware.ledger.billed_micro == 277_200
        assert spend.note == "reported cost above the hold"
        assert await bot.held_micro(job) == 0


async def test_a_cost_below_the_hold_gives_the_rest_back(here: World) -> None:
    here.runware.settings.price_percent = 50
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.finished(job)

        spend = (await bot.entries(job))[Kind.SPEND]
        assert (spend.spent_micro, spend.note) == (92_400, "")
        assert await bot.held_micro(job) == 0


async def test_a_cost_that_is_not_reported_is_booked_as_estimated_and_flagged(here: World) -> None:
    here.runware.settings.cost = "never"
    async with here.bot() as bot:
        job = await bot.accept(results=3)
        await bot.finished(job)

        spend = (await bot.entries(job))[Kind.SPEND]
        assert spend.spent_micro == 3 * PRICE
        assert spend.note == "cost not reported, estimate booked"
        assert await bot.held_micro(job) == 0


# --- Late -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("look_every", [0.5, 2.0, 10.0, 60.0])
@pytest.mark.parametrize("late_by", [0.0, 0.3, 5.0])
async def test_a_late_clip_is_announced_as_late_once_and_still_delivered(
    here: World, look_every: float, late_by: float
) -> None:
    hidden = here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    async with here.bot(look_every=look_every) as bot:
        job = await bot.accept()
        while here.clock() < job.created_at + 1_000_000:
            await bot.work(late_by)
        assert here.channel.titles.count(SLOW) == 1

        here.runware.faults.clear(hidden)
        assert (await bot.finished(job)).state is State.DELIVERED
        assert here.channel.titles.count(SLOW) == 1
        await assert_paid_once(bot, job)


async def test_a_clip_that_is_not_late_is_never_called_late(here: World) -> None:
    hidden = here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    async with here.bot() as bot:
        job = await bot.accept()
        while here.clock() < job.created_at + 570_000:  # the next look is some 20 s later
            await bot.work()
        here.runware.faults.clear(hidden)
        await bot.finished(job)

    assert SLOW not in here.channel.titles


async def test_looks_become_rare_as_a_task_grows_old(here: World) -> None:
    here.runware.outcomes.add(Outcome(next="never"))
    async with here.bot() as bot:
        job = await bot.accept()
        while here.clock() < job.created_at + HOUR * 1000:
            await bot.work()

        assert await bot.next_at() - here.clock() <= 62_000
        assert here.runware.ledger.asked["getResponse"] < 180


async def test_a_task_that_is_still_in_the_making_is_given_seven_times_the_patience(
    here: World,
) -> None:
    here.runware.outcomes.add(Outcome(next="never"))
    async with here.bot(give_up_after=1800) as bot:
        job = await bot.until(await bot.accept(), [State.LOST])

        assert 7 * 1800 <= (here.clock() - job.created_at) / 1000 < 7 * 1900
        await assert_released(bot, job)


async def test_a_clip_that_is_there_when_patience_ends_is_delivered_without_the_others(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.bot(give_up_after=1800) as bot:
        whole = bot.provider.look

        async def half(task_uuids: Sequence[str]) -> dict[str, Progress]:
            found = await whole(task_uuids)
            return {
                task: replace(one, results=one.results[:1], is_processing=True)
                for task, one in found.items()
            }

        monkeypatch.setattr(bot.provider, "look", half)
        job = await bot.accept(results=2)
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        assert (here.clock() - job.created_at) / 1000 > 1800
        assert await bot.spent_micro(job) == PRICE
        (post,) = here.channel.posts.values()
        assert "1 of 2 could not be made" in post.text


async def test_patience_with_the_service_begins_when_it_has_the_task(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.bot(give_up_after=1800) as bot:
        job = await bot.accept(results=2)
        here.clock.forward(seconds=48 * 1800)
        whole, looks = bot.provider.look, 0

        async def slowly(task_uuids: Sequence[str]) -> dict[str, Progress]:
            nonlocal looks
            looks += 1
            found = await whole(task_uuids)
            if looks == 1:  # nothing is known yet, as the service may say of a task that runs
                return {task: Progress(is_known=False) for task in found}
            if looks == 2:
                return {
                    task: replace(one, results=one.results[:1], is_processing=True)
                    for task, one in found.items()
                }
            return found

        monkeypatch.setattr(bot.provider, "look", slowly)
        assert (await bot.finished(job)).state is State.DELIVERED
        assert looks == 3
        (post,) = here.channel.posts.values()
        assert len(post.clips) == 2
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == 2 * PRICE


async def test_jobs_that_could_not_be_asked_about_are_never_given_up(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.bot(give_up_after=1800) as bot:
        job = await bot.until(await bot.accept(), [State.RENDERING])

        async def nothing(task_uuids: Sequence[str]) -> dict[str, Progress]:
            del task_uuids
            return {}

        with monkeypatch.context() as patch:
            patch.setattr(bot.provider, "look", nothing)
            here.clock.forward(seconds=30 * 1800)
            await bot.work()
            await bot.work()

        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_a_clip_that_was_made_while_the_bot_was_down_for_days_is_delivered(
    here: World,
) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERING])
    here.clock.forward(seconds=72 * HOUR)
    here.trouble(match=WHERE["look"], do="drop", times=3)  # the network comes up after the bot
    async with here.bot() as bot:
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_what_renders_is_looked_at_with_a_start_whoever_had_leased_it(here: World) -> None:
    hidden = here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERING])
        await bot.work()
    here.runware.faults.clear(hidden)
    async with here.bot() as bot:
        assert (await bot.store.agenda(here.clock())).jobs == ()
        found = (await bot.pipeline.watch.agenda(here.clock())).jobs
        assert [one.id for one in found] == [job.id]


async def test_a_start_removes_the_files_of_no_open_job_and_keeps_the_others(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        bot.pictures.keep("11111111-1111-4111-8111-111111111111", b"from a crash")
        clips = here.folder / "clips"
        clips.mkdir()
        delivered = clips / "22222222-2222-4222-8222-222222222222-0.mp4"
        delivered.write_bytes(b"delivered")
        os.utime(delivered, (0, 0))
        (clips / f"{job.id}-0.mp4.part").write_bytes(b"half")

    async with here.bot() as bot:
        await bot.pipeline.recover()
        await Keeper(here.clip_files, bot.store, bot.shelf, bot.answers, here.clock).round()
        assert here.leftovers == [f"{job.id}-0.mp4.part", f"{job.id}.jpg"]


# --- Jobs beside each other ----------------------------------------------------------------------


async def test_a_failed_job_leaves_those_beside_it_alone(here: World) -> None:
    here.runware.outcomes.add(Outcome(next="moderated"))
    async with here.bot() as bot:
        first, second = await bot.accept(), await bot.accept()
        states = [(await bot.finished(job)).state for job in (first, second)]

        assert states == [State.FAILED, State.DELIVERED]
        await assert_released(bot, first)
        await assert_paid_once(bot, second)


async def test_a_job_whose_result_cannot_be_booked_does_not_hold_up_the_others(
    here: World,
) -> None:
    class OneBadJob(Store):
        async def move(self, before: Job, after: Job, **more: Any) -> Job:
            if after.state is State.RENDERED and before.member_id == 666:
                raise OverflowError("unforeseen")
            return await super().move(before, after, **more)

    async with here.bot(store_type=OneBadJob) as bot:
        bad = await bot.accept(member_id=666)
        good = await bot.accept()
        done = await bot.finished(good)

        assert done.state is State.DELIVERED
        assert (await bot.reread(bad)).state is State.RENDERING


async def test_a_job_that_another_hand_moved_on_is_left_to_it(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERING])
        await bot.pipeline.look([job])
        moved = await bot.reread(job)
        await bot.pipeline.look([job])

        assert await bot.reread(job) == moved
        queued = await bot.accept()
        await bot.pipeline.step(queued)
        rendering = await bot.reread(queued)
        await bot.pipeline.step(queued)
        assert await bot.reread(queued) == rendering
        assert here.runware.ledger.asked["videoInference"] == 2


@pytest.mark.parametrize("state", sorted(LOOKED_AT | FINAL))
async def test_a_job_with_no_step_to_do_is_a_bug_and_says_so(here: World, state: State) -> None:
    async with here.bot() as bot:
        job = replace(await bot.accept(), state=state)
        with pytest.raises(IllegalTransition):
            await bot.pipeline.step(job)
