"""Hands out the clips of a job once more: into an answer to an interaction, or a direct message.

What was paid and could not be posted yet is delivered by that. What a server's rules hold back is
held back here too. Whether somebody may have it is decided at the door.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

from bot import clip_words, docket_words, lifecycle, words
from bot.answers import Answer
from bot.archive import Archive
from bot.clip import probe
from bot.copies import Original
from bot.delivery import Copy
from bot.errors import StaleJob
from bot.handover import Hands
from bot.history import History
from bot.ladder import Posted
from bot.lifecycle import Event, Job, State
from bot.packing import Contents
from bot.policy import Flagged
from bot.rights import ClipProblem, ClipRefused
from bot.store import Store

log = logging.getLogger(__name__)

_DIRECTLY = Copy("again")
_WHILE_POSTING = 900_000
"""Milliseconds for which the worker leaves a clip alone that is handed out here: a smaller copy may
take minutes, and an answer lives for a quarter of an hour."""


class Reissue:
    """`clock` returns Unix milliseconds."""

    def __init__(
        self,
        store: Store,
        history: History,
        archive: Archive,
        hands: Hands,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._history = history
        self._archive = archive
        self._packing = hands.packing
        self._delivery = hands.delivery
        self._review = hands.review
        self._files = hands.files
        self._clock = clock

    async def into(
        self, answer: Answer, job: Job, *, is_public: bool, is_restricted: bool = False
    ) -> None:
        """Put a job's clips into an answer, in an age-restricted channel if so.

        Raises `UserError`, `DeliveryError`, `StoreError`.
        """
        async with self._turn(job):
            job, contents = await self._begin(job, is_restricted=is_restricted)
            posted = await self._packing.post_in(answer, job, contents)
            if is_public:
                await self._history.note_post(job.id, posted)
            await self._end(job, posted, contents)

    async def directly(self, job: Job) -> None:
        """Send a job's clips to its member's direct messages. Raises as `into` does.

        Each message is noted, whatever becomes of the job: whoever deletes it takes them too.
        """
        async with self._turn(job):
            job, contents = await self._begin(job)
            noted = partial(self._history.note_post, job.id)
            posted = await self._packing.post_copy(job, contents, _DIRECTLY, noted)
            await self._end(job, posted, contents)

    @contextlib.asynccontextmanager
    async def _turn(self, job: Job) -> AsyncIterator[None]:
        turn = self._packing.turn(job.id)
        if turn.locked() and job.state is State.RENDERED:
            raise ClipRefused(ClipProblem.ON_ITS_WAY)
        async with turn:
            yield

    async def look(self, answer: Answer, job: Job) -> None:
        """Put a job's clips into a moderator's private answer, covered; nothing comes of it.

        Raises as `into` does.
        """
        paths = await self._archive.clips(job)
        contents = Contents(
            clips=await self._store.clips(job.id),
            originals=await _opened(paths),
            text=lambda _: docket_words.looked_at(job),
            is_spoiler=True,
            has_presses=False,
        )
        await self._packing.post_in(answer, job, contents)

    async def check_public(self, job: Job, *, is_restricted: bool) -> None:
        """Refuse what may not be shown to everybody, in an age-restricted channel or another.

        Raises `ClipRefused` or `StoreError`.
        """
        if self._review.is_restricted(job) and not is_restricted:
            raise ClipRefused(ClipProblem.FOR_ADULTS)
        clips = await self._store.clips(job.id)
        if await self._review.verdict(job, clips) is Flagged.HOLD:
            raise ClipRefused(ClipProblem.HELD)
        if await self._review.verdict(job, clips, is_restricted=is_restricted) is Flagged.HOLD:
            raise ClipRefused(ClipProblem.REVIEWED)

    async def _begin(self, job: Job, *, is_restricted: bool = False) -> tuple[Job, Contents]:
        """Get the clips back; of what waits to be posted, have the worker leave it alone."""
        paths = await self._archive.clips(job)
        clips = await self._store.clips(job.id)
        verdict = await self._review.verdict(job, clips, is_restricted=is_restricted)
        # What was delivered once, its person has: rules of later do not take it away from them.
        if verdict is Flagged.HOLD and job.state is not State.DELIVERED:
            raise ClipRefused(ClipProblem.HELD)
        if job.state is State.RENDERED:
            now = self._clock()
            try:
                job = await self._store.move(job, lifecycle.again(job, now, now + _WHILE_POSTING))
            except StaleJob as error:
                raise ClipRefused(ClipProblem.ON_ITS_WAY) from error
        originals = await _opened(paths)
        return job, Contents(
            clips=clips,
            originals=originals,
            text=lambda remarks: clip_words.shown(job, remarks),
            is_spoiler=verdict is not Flagged.POST,
        )

    async def _end(self, job: Job, posted: Posted, contents: Contents) -> None:
        if job.state is not State.RENDERED:
            return
        now = self._clock()
        done = lifecycle.advance(
            job,
            Event.POSTED,
            now,
            message_id=posted.message_id,
            message_channel_id=posted.channel_id,
        )
        try:
            done = await self._store.move(job, done)
        except StaleJob as error:
            log.info("handed out beside another delivery: %s", error)
            return
        if not posted.is_in_answer:
            self._delivery.show(done, words.done(done))
        paths = [one.path for one in contents.originals]
        await asyncio.to_thread(self._files.release, paths, now)
        log.info("job %s: delivered, to who asked for it", job.short_id)


async def _opened(paths: list[Path]) -> list[Original]:
    return [Original(path, await asyncio.to_thread(probe, path)) for path in paths]
