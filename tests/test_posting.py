"""What the pipeline does to bring a paid clip into the channel, and what it says meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import DeliveryError, StoreError, TooLarge, Unpostable
from bot.lifecycle import Job, State
from bot.store import Store
from tests.corridor import TURBO, World, model, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def test_a_disk_that_stays_full_fills_no_channel(here: World) -> None:
    class FullDisk(Store):
        async def move(self, before: Job, after: Job, **more: Any) -> Job:
            if before.state is State.RENDERED:
                raise StoreError("database or disk is full")
            return await super().move(before, after, **more)

    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
    async with here.bot(store_type=FullDisk) as bot:
        for _ in range(3):
            with pytest.raises(StoreError):
                await bot.work()
    assert here.channel.attempts == 0

    async with here.bot() as bot:
        assert (await bot.finished(job)).state is State.DELIVERED
    assert here.channel.attempts == 1


# --- What a person hears meanwhile ---------------------------------------------------------------

BEFORE = ["⏳ Queued", "🎞️ Animating"]
CLOSED = "📦 Finished, but I can't post it here"
LARGE = "📦 Too large for this server"
PASSING = "📦 Finished, but not posted yet"
UNFETCHED = "📦 Finished, but not here yet"


@pytest.mark.parametrize("times", [1, 2])
async def test_trouble_that_passes_soon_is_not_worth_a_word(here: World, times: int) -> None:
    here.channel.refusals.extend([DeliveryError("503")] * times)
    async with here.bot() as bot:
        await bot.finished(await bot.accept())
    assert here.channel.titles == [*BEFORE, "✅ Done"]


async def test_trouble_that_does_not_pass_is_told_from_the_third_try_on(here: World) -> None:
    here.channel.refusals.extend([DeliveryError("503")] * 3)
    async with here.bot() as bot:
        await bot.finished(await bot.accept())
    assert here.channel.titles == [*BEFORE, PASSING, "✅ Done"]
    assert "$0.1848 is paid; trying again is free." in here.channel.notes[2].body


async def test_a_clip_that_is_not_handed_over_is_told_from_the_third_try_on(here: World) -> None:
    here.trouble(match={"path": "^/video/"}, do="status", status=503, times=3)
    async with here.bot() as bot:
        await bot.finished(await bot.accept())
    assert here.channel.titles == [*BEFORE, UNFETCHED, "✅ Done"]


async def test_a_channel_that_is_closed_to_the_bot_is_told_at_once(here: World) -> None:
    here.channel.refusals.append(Unpostable("403"))
    async with here.bot() as bot:
        await bot.finished(await bot.accept())
    assert here.channel.titles == [*BEFORE, CLOSED, "✅ Done"]


async def test_a_clip_that_is_too_large_is_told_at_once_and_tried_rarely(here: World) -> None:
    here.channel.refusals.extend([TooLarge("413")] * 2)
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        await bot.work()
        assert (await bot.reread(job)).due_at - here.clock() == 3_600_000
        assert here.channel.titles == [*BEFORE, LARGE]
        assert len(here.leftovers) == 1

        await bot.finished(job)
        assert here.channel.attempts == 3
    assert here.channel.titles[-1] == "✅ Done"


async def test_a_clip_ordered_from_another_model_than_the_present_one_is_not_called_by_its_name(
    here: World,
) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.SUBMITTING, State.RENDERING])
    async with here.bot(model_id=TURBO) as bot:
        await bot.finished(job)
    title = model(TURBO).title
    assert not any(title in note.title + note.body for note in here.channel.notes)


# --- A task that cannot be sent ------------------------------------------------------------------

UNSENT = "⏳ Not sent yet"


async def test_who_waits_for_a_task_to_be_sent_hears_of_it_once(here: World) -> None:
    rule = here.trouble(match={"label": "^videoInference$"}, do="status", status=503, times=None)
    async with here.bot() as bot:
        job = await bot.accept()
        while here.clock() < job.created_at + 590_000:
            await bot.work()
        while here.clock() < job.created_at + 7_200_000:
            await bot.work()
        assert here.channel.titles == ["⏳ Queued", UNSENT]
        assert "$0.1848 is held." in here.channel.notes[-1].body

        here.runware.faults.clear(rule)
        await bot.finished(job)
    assert here.channel.titles == ["⏳ Queued", UNSENT, "🎞️ Animating", "✅ Done"]


async def test_a_task_that_is_first_tried_late_is_told_late_once(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
    here.clock.forward(seconds=1200)
    here.trouble(match={"label": "^videoInference$"}, do="status", status=503, times=3)
    async with here.bot() as bot:
        await bot.finished(job)
    assert here.channel.titles == ["⏳ Queued", UNSENT, "🎞️ Animating", "✅ Done"]


# --- What it cost --------------------------------------------------------------------------------


async def test_a_cost_above_the_hold_is_told_with_the_clip(here: World) -> None:
    here.runware.settings.price_percent = 150
    async with here.bot() as bot:
        await bot.finished(await bot.accept())
    (post,) = here.channel.posts.values()
    assert "charged $0.2772, more than the $0.1848 I had estimated." in post.text
