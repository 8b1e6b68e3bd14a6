"""A paid clip on its way into the channel: fetched and posted, however often that takes."""

import asyncio
import errno
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import posting_words
from bot.errors import DeliveryError, Unpostable
from bot.handover import renewed
from bot.lifecycle import Clip, State
from bot.provider import Result
from bot.sandbox.runware.outcomes import Outcome
from tests.conftest import monthly
from tests.corridor import (
    NOTHING_KNOWN,
    PRICE,
    WHERE,
    World,
    assert_paid_once,
    world,
)

HOUR = 3600.0


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def test_the_clip_comes_with_its_cost_and_what_is_left(here: World) -> None:
    limits = monthly(member=5_000_000)
    async with here.bot(limits=limits) as bot:
        job = await bot.accept()
        await bot.finished(job)

    (post,) = here.channel.posts.values()
    first, last = post.text.splitlines()
    assert first == "🎬 <@30> your clip is ready"
    assert "5 s · wide 16:9 · $0.1848 · you have $4.8152 left this month" in last
    assert last.endswith(f"job {job.short_id}")
    assert post.names == (f"{job.id}-0.mp4",)


async def test_a_clip_that_comes_in_the_next_month_says_what_is_left_of_that(here: World) -> None:
    limits = monthly(member=5_000_000)
    async with here.bot(limits=limits, give_up_after=40 * 86_400) as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        here.clock.forward(seconds=31 * 86_400)
        await bot.finished(job)

    (post,) = here.channel.posts.values()
    assert "you have $5.00 left this month" in post.text
    assert "$0.1848" in post.text


async def test_who_waits_hears_of_a_slow_posting_once_and_of_a_quick_one_only_its_end(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.handover._QUICK", 60.0)  # a slow machine's quick one
    async with here.bot() as bot:
        await bot.finished(await bot.accept())
        assert "📤 Posting" not in here.channel.titles
        monkeypatch.setattr("bot.handover._QUICK", 0.0)
        here.channel.refusals.append(DeliveryError("500"))
        await bot.finished(await bot.accept())
    assert here.channel.titles.count("📤 Posting") == 1
    assert here.channel.titles[-2:] == ["📤 Posting", "✅ Done"]


@pytest.mark.parametrize("ending", ["corrupt", "expired"])
async def test_a_paid_clip_that_cannot_be_fetched_is_tried_for_ever(
    here: World, ending: Any
) -> None:
    here.runware.outcomes.add(Outcome(next=ending))
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        for _ in range(20):
            await bot.work()

        kept = await bot.reread(job)
        assert (kept.state, kept.attempts) == (State.RENDERED, 20)
        assert kept.due_at - here.clock() == HOUR * 1000
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)
        assert here.leftovers == []
        assert here.channel.titles[-1] == "📦 Finished, but not here yet"


async def test_a_paid_clip_for_which_there_is_no_room_is_told_of_and_comes_when_there_is(
    here: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with here.bot() as bot:

        async def full(url: str, path: Path) -> None:
            del url, path
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(bot.provider, "fetch", full)
            job = await bot.until(await bot.accept(), [State.RENDERED])
            await bot.work()
            assert here.channel.notes[-1] == posting_words.unfetched(job, PRICE)
            assert "a paid clip cannot be kept" in caplog.text
        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_the_last_word_is_said_again_after_a_crash_that_came_before_it(here: World) -> None:
    async with here.bot() as bot:
        await bot.finished(await bot.accept())
    here.channel.notes.clear()
    async with here.bot() as bot:
        await bot.pipeline.recover()
        assert here.channel.titles == ["✅ Done"]
    here.clock.forward(seconds=3 * 60)
    async with here.bot() as bot:  # of what was written long before the last there is no doubt
        await bot.accept()
        here.channel.notes.clear()
        await bot.pipeline.recover()
        assert here.channel.titles == []


async def test_what_somebody_else_hands_out_is_not_posted_beside_that(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        async with bot.hands.packing.turn(job.id):
            beside = asyncio.create_task(bot.pipeline.step(job))
            await asyncio.sleep(0.1)
            assert not beside.done()
            assert here.channel.posts == {}
        await beside
        assert len(here.channel.posts) == 1


async def test_a_paid_clip_whose_address_has_died_is_fetched_from_its_next(here: World) -> None:
    here.runware.settings.renew_urls = True
    here.runware.outcomes.add(Outcome(next="expired"))
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(results=4), [State.RENDERED])
        dead = [one.url for one in await bot.store.clips(job.id)]
        await bot.work()

        assert (await bot.reread(job)).state is State.DELIVERED
        assert [one.url for one in await bot.store.clips(job.id)] == [
            f"{url}?renewal=1" for url in dead
        ]
        (post,) = here.channel.posts.values()
        assert len(post.clips) == 4
        assert here.runware.ledger.accepted == 1
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == 4 * PRICE
        assert here.leftovers == []


@pytest.mark.parametrize("answer", [{"do": "drop", "times": 2}, NOTHING_KNOWN | {"times": 2}])
async def test_a_dead_address_is_asked_about_until_the_service_has_an_answer(
    here: World, answer: dict[str, Any]
) -> None:
    here.runware.settings.renew_urls = True
    here.runware.outcomes.add(Outcome(next="expired"))
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        here.trouble(match=WHERE["look"], **answer)
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        await assert_paid_once(bot, job)


def test_a_clip_that_the_service_knows_by_another_uuid_is_known_by_its_place() -> None:
    def listed(video_uuid: str, url: str) -> Result:
        return Result(video_uuid, url, None, None)

    clips = [
        Clip(job_id="job", ordinal=n, video_uuid=one, url=one, seed=None, cost_micro=None)
        for n, one in enumerate("ab")
    ]
    first, second = clips
    assert renewed(clips, []) == []
    assert renewed(clips, [listed("a", "a"), listed("b", "b")]) == []
    assert renewed(clips, [listed("b", "B")]) == [replace(second, url="B")]
    assert renewed(clips, [listed("b", "B"), listed("a", "A")]) == [
        replace(first, url="A"),
        replace(second, url="B"),
    ]
    assert renewed(clips, [listed("x", "X"), listed("y", "Y")]) == [
        replace(first, url="X"),
        replace(second, url="Y"),
    ]


@pytest.mark.parametrize("refusal", [Unpostable("gone"), DeliveryError("500")])
async def test_a_clip_that_cannot_be_posted_is_kept_and_tried_again_but_never_paid_again(
    here: World, refusal: DeliveryError
) -> None:
    here.channel.refusals.extend([refusal] * 15)
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        gaps = []
        for _ in range(15):
            await bot.work()
            kept = await bot.reread(job)
            gaps.append((kept.due_at - here.clock()) / 1000)
            assert here.leftovers == [f"{job.id}-0.mp4"]
        assert gaps == [*(2.0**n for n in range(12)), HOUR, HOUR, HOUR]
        assert here.channel.notes[-1] == posting_words.waiting(job, refusal, PRICE)

        done = await bot.finished(job)
        assert done.state is State.DELIVERED
        assert here.channel.titles[-1] == "✅ Done"
        assert here.runware.ledger.downloads == 1
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)
        assert here.leftovers == []
