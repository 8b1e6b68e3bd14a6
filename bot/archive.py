"""Gets back what was made: the files of a job's clips, and the picture that they were made of.

A clip: the file that is kept yet, else its own message, which the bot may always read. A picture:
its message, where whoever asks could see it too; what is kept of a failed wish; else the clip,
whose first frame it is. Nothing is fetched from an address that somebody typed, or that was kept.
"""

import asyncio
import logging
from pathlib import Path

import discord

from bot import encore, finder
from bot.errors import (
    ClipBroken,
    PictureProblem,
    PictureRefused,
    ProviderError,
)
from bot.history import History
from bot.intake import Ask
from bot.keeper import ClipFiles
from bot.ladder import NO_ANSWER, Posted, attached
from bot.lifecycle import Clip, Job
from bot.media import Media
from bot.pictures import Pictures
from bot.rights import ClipProblem, ClipRefused
from bot.still import first_frame
from bot.store import Store

log = logging.getLogger(__name__)

_TROUBLE = (discord.DiscordException, *NO_ANSWER)


class Archive:
    """Reads with `client`, which must be logged in."""

    def __init__(
        self,
        *,
        client: discord.Client,
        store: Store,
        history: History,
        files: ClipFiles,
        pictures: Pictures,
        media: Media,
    ) -> None:
        self._client = client
        self._store = store
        self._history = history
        self._files = files
        self._pictures = pictures
        self._media = media

    async def clips(self, job: Job) -> list[Path]:
        """Return the files of a job's clips, in their order. Raises `ClipRefused`."""
        if job.deleted_at is not None:
            raise ClipRefused(ClipProblem.DELETED)
        clips = await self._store.clips(job.id)
        if not clips:
            raise ClipRefused(ClipProblem.UNMADE)
        paths = [self._files.path(clip) for clip in clips]
        if not all(path.exists() for path in paths):
            await self._fetch(job, clips)
        if not all(path.exists() for path in paths):
            raise ClipRefused(ClipProblem.GONE)
        return paths

    async def picture(self, ask: Ask) -> bytes:
        """Return the picture that the job `again_of` was for, as a file's bytes.

        A member gets to see no more of it than what they could see before. Raises `UserError`.
        """
        job = await self._history.job(ask.again_of)
        if job is None:
            raise ClipRefused(ClipProblem.UNKNOWN)
        for one in (await self._first_of(job, ask), job):
            found = one and await self._picture_of(one, ask)
            if found:
                return found
        raise PictureRefused(PictureProblem.GONE)

    async def _first_of(self, job: Job, ask: Ask) -> Job | None:
        """Return the job whose picture it was before: with each clip of a clip some is lost.

        None where that one is deleted, or was for its person alone and somebody else asks.
        """
        first_id = encore.first_of(job)
        first = await self._history.job(first_id) if first_id else None
        if first is None or first.guild_id != job.guild_id or first.deleted_at is not None:
            return None
        is_hidden = first.wish.is_private and ask.member_id != first.member_id
        return None if is_hidden else first

    async def _picture_of(self, job: Job, ask: Ask) -> bytes | None:
        """Return the picture of one job, None where it is not to be had any more."""
        found = await self._source(job) if _can_see(ask, job) else None
        return (
            found
            or await asyncio.to_thread(self._pictures.spare, job.id)
            or await self._first_frame(job)
        )

    async def _source(self, job: Job) -> bytes | None:
        """Return the picture from its own message, None where that is gone or closed to us."""
        if job.picture is None or encore.first_of(job):
            return None
        try:
            found = await finder.again(self._client, job.picture, job.guild_id)
            return None if found is None else await self._media.fetch(found.url)
        except (PictureRefused, *_TROUBLE) as error:
            log.info("job %s: not from its message: %s", job.short_id, type(error).__name__)
            return None

    async def _first_frame(self, job: Job) -> bytes | None:
        try:
            paths = await self.clips(job)
            return await asyncio.to_thread(first_frame, paths[0])
        except (ClipRefused, ClipBroken) as error:
            log.info("job %s: not from its clip: %s", job.short_id, error)
            return None

    async def _fetch(self, job: Job, clips: list[Clip]) -> None:
        """Fetch the clips from the messages that carry them, as far as those are there."""
        wanted = dict(enumerate(clips, start=1))
        for post in await self._history.posts(job):
            for number, url in (await self._attached(job, post)).items():
                path = self._files.path(wanted[number]) if number in wanted else None
                if path is None or path.exists():
                    continue
                try:
                    await self._media.save(url, path)
                except ProviderError as error:
                    log.info("job %s: a clip is not to be had: %s", job.short_id, error)

    async def _attached(self, job: Job, post: Posted) -> dict[int, str]:
        """Return the addresses of the clips in a message, by their numbers."""
        channel = self._client.get_partial_messageable(post.channel_id)
        try:
            message = await channel.fetch_message(post.message_id)
        except _TROUBLE as error:
            log.info("job %s: a message of it is not to be had: %s", job.short_id, error)
            return {}
        return {number: one.url for number, one in attached(message, job).items()}


def _can_see(ask: Ask, job: Job) -> bool:
    """Tell whether who asks sees the picture of a job where they are, or saw it where it was made.

    That the job is their own is not enough: with a button they may have had it made elsewhere, of a
    clip that was shown there. Who is in a public thread sees its channel too.
    """
    places = {ask.channel_id, ask.parent_channel_id}
    if ask.member_id == job.member_id:
        places |= {job.channel_id, job.parent_channel_id}
    return job.picture is not None and job.picture.channel_id in places
