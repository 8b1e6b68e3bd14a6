"""Clips for one person's eyes: in their answer while it lives, then directly, else on the shelf."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.answers import Answer
from bot.errors import DeliveryError, StoreError
from bot.history import History
from bot.ladder import Posted
from bot.lifecycle import Job, State
from bot.members import MemberSettings
from bot.wish import Wish
from tests.corridor import Bot, World, clip, world

QUARTER = 900.0
PRIVATE = Wish(is_private=True, most_bytes=10_000_000)
KEPT = "📦 Finished, and kept for you"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


def answer(here: World, token: str = "first", **more: object) -> Answer:
    return Answer(token=token, expires_at=here.clock() + 900_000, **more)  # type: ignore[arg-type]


async def asked(here: World, bot: Bot, **wish: object) -> Job:
    """Have a private clip rendered."""
    given = {"wish": PRIVATE, "status_message_id": None, "answer": answer(here)} | wish
    return await bot.until(await bot.accept(**given), [State.RENDERED])


# --- In the answer -------------------------------------------------------------------------------


async def test_a_private_clip_comes_into_its_answer_and_into_no_channel(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.finished(await asked(here, bot))
        assert job.state is State.DELIVERED
        assert await bot.answers.of(job.id) is None

    assert here.channel.posts == {}
    (post,) = here.channel.answers.values()
    assert post.clips == (clip(),)
    assert "your clip is ready" in post.text
    assert "✅ Done" not in here.channel.titles  # it would take the place of that text


async def test_it_is_told_beforehand_who_sees_it_and_for_how_long(here: World) -> None:
    async with here.bot() as bot:
        job = await asked(here, bot)
    queued = here.channel.notes[0]
    until = (job.created_at + 900_000) // 1000
    assert f"Only you will see your clip: here, until <t:{until}:t>." in queued.body
    assert "it waits in `/history`" in queued.body
    assert not any("mention you" in note.body for note in here.channel.notes)


async def test_all_clips_of_a_private_wish_come_into_the_one_answer_however_small_that_makes_them(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit can be repeated, a second message could come twice."""
    async with here.bot() as bot:
        await bot.finished(await asked(here, bot, results=4))
        monkeypatch.setattr("bot.packing.MOST_AT_ONCE", 4 * len(clip()) - 1)
        await bot.finished(await asked(here, bot, results=4, answer=answer(here, "second")))
    first, second = here.channel.answers.values()
    assert first.clips == (clip(),) * 4
    assert second.clips == (clip(1, 16, 16),) * 4


async def test_what_an_answer_takes_counts_and_not_what_the_server_does(here: World) -> None:
    here.usual_bytes = 1
    async with here.bot() as bot:
        await bot.finished(await asked(here, bot))
        wish = Wish(is_private=True, most_bytes=len(clip()) - 1)
        await bot.finished(await asked(here, bot, wish=wish, answer=answer(here, "second")))
    first, second = here.channel.answers.values()
    assert first.clips == (clip(),)
    assert second.clips == (clip(1, 16, 16),)
    assert "so I made a smaller copy." in second.text
    assert "this server" not in second.text


async def test_a_restart_does_not_forget_where_a_private_clip_belongs(here: World) -> None:
    async with here.bot() as bot:
        job = await asked(here, bot)
    async with here.bot() as bot:
        await bot.finished(job)
    assert list(here.channel.answers) == ["first"]
    assert here.channel.posts == {}


async def test_an_edit_whose_answer_was_lost_is_done_again_soon_and_makes_no_second_clip(
    here: World,
) -> None:
    here.channel.refusals.extend([DeliveryError("503")] * 7)
    async with here.bot() as bot:
        job = await asked(here, bot)
        gaps = []
        while (await bot.reread(job)).state is State.RENDERED:
            await bot.work()
            gaps.append(((await bot.reread(job)).due_at - here.clock()) / 1000)
    assert max(gaps) <= 30
    assert len(here.channel.answers) == 1
    assert here.channel.posts == {}


# --- When the answer is out of reach -------------------------------------------------------------


@pytest.mark.parametrize("may_dm", [True, False])
async def test_a_late_private_clip_comes_directly_to_who_wished_for_that_else_it_waits(
    here: World, *, may_dm: bool
) -> None:
    async with here.bot() as bot:
        await bot.members.set(30, MemberSettings(dm_when_lost=may_dm))
        job = await asked(here, bot)
        here.clock.forward(seconds=QUARTER)
        await bot.work()
        assert here.channel.answers == {}
        assert len(here.channel.posts) == may_dm
        if not may_dm:
            assert (await bot.reread(job)).state is State.RENDERED
            assert (await bot.shelf.waiting(30)).clips == 1
            assert here.channel.titles[-1] == KEPT


