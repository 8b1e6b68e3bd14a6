"""A clip that was asked for in a thread, through the gateway and back: to where it can be seen.

The bot is in a process of its own. What happens at each step of the ladder is `test_ladder.py`'s.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.discord.world import THREAD, Channel
from bot.sandbox.person import Started
from bot.sandbox.runware.outcomes import Outcome
from tests.town import Town, photo_file, told, town, until

POST = {"method": "POST", "path": "/messages$"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


def opened(here: Town, parent: str = "general") -> Channel:
    """Open a thread; somebody else's, so that the bot may not unlock it."""
    world = here.discord.world
    thread = Channel(
        id=world.ids.next(),
        type=THREAD,
        guild_id=world.guild.id,
        name="night",
        parent_id=here.mia.channel_id(parent),
        owner_id=here.mia.id,
    )
    world.channels[thread.id] = thread
    here.discord.feed.channel_event("THREAD_CREATE", thread)
    return thread


def locked(here: Town, thread: Channel, *, is_locked: bool = True) -> None:
    thread.archived = thread.locked = is_locked
    here.discord.feed.channel_event("THREAD_UPDATE", thread)


async def asked(here: Town, thread: Channel) -> Started:
    """Have Mia ask in a thread, for a clip that takes a moment."""
    here.runware.outcomes.add(Outcome(next="success", render_seconds=1.0))
    await until(lambda: thread.id in {one["id"] for one in here.mia.state["channels"]})
    started = await here.animate(photo_file(), where=thread.id)
    await here.says(await here.status(started), "Animating")
    return started


def places(here: Town) -> list[Any]:
    return [one.channel_id for one in here.posts]


async def test_a_clip_comes_into_the_thread_where_it_was_asked_for(here: Town) -> None:
    thread = opened(here)
    async with here.bot():
        await here.clip(await asked(here, thread))
        await here.settled()
        assert places(here) == [thread.id]
        assert here.trouble() == []


async def test_a_clip_whose_thread_is_locked_comes_into_its_channel_and_is_mentioned_once(
    here: Town,
) -> None:
    thread = opened(here)
    async with here.bot():
        await asked(here, thread)
        locked(here, thread)
        await here.settled()
        (post,) = here.posts
        assert post.channel_id == thread.parent_id
        assert post.mentions == [here.mia.id]
        assert f"You asked for this in <#{thread.id}>" in post.content
        (job,) = here.books().jobs
        assert (str(job["message_id"]), str(job["message_channel_id"])) == (
            post.id,
            post.channel_id,
        )
        assert here.trouble() == []


async def test_a_clip_whose_thread_may_not_be_written_in_says_there_where_it_is(
    here: Town,
) -> None:
    thread = opened(here)
    async with here.bot():
        started = await asked(here, thread)
        await here.deny("general", "SEND_MESSAGES_IN_THREADS")
        await here.settled()
        status = await here.says(await here.status(started), "Done")
        assert f"Your clip is in <#{thread.parent_id}>, as I can't post here." in told(status)
        assert places(here) == [thread.parent_id]


async def test_a_bot_that_is_killed_when_its_clip_is_in_the_channel_of_the_thread_finds_it_there(
    here: Town,
) -> None:
    thread = opened(here)
    async with here.bot() as process:
        await asked(here, thread)
        locked(here, thread)
        here.trouble_at_discord(do="kill", pid=process.pid, match=POST, skip=1, when="after")
        await process.wait()
    assert places(here) == [thread.parent_id]
    here.discord.set_limits({"nonce_window_s": 0.0})
    locked(here, thread, is_locked=False)
    async with here.bot():
        (job,) = (await here.settled()).jobs
    assert places(here) == [thread.parent_id]
    assert str(job["message_channel_id"]) == thread.parent_id


async def test_a_clip_that_waits_is_tried_at_once_when_its_thread_is_unlocked(here: Town) -> None:
    thread = opened(here)
    async with here.bot():
        # Neither it nor a link to it is taken, so the next try is an hour away.
        here.trouble_at_discord(do="status", status=413, body={"code": 40005}, match=POST, times=2)
        started = await asked(here, thread)
        await here.says(await here.status(started), "Too large for this server")
        locked(here, thread, is_locked=False)
        await here.settled()
        assert places(here) == [thread.id]
