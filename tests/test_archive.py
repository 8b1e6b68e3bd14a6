"""What was made can be had again: a clip from its file or its message, a picture from either.

discord.py is real, its client only logged in; messages and their files are at the local Discord.
"""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import discord
import httpx
import pytest
from PIL import Image

from bot.archive import Archive
from bot.database import Database
from bot.encore import origin
from bot.errors import ClipBroken, PictureProblem, PictureRefused
from bot.history import History
from bot.intake import Ask
from bot.keeper import ClipFiles
from bot.ladder import Posted
from bot.lifecycle import Job, State
from bot.media import Media
from bot.pictures import Pictures
from bot.rights import ClipProblem, ClipRefused
from bot.sandbox.discord import LocalDiscord
from bot.still import first_frame
from bot.store import Store
from bot.wish import Door, Origin, Wish
from tests.conftest import NOON
from tests.corridor import ask, clip, picture
from tests.test_history import put

MIA, NOAH = 3000, 3001
PHOTO, ANOTHER = picture(640, 360), picture(320, 180)


@dataclass(slots=True)
class Here:
    """An archive, a channel of the local Discord, and a job whose clip is in it."""

    server: LocalDiscord
    client: discord.Client
    store: Store
    history: History
    files: ClipFiles
    pictures: Pictures
    archive: Archive
    channel_id: int

    @property
    def looks(self) -> int:
        """How often the message of the clip, or another of the channel, was asked for."""
        known = f"/channels/{self.channel_id}/messages/"
        return sum(one.method == "GET" and known in one.path for one in self.server.requests)

    @property
    def channel(self) -> discord.PartialMessageable:
        return self.client.get_partial_messageable(self.channel_id)

    async def job(self, *, clips: bytes | None = clip(), **changes: Any) -> Job:
        """Have a job delivered, its clip in the channel unless told otherwise."""
        place = {"guild_id": int(self.server.world.guild.id), "channel_id": self.channel_id}
        job = await put(self.store, State.DELIVERED, member_id=MIA, **place | changes)
        if clips is not None:
            post = await self.post(clips, f"clip-{job.short_id}-1.mp4")
            await self.history.note_post(job.id, Posted(self.channel_id, post.id))
        return job

    async def post(self, content: bytes, name: str) -> discord.Message:
        return await self.channel.send(file=discord.File(io.BytesIO(content), name))

    async def photo(self, content: bytes = PHOTO, author_id: int = NOAH) -> Origin:
        """Have a picture posted, and say where it is."""
        message = await self.post(content, "photo.png")
        key = f"attachment:{message.attachments[0].id}"
        return Origin(
            channel_id=self.channel_id, message_id=message.id, key=key, author_id=author_id
        )

    async def unpost(self, message_id: int) -> None:
        await self.channel.get_partial_message(message_id).delete()

    def wish(self, job: Job, **changes: Any) -> Ask:
        fields = {"member_id": MIA, "channel_id": self.channel_id} | changes
        return ask(again_of=job.id, picture_url="", **fields)

    async def refused(self, job: Job, **changes: Any) -> PictureProblem:
        with pytest.raises(PictureRefused) as caught:
            await self.archive.picture(self.wish(job, **changes))
        return caught.value.problem


@pytest.fixture
async def here(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Here]:
    async with LocalDiscord() as server, httpx.AsyncClient() as http:
        monkeypatch.setattr("discord.http.Route.BASE", server.api)
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login("a-local-token")
            store, history = Store(database), History(database)
            files = ClipFiles(folder=tmp_path / "clips", keep_for=3600, most_bytes=10**9)
            pictures = Pictures(tmp_path / "pictures", files.folder)
            archive = Archive(
                client=client,
                store=store,
                history=history,
                files=files,
                pictures=pictures,
                media=Media(http, (server.cdn_host,), 20_000_000),
            )
            channel_id = next(int(one.id) for one in server.world.channels.values())
            yield Here(server, client, store, history, files, pictures, archive, channel_id)


def size_of(content: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(content)).size