async def test_a_token_that_discord_refuses_is_as_good_as_none(here: World) -> None:
    here.channel.dead_tokens.add("first")
    async with here.bot() as bot:
        job = await asked(here, bot)
        await bot.work()
        assert (await bot.reread(job)).state is State.RENDERED
    assert here.channel.answers == here.channel.posts == {}


async def test_a_private_clip_that_waits_is_handed_out_into_a_later_answer(here: World) -> None:
    async with here.bot() as bot:
        job = await asked(here, bot)
        here.clock.forward(seconds=QUARTER)
        await bot.work()
        assert await bot.shelf.hand_out(job.id, answer(here, "second", most_bytes=5_000_000))
        done = await bot.finished(job)
        assert done.state is State.DELIVERED
        assert not await bot.shelf.hand_out(job.id, answer(here, "third"))
    assert list(here.channel.answers) == ["second"]
    assert here.channel.posts == {}
    assert here.runware.ledger.downloads == 1


async def test_whoever_fetches_a_clip_that_its_channel_does_not_take_has_it(here: World) -> None:
    here.channel.refusals.append(DeliveryError("503"))
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        await bot.work()
        assert await bot.shelf.hand_out(job.id, answer(here))
        await bot.finished(job)
    assert list(here.channel.answers) == ["first"]
    assert here.channel.posts == {}


async def test_a_fetched_clip_whose_answer_dies_goes_where_it_was_asked_for(here: World) -> None:
    here.channel.refusals.append(DeliveryError("503"))
    here.channel.dead_tokens.add("first")
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        await bot.work()
        assert await bot.shelf.hand_out(job.id, answer(here))
        await bot.finished(job)
    assert here.channel.answers == {}
    assert len(here.channel.posts) == 1


async def test_a_clip_that_is_still_made_cannot_be_fetched(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        assert not await bot.shelf.hand_out(job.id, answer(here))
        assert not await bot.shelf.hand_out("nothing", answer(here))


async def test_an_answer_that_only_shows_the_status_gets_no_clip(here: World) -> None:
    async with here.bot() as bot:
        accepted = await bot.accept(status_message_id=None, answer=answer(here))
        await bot.finished(accepted)
    assert here.channel.answers == {}
    assert len(here.channel.posts) == 1
    assert here.channel.titles[-1] == "✅ Done"


# --- A copy for oneself --------------------------------------------------------------------------


@pytest.mark.parametrize("is_private", [True, False])
async def test_who_wishes_for_copies_gets_each_clip_directly_too(
    here: World, *, is_private: bool
) -> None:
    wish = {"wish": PRIVATE, "status_message_id": None, "answer": answer(here)}
    async with here.bot() as bot:
        await bot.members.set(30, MemberSettings(dm_copies=True))
        job = await bot.finished(await bot.accept(**wish if is_private else {}))
        known = await History(bot.database).posts(job)
    posts = [*here.channel.posts.values(), *here.channel.answers.values()]
    assert [post.clips for post in posts] == [(clip(),)] * 2
    assert {one.message_id for one in known} == {one.id for one in posts}  # to be deleted with it
    assert here.leftovers == []


async def test_a_copy_that_fails_is_not_tried_again_and_the_clip_is_there(here: World) -> None:
    async with here.bot() as bot:
        await bot.members.set(30, MemberSettings(dm_copies=True))
        job = await bot.until(await bot.accept(), [State.RENDERED])
        bot.delivery.copies_fail = True
        done = await bot.finished(job)
        assert done.state is State.DELIVERED
        assert done.attempts == 0
    assert len(here.channel.posts) == 1
    assert here.channel.titles[-1] == "✅ Done"


async def test_a_copy_that_cannot_be_noted_is_no_trouble_for_the_clip(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise StoreError

    async with here.bot() as bot:
        await bot.members.set(30, MemberSettings(dm_copies=True))
        monkeypatch.setattr(History, "note_post", lost)
        done = await bot.finished(await bot.accept())
        assert done.state is State.DELIVERED
    assert len(here.channel.posts) == 2
    assert here.leftovers == []


async def test_a_clip_that_is_deleted_before_its_copy_is_sent_is_delivered_and_has_none(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.bot() as bot:
        copy = bot.delivery.post_copy

        async def late(job: Job, *args: Any) -> Posted:
            here.clip_files.remove(job.id)
            return await copy(job, *args)

        await bot.members.set(30, MemberSettings(dm_copies=True))
        monkeypatch.setattr(bot.delivery, "post_copy", late)
        done = await bot.finished(await bot.accept())
        assert done.state is State.DELIVERED
    assert len(here.channel.posts) == 1
