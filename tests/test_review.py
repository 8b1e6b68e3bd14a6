"""What becomes of a clip that is sensitive, or in a channel for adults: posted, covered, held."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.answers import Answer
from bot.lifecycle import Job, State
from bot.policy import Flagged, Policy
from bot.sandbox.runware.outcomes import Outcome
from bot.wish import Wish
from tests.corridor import PRICE, World, assert_paid_once, clip, world

HELD = "🛡️ Held for review"
POST, SPOILER, HOLD = Flagged


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def asked(here: World, *, is_flagged: bool = True) -> Job:
    """Have a clip made, and tried to be posted."""
    here.runware.outcomes.add(Outcome(next="success", flagged=is_flagged))
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        await bot.work()
        return await bot.reread(job)


@pytest.mark.parametrize("is_private", [True, False])
@pytest.mark.parametrize("is_restricted", [True, False])
@pytest.mark.parametrize("is_flagged", [True, False])
@pytest.mark.parametrize("by_flag", Flagged)
@pytest.mark.parametrize("by_channel", Flagged)
async def test_the_strictest_of_what_applies_decides(
    here: World,
    *,
    is_private: bool,
    is_restricted: bool,
    is_flagged: bool,
    by_flag: Flagged,
    by_channel: Flagged,
) -> None:
    here.policy = Policy(flagged=by_flag, age_restricted=by_channel)
    here.is_age_restricted = is_restricted
    here.runware.outcomes.add(Outcome(next="success", flagged=is_flagged))
    answer = Answer(token="a", expires_at=here.clock() + 900_000)
    private = {"wish": Wish(is_private=True), "answer": answer, "status_message_id": None}
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(**private if is_private else {}), [State.RENDERED])
        await bot.work()
        state = (await bot.reread(job)).state

    demands = [by_flag] * is_flagged + [by_channel] * is_restricted
    posts = [*here.channel.posts.values(), *here.channel.answers.values()]
    if HOLD in demands:
        assert (state, posts, here.held) == (State.RENDERED, [], [job.id])
    else:
        assert state is State.DELIVERED
        assert [post.is_spoiler for post in posts] == [SPOILER in demands]


async def test_by_default_a_sensitive_clip_is_covered(here: World) -> None:
    await asked(here)
    (post,) = here.channel.posts.values()
    assert post.is_spoiler


async def test_a_service_that_says_nothing_of_it_calls_nothing_sensitive(here: World) -> None:
    here.policy = Policy(flagged=HOLD)
    assert (await asked(here, is_flagged=False)).state is State.DELIVERED


# --- Held ----------------------------------------------------------------------------------------


async def test_a_held_clip_is_kept_and_its_person_and_the_moderators_are_told(here: World) -> None:
    here.policy = Policy(flagged=HOLD)
    job = await asked(here)
    assert here.channel.titles[-1] == HELD
    assert "marked this clip as sensitive" in here.channel.notes[-1].body
    assert "$0.1848 is paid" in here.channel.notes[-1].body
    assert here.held == [job.id]
    assert here.leftovers == [f"{job.id}-0.mp4"]


async def test_a_held_clip_stays_held_and_the_moderators_are_told_once(here: World) -> None:
    here.policy = Policy(flagged=HOLD)
    job = await asked(here)
    for _ in range(5):
        async with here.bot() as bot:
            await bot.work()
    assert (job.id, here.held) == (job.id, [job.id])
    assert here.channel.posts == {}
    assert here.runware.ledger.downloads == 1


async def test_moderators_who_could_not_be_told_are_told_later(here: World) -> None:
    here.policy = Policy(flagged=HOLD)
    here.tells_fail = 2
    job = await asked(here)
    async with here.bot() as bot:
        await bot.work()
        await bot.work()
        assert here.held == [job.id]
        assert (await bot.reread(job)).state is State.RENDERED


async def test_what_a_moderator_lets_out_is_posted_under_a_cover(here: World) -> None:
    here.policy = Policy(flagged=HOLD)
    job = await asked(here)
    async with here.bot() as bot:
        now = here.clock()
        assert await bot.shelf.let_out(job.id, 7)
        assert not await bot.shelf.let_out("nothing", 7)
        done = await bot.finished(job)
        assert (done.state, here.clock()) == (State.DELIVERED, now)
        assert not await bot.shelf.let_out(job.id, 7)
        await assert_paid_once(bot, done)
        (row,) = await bot.database.run(
            lambda db: db.execute("SELECT let_out_by, let_out_at FROM reviews").fetchall()
        )
        assert tuple(row) == (7, now)
    (post,) = here.channel.posts.values()
    assert post.is_spoiler
    assert post.clips == (clip(),)
    assert here.runware.ledger.billed_micro == PRICE


async def test_what_is_not_held_cannot_be_let_out(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        assert not await bot.shelf.let_out(job.id, 7)


async def test_a_held_clip_is_not_handed_out_to_its_person_either(here: World) -> None:
    here.policy = Policy(flagged=HOLD)
    job = await asked(here)
    async with here.bot() as bot:
        answer = Answer(token="a", expires_at=here.clock() + 900_000)
        assert not await bot.shelf.hand_out(job.id, answer)


async def test_rules_that_are_made_milder_let_go_what_was_held(here: World) -> None:
    here.policy = Policy(flagged=HOLD)
    job = await asked(here)
    here.policy = Policy(flagged=POST)
    async with here.bot() as bot:
        assert (await bot.finished(job)).state is State.DELIVERED
    (post,) = here.channel.posts.values()
    assert not post.is_spoiler


async def test_in_a_channel_for_adults_nobody_says_that_the_service_has_marked_it(
    here: World,
) -> None:
    here.policy, here.is_age_restricted = Policy(age_restricted=HOLD), True
    await asked(here, is_flagged=False)
    assert here.channel.titles[-1] == HELD
    assert (
        "A moderator looks at clips in this channel before they are posted"
        in here.channel.notes[-1].body
    )
