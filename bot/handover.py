"""Hands a paid clip over: from the video service into the channel, however often that takes.

Nothing here costs anything, so nothing is given up: what cannot be fetched or posted is kept,
visible to its owner, and tried again. `pipeline.py` calls it.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot import lifecycle, words
from bot.accounts import Accounts
from bot.clip import probe
from bot.delivery import Delivery
from bot.errors import (
    ClipBroken,
    DeliveryError,
    ProviderError,
    Rejected,
    TooLarge,
    Unpostable,
)
from bot.keeper import ClipFiles
from bot.ladder import Posted
from bot.ledger import Kind
from bot.lifecycle import Clip, Event, Job
from bot.members import Members
from bot.provider import Provider, Result
from bot.store import Store
from bot.timetable import Timetable

log = logging.getLogger(__name__)

_RARELY = 3600
"""The longest pause between two tries, in seconds."""
_WORTH_A_WORD = 3
"""The try from which on a person hears of trouble that passes by itself."""


class Handover:
    """Takes jobs that are rendered; `files` keeps their clips."""

    def __init__(
        self,
        *,
        store: Store,
        provider: Provider,
        delivery: Delivery,
        files: ClipFiles,
        accounts: Accounts,
        members: Members,
        timetable: Timetable,
    ) -> None:
        self._store = store
        self._provider = provider
        self._delivery = delivery
        self._files = files
        self._accounts = accounts
        self._members = members
        self._timetable = timetable

    async def deliver(self, job: Job) -> None:
        """Fetch and post the clips of a job, or set its next try. Raises `StaleJob`."""
        # Counted before it is tried: where that cannot be written, nothing is posted, or a disk
        # that stays full would fill the channel; and a try after a crash knows it is not the first.
        if job.attempts == 0 and job.created_at <= await self._store.restored_at():
            job = replace(job, attempts=1)  # a backup does not know what was posted after it
        next_try = self._timetable.next_try(job, _RARELY)
        job = await self._store.move(job, lifecycle.again(job, self._timetable.clock(), next_try))
        clips = await self._store.clips(job.id)
        entries = await self._store.entries(job.id)
        spent = sum(entry.spent_micro for entry in entries)
        was_lost = any(entry.kind == Kind.ADJUSTMENT for entry in entries)
        try:
            paths = await self._fetched(job, clips)
            text = words.delivered(
                job, len(clips), spent, await self._receipt(job), was_lost=was_lost
            )
            wishes = await self._members.settings(job.member_id)
            posted = await self._delivery.post(
                job, paths, text, words.alt_text(job), may_dm=wishes.dm_when_lost
            )
        except (ProviderError, ClipBroken) as error:
            log.warning("job %s: clip not fetched, trying again: %s", job.short_id, error)
            if job.attempts >= _WORTH_A_WORD:
                self._delivery.show(job, words.unfetched(job, spent))
        except DeliveryError as error:
            await self._keep(job, error, spent)
        else:
            await self._delivered(job, posted)
            await asyncio.to_thread(self._files.release, paths, self._timetable.clock())

    async def _delivered(self, job: Job, posted: Posted) -> None:
        done = lifecycle.advance(
            job,
            Event.POSTED,
            self._timetable.clock(),
            message_id=posted.message_id,
            message_channel_id=posted.channel_id,
        )
        done = await self._store.move(job, done)
        self._delivery.show(done, words.done(done))
        log.info("job %s: delivered", job.short_id)

    async def _keep(self, job: Job, error: DeliveryError, spent: int) -> None:
        """Keep a clip that Discord did not take, and say so where that helps."""
        log.warning("job %s: clip not posted, trying again: %s", job.short_id, error)
        if isinstance(error, TooLarge):
            later = self._timetable.clock() + _RARELY * 1000
            await self._store.postpone([job], {job.id: later})
        # What somebody can mend is said at once, and what may pass by itself is not.
        if isinstance(error, Unpostable | TooLarge) or job.attempts >= _WORTH_A_WORD:
            self._delivery.show(job, words.waiting(job, error, spent))

    async def _fetched(self, job: Job, clips: Sequence[Clip]) -> list[Path]:
        """Return the clips' files, in their order.

        The address of a clip lives for some days only, and the job may have waited for longer: one
        that is refused is asked for anew, once.
        """
        try:
            return [await self._file(clip) for clip in clips]
        except Rejected as error:
            log.info("job %s: asking for its clips again: %s", job.short_id, error)
            found = await self._provider.look([job.task_uuid])
            fresh = renewed(clips, found[job.task_uuid].results if found else ())
            if not fresh:
                raise
        await self._store.refresh_clips(fresh)
        return [await self._file(clip) for clip in await self._store.clips(job.id)]

    async def _file(self, clip: Clip) -> Path:
        """Return the clip's file, downloading and judging it if it is not here yet."""
        path = self._files.path(clip)
        if not path.exists():
            await self._provider.fetch(clip.url, path)
        try:
            await asyncio.to_thread(probe, path)
        except ClipBroken:
            path.unlink(missing_ok=True)
            raise
        return path

    async def _receipt(self, job: Job) -> str:
        statement = await self._accounts.receipt(job, self._timetable.clock())
        return "" if statement is None else words.receipt(statement, job.wish.locale)


def renewed(clips: Sequence[Clip], results: Sequence[Result]) -> list[Clip]:
    """Return the clips that the service lists under another address now, with that address.

    A clip is known by its UUID; where the service has given it a new one, by its place.
    """
    known = {clip.video_uuid for clip in clips}
    by_uuid = {result.video_uuid: result for result in results}
    by_place = {
        place: result for place, result in enumerate(results) if result.video_uuid not in known
    }
    fresh = []
    for clip in clips:
        result = by_uuid.get(clip.video_uuid) or by_place.get(clip.ordinal)
        if result is not None and result.url != clip.url:
            fresh.append(replace(clip, url=result.url))
    return fresh