# --- Clips ---------------------------------------------------------------------------------------


async def test_a_clip_that_is_kept_is_taken_from_the_disk(here: Here) -> None:
    job = await here.job(clips=None)
    (kept,) = await here.store.clips(job.id)
    here.files.path(kept).write_bytes(b"as it was")
    (path,) = await here.archive.clips(job)
    assert path.read_bytes() == b"as it was"
    assert here.looks == 0


async def test_a_clip_that_was_swept_is_fetched_from_its_message_once(here: Here) -> None:
    job = await here.job()
    for _ in range(2):
        (path,) = await here.archive.clips(job)
        assert path.read_bytes() == clip()
    assert here.looks == 1


async def test_a_clip_without_file_and_message_is_gone(here: Here) -> None:
    job = await here.job()
    for post in await here.history.posts(job):
        if post.message_id != job.message_id:
            await here.unpost(post.message_id)
    with pytest.raises(ClipRefused) as caught:
        await here.archive.clips(job)
    assert caught.value.problem is ClipProblem.GONE


async def test_a_file_of_another_name_in_its_message_is_not_taken_for_the_clip(here: Here) -> None:
    job = await here.job(clips=None)
    post = await here.post(clip(), "clip-of-somebody-else.mp4")
    await here.history.note_post(job.id, Posted(here.channel_id, post.id))
    with pytest.raises(ClipRefused):
        await here.archive.clips(job)


async def test_a_deleted_clip_is_not_brought_back(here: Here) -> None:
    job = await here.job()
    await here.history.delete(job, NOON + 9)
    with pytest.raises(ClipRefused) as caught:
        await here.archive.clips(replace(job, deleted_at=NOON + 9))
    assert caught.value.problem is ClipProblem.DELETED


async def test_what_has_no_clip_is_said_to_have_none(here: Here) -> None:
    job = await put(here.store, State.FAILED)
    with pytest.raises(ClipRefused) as caught:
        await here.archive.clips(job)
    assert caught.value.problem is ClipProblem.UNMADE


# --- Pictures ------------------------------------------------------------------------------------


async def test_a_picture_comes_from_its_own_message(here: Here) -> None:
    job = await here.job(picture=await here.photo())
    assert await here.archive.picture(here.wish(job)) == PHOTO


async def test_where_its_message_is_gone_it_is_the_clips_first_frame(here: Here) -> None:
    where = await here.photo()
    job = await here.job(picture=where)
    await here.unpost(where.message_id)
    assert size_of(await here.archive.picture(here.wish(job))) == (64, 48)


async def test_a_picture_that_was_handed_over_is_the_clips_first_frame(here: Here) -> None:
    job = await here.job()
    assert size_of(await here.archive.picture(here.wish(job))) == (64, 48)


async def test_who_may_not_have_seen_the_whole_picture_gets_the_clips_frame(here: Here) -> None:
    job = await here.job(picture=await here.photo())
    elsewhere = here.wish(job, member_id=NOAH, channel_id=here.channel_id + 1)
    assert size_of(await here.archive.picture(elsewhere)) == (64, 48)
    beside = here.wish(job, member_id=NOAH)
    assert await here.archive.picture(beside) == PHOTO


async def test_that_a_clip_is_their_own_does_not_show_anybody_a_picture_of_another_channel(
    here: Here,
) -> None:
    # They had it made with the button below somebody else's clip, which was shown elsewhere.
    elsewhere = here.channel_id + 1
    job = await here.job(picture=await here.photo(), door=Door.AGAIN, channel_id=elsewhere)
    assert size_of(await here.archive.picture(here.wish(job, channel_id=elsewhere))) == (64, 48)
    assert await here.archive.picture(here.wish(job)) == PHOTO


async def test_their_own_picture_is_theirs_wherever_they_ask_for_it_once_more(here: Here) -> None:
    job = await here.job(picture=await here.photo())
    elsewhere = here.wish(job, channel_id=here.channel_id + 1)
    assert await here.archive.picture(elsewhere) == PHOTO


