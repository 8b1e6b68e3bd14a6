"""What is posted of a clip that does not fit: a smaller copy, or a link, and what is said of it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.errors import CopyFailed
from bot.lifecycle import Job, State
from bot.posting_words import megabytes
from bot.wish import Wish
from tests.corridor import LINKS_LIVE, World, clip, shrunk, world

WHOLE, SMALL = clip(), clip(1, 16, 16)
SMALLER = "so I made a smaller copy."


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


def failing(*, times: int, is_final: bool = False) -> Callable[..., Awaitable[None]]:
    """An encoder that breaks so often, and then works."""
    left = [times]

    async def recode(source: Path, target: Path, most_bytes: int) -> None:
        if left[0]:
            left[0] -= 1
            problem = CopyFailed("exit 137")
            problem.is_final = is_final
            raise problem
        await shrunk(source, target, most_bytes)

    return recode


async def delivered(here: World, **wish: object) -> Job:
    async with here.bot() as bot:
        job = await bot.finished(await bot.accept(**wish))
    assert job.state is State.DELIVERED
    return job


# --- As it is, or smaller ------------------------------------------------------------------------


async def test_a_clip_that_fits_is_posted_byte_for_byte_and_nothing_is_said_of_it(
    here: World,
) -> None:
    here.usual_bytes = here.channel.most_bytes = len(WHOLE)
    await delivered(here)
    (post,) = here.channel.posts.values()
    assert post.clips == (WHOLE,)
    assert "copy" not in post.text
    assert here.channel.attempts == 1


async def test_a_clip_over_the_known_limit_is_not_even_tried_as_it_is(here: World) -> None:
    here.usual_bytes = len(WHOLE) - 1
    await delivered(here)
    (post,) = here.channel.posts.values()
    assert post.clips == (SMALL,)
    assert here.channel.attempts == 1
    _, remark, _ = post.text.splitlines()
    sizes = (megabytes(len(WHOLE)), megabytes(len(WHOLE) - 1))
    assert remark == f"📦 The clip is {sizes[0]} and this server takes {sizes[1]}, {SMALLER}"


async def test_a_refusal_is_the_last_word_on_what_fits(here: World) -> None:
    here.channel.most_bytes = len(WHOLE) - 1
    await delivered(here)
    (post,) = here.channel.posts.values()
    assert post.clips == (SMALL,)
    assert SMALLER in post.text
    assert here.channel.attempts == 2
    assert here.channel.titles[-1] == "✅ Done"


async def test_of_several_clips_each_is_made_smaller_that_must_be(here: World) -> None:
    here.usual_bytes = len(WHOLE) - 1
    await delivered(here, results=3)
    (post,) = here.channel.posts.values()
    assert post.clips == (SMALL,) * 3
    assert "so I made smaller copies." in post.text


async def test_the_original_and_the_copy_are_kept_as_long_as_clips_are(here: World) -> None:
    here.usual_bytes = len(WHOLE) - 1
    here.keep_for = 3600
    job = await delivered(here)
    names = [f"{job.id}-0.mp4", f"{job.id}-0.{len(WHOLE) - 1}.mp4"]
    assert sorted(here.leftovers) == sorted(names)
    assert (here.folder / "clips" / names[0]).read_bytes() == WHOLE

    here.clock.forward(seconds=3600)
    files = here.clip_files
    files.sweep(files.listed(), (), here.clock())
    assert here.leftovers == []


async def test_where_nothing_is_kept_the_copy_goes_too(here: World) -> None:
    here.usual_bytes = len(WHOLE) - 1
    await delivered(here)
    assert here.leftovers == []


@pytest.mark.parametrize("container", ["mov", "matroska"])
async def test_a_clip_that_not_everybody_can_play_is_posted_as_an_mp4(
    here: World, container: str
) -> None:
    assert here.runware.settings.canned_clip is not None
    here.runware.settings.canned_clip.write_bytes(clip(container=container))
    await delivered(here)
    (post,) = here.channel.posts.values()
    assert post.clips == (SMALL,)
    assert "copy" not in post.text  # it is not smaller because it must be


# --- Where no copy can be made -------------------------------------------------------------------


async def test_an_encoder_that_breaks_is_tried_again(here: World) -> None:
    here.usual_bytes = len(WHOLE) - 1
    here.recode = failing(times=2)
    job = await delivered(here)
    (post,) = here.channel.posts.values()
    assert post.clips == (SMALL,)
    assert "📦 Finished, but not here yet" in here.channel.titles
    assert f"job {job.short_id}" in post.text


@pytest.mark.parametrize(("times", "is_final", "tries"), [(99, False, 3), (99, True, 1)])
async def test_where_no_copy_helps_the_clip_comes_as_a_link_and_the_job_is_done(
    here: World, times: int, is_final: bool, tries: int
) -> None:
    here.usual_bytes = len(WHOLE) - 1
    here.recode = failing(times=times, is_final=is_final)
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        (made,) = await bot.store.clips(job.id)
        for _ in range(tries):
            assert not here.channel.posts
            await bot.work()
        assert (await bot.reread(job)).state is State.DELIVERED

    (post,) = here.channel.posts.values()
    assert post.clips == ()
    (link,) = post.links
    assert f"({made.url}#clip-{job.short_id}-1)" in link
    assert "no smaller copy could be made" in link
    until = int(re.findall(r"<t:(\d+):f>", link)[0])
    assert until == job.created_at // 1000 + LINKS_LIVE
    assert here.channel.titles[-1] == "✅ Done"


async def test_a_link_is_better_than_nothing_for_a_place_that_takes_no_file(here: World) -> None:
    here.channel.most_bytes = 1
    here.recode = failing(times=99, is_final=True)
    await delivered(here)
    (post,) = here.channel.posts.values()
    assert post.links


async def test_a_clip_that_only_some_can_play_is_posted_where_no_copy_can_be_made(
    here: World,
) -> None:
    assert here.runware.settings.canned_clip is not None
    there = clip(container="mov")
    here.runware.settings.canned_clip.write_bytes(there)
    here.recode = failing(times=99, is_final=True)
    await delivered(here)
    (post,) = here.channel.posts.values()
    assert post.clips == (there,)


# --- What was ordered ----------------------------------------------------------------------------


async def test_a_clip_that_is_not_what_was_ordered_is_delivered_and_the_log_says_so(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    await delivered(here)
    assert "not what was ordered" in caplog.text
    assert "64x48 instead of 1280x720, 0.50 s instead of 5 s" in caplog.text


# --- A cover -------------------------------------------------------------------------------------


async def test_who_wishes_for_a_cover_gets_one(here: World) -> None:
    await delivered(here, wish=Wish(is_spoiler=True))
    await delivered(here)
    assert [post.is_spoiler for post in here.channel.posts.values()] == [True, False]
