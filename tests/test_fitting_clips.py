"""Clips that are too large, or for one person alone, through the real bot and the local Discord.

The bot is in a process of its own, and so is its encoder; both are killed here.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.clip import probe
from bot.places import MIB
from bot.sandbox.discord.message import Message
from bot.sandbox.person import Started
from tests.footage import Film, likeness, make
from tests.town import Town, photo_file, told, town, until

LARGE = Film(megabytes=1.5, seconds=1, width=640, height=360)
ONE = {"ANIMATE_UPLOAD_LIMIT_MB": "1"}
KEPT = {"ANIMATE_KEEP_CLIPS_HOURS": "24"}
HALF = "*.mp4.*.part"
"""What the encoder is writing."""
EDIT = {"method": "PATCH", "path": "^/webhooks/"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


def large(here: Town, film: Film = LARGE) -> Path:
    """Have the video service hand out a large clip."""
    path = make(here.folder / "film.mp4", film)
    here.runware.settings.canned_clip = path
    return path


def content_of(message: Message) -> bytes:
    (attachment,) = message.attachments
    return attachment.content


async def assert_settled_with_one_clip(here: Town) -> Message:
    """Everything is at its end, paid once, and there is one clip anywhere."""
    await until(lambda: here.books().jobs)
    books = await here.settled(within=60)
    assert books.held_micro == 0
    assert books.spent_micro == here.runware.ledger.billed_micro
    assert here.runware.ledger.accepted == 1
    (post,) = here.posts
    return post


# --- Too large -----------------------------------------------------------------------------------


@pytest.mark.timeout(120)
async def test_a_clip_that_is_too_large_comes_as_a_smaller_copy_and_the_original_is_kept(
    here: Town,
) -> None:
    film = large(here)
    async with here.bot(**ONE | KEPT):
        shown = await here.clip(await here.animate(photo_file()), within=60)
        assert "and this server takes 1 MB, so I made a smaller copy." in shown["content"]
        post = await assert_settled_with_one_clip(here)
    posted = here.folder / "posted.mp4"
    posted.write_bytes(content_of(post))
    facts = probe(posted, whole=True)
    assert (facts.width, facts.height, facts.frames) == (640, 360, 30)
    assert facts.size <= MIB
    assert likeness(film, posted) > 0.9
    original, copy = sorted(here.leftovers, key=len)
    assert (here.data / "clips" / original).read_bytes() == film.read_bytes()
    assert copy == original.replace(".mp4", f".{MIB}.mp4")


@pytest.mark.timeout(120)
async def test_a_bot_that_is_killed_while_a_copy_is_made_makes_it_anew_and_posts_once(
    here: Town,
) -> None:
    large(here, Film(megabytes=2, seconds=4, width=640, height=360))
    clips = here.data / "clips"
    async with here.bot(**ONE) as process:
        await here.animate(photo_file())
        await until(lambda: list(clips.glob(HALF)), within=60)
        await here.crash(process)
        (part,) = clips.glob(HALF)
        child = int(part.suffixes[-2][1:])
        await until(lambda: not _is_running(child))
        assert here.posts == []
    async with here.bot(**ONE):
        post = await assert_settled_with_one_clip(here)
        assert len(content_of(post)) <= MIB
        await until(lambda: here.leftovers == [])


def _is_running(pid: int) -> bool:
    return "recode" in _read(Path(f"/proc/{pid}/cmdline"))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


# --- For one person alone ------------------------------------------------------------------------


async def private(here: Town, **options: Any) -> Started:
    return await here.animate(photo_file(), private=True, **options)


async def test_a_private_clip_is_seen_by_its_person_alone(here: Town) -> None:
    async with here.bot(), here.person("Noah") as noah:
        started = await private(here, spoiler=True)
        post = await assert_settled_with_one_clip(here)
        assert post.interaction_id == started.id
        assert (post.ephemeral, post.viewer_id) == (True, here.mia.id)
        assert post.attachments[0].filename.startswith("SPOILER_clip-")
        assert not any(one["attachments"] for one in noah.messages())
        assert here.trouble() == []
    assert _tokens(here) == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("skip", [0, 1, 2])
async def test_a_bot_that_is_killed_at_any_edit_of_a_private_answer_shows_one_clip_there(
    here: Town, skip: int, when: str
) -> None:
    async with here.bot() as process:
        here.trouble_at_discord(do="kill", pid=process.pid, match=EDIT, skip=skip, when=when)
        await private(here)
        await until(lambda: here.books().jobs)
        ended = asyncio.create_task(process.wait())
        settled = asyncio.create_task(here.settled())
        await asyncio.wait([ended, settled], return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, settled):
            task.cancel()
    here.discord.faults.clear()
    async with here.bot():
        post = await assert_settled_with_one_clip(here)
        assert post.ephemeral


async def test_a_private_clip_whose_answer_died_early_waits_and_is_in_no_channel(
    here: Town,
) -> None:
    here.discord.set_limits({"token_life_s": 0.0})
    async with here.bot():
        await private(here)
        await until(lambda: here.books().states == ["rendered"])
        await until(lambda: "the answer is out of reach" in here.log)
        assert here.posts == []
    assert _tokens(here)[0] not in here.log


def _tokens(here: Town) -> list[str]:
    path = here.data / "animate.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return [row[0] for row in db.execute("SELECT token FROM answers")]


async def test_the_queued_note_says_beforehand_that_only_its_person_sees_it(here: Town) -> None:
    here.runware.settings.render_seconds = 5
    async with here.bot():
        status = await here.status(await private(here))
        assert "Only you will see" in told(status)