async def test_from_a_public_thread_the_pictures_of_its_channel_can_be_seen(here: Here) -> None:
    where, thread = await here.photo(), here.channel_id + 1
    job = await here.job(picture=where)
    inside = here.wish(job, member_id=NOAH, channel_id=thread, parent_channel_id=here.channel_id)
    assert await here.archive.picture(inside) == PHOTO
    asked_inside = await here.job(
        picture=where, channel_id=thread, parent_channel_id=here.channel_id
    )
    elsewhere = here.wish(asked_inside, channel_id=thread + 1)
    assert await here.archive.picture(elsewhere) == PHOTO


async def test_of_a_failed_wish_the_prepared_picture_is_at_hand_for_a_while(here: Here) -> None:
    job = await put(here.store, State.FAILED, member_id=MIA)
    here.pictures.keep(job.id, PHOTO)
    here.pictures.set_aside(job.id)
    assert here.pictures.has_spare(job.id)
    assert not here.pictures.path(job.id).exists()
    assert await here.archive.picture(here.wish(job)) == PHOTO
    here.files.sweep(here.files.listed(), (), 10**13)
    assert await here.refused(job) is PictureProblem.GONE


async def test_the_clip_of_a_clip_goes_back_to_the_first_one(here: Here) -> None:
    first = await here.job(clips=clip(width=96))
    second = await here.job(picture=origin(first), clips=clip())
    third = await here.job(picture=origin(second), clips=clip())
    assert size_of(await here.archive.picture(here.wish(third))) == (96, 48)


async def test_where_the_first_one_is_gone_its_own_clip_will_do(here: Here) -> None:
    first = await here.job(clips=clip(width=96))
    second = await here.job(picture=origin(first))
    await here.history.delete(first, NOON + 9)
    assert size_of(await here.archive.picture(here.wish(second))) == (64, 48)


async def test_where_the_first_one_was_private_only_its_person_gets_back_to_it(here: Here) -> None:
    first = await here.job(clips=clip(width=96), wish=Wish(is_private=True))
    second = await here.job(picture=origin(first), clips=clip())
    assert size_of(await here.archive.picture(here.wish(second))) == (96, 48)
    of_noah = here.wish(second, member_id=NOAH)
    assert size_of(await here.archive.picture(of_noah)) == (64, 48)


async def test_of_a_first_one_that_was_deleted_nothing_is_taken(here: Here) -> None:
    first = await here.job(clips=clip(width=96))
    second = await here.job(picture=origin(first))
    here.pictures.keep(first.id, PHOTO)
    here.pictures.set_aside(first.id)
    await here.history.delete(first, NOON + 9)
    assert size_of(await here.archive.picture(here.wish(second))) == (64, 48)


async def test_a_clip_that_is_no_video_is_no_picture(here: Here) -> None:
    job = await here.job(clips=b"<html>")
    assert await here.refused(job) is PictureProblem.GONE


async def test_of_an_unknown_job_nothing_is_known(here: Here) -> None:
    wish = ask(again_of="no such job", picture_url="")
    with pytest.raises(ClipRefused) as caught:
        await here.archive.picture(wish)
    assert caught.value.problem is ClipProblem.UNKNOWN


# --- The frame itself ----------------------------------------------------------------------------


def test_the_first_frame_is_the_first_and_as_large_as_the_clip(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip())
    frame = Image.open(io.BytesIO(first_frame(path))).convert("RGB")
    assert frame.size == (64, 48)
    assert all(abs(a - b) < 12 for a, b in zip(frame.getpixel((30, 20)), (0, 90, 160)))  # type: ignore[arg-type]  # noqa: B905


@pytest.mark.parametrize("content", [b"", b"\0" * 100, picture()])
def test_what_is_no_video_has_no_first_frame(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(ClipBroken):
        first_frame(path)


def test_a_frame_larger_than_any_screen_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip())
    monkeypatch.setattr("bot.still._MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(ClipBroken, match="64×48"):
        first_frame(path)
