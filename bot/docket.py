"""What moderators see of the clips in the making in their server, and do about them.

Each deed is somebody else's work; that it is still time, that one decides. Who may is decided at
the door, `cogs/jobs.py`; that a clip is of this server, here.
"""

import asyncio

from bot import clip_words, docket_words
from bot.admin import Change
from bot.cancellation import Cancellation
from bot.docket_words import Deed, Item
from bot.history import History, Waiting
from bot.lifecycle import Job, State
from bot.policies import Policies
from bot.shelf import Shelf
from bot.words import Note

_DEEDS = {Deed.CANCEL: "cancelled", Deed.OFFER: "offered", Deed.LET_OUT: "let out"}
"""As the audit has them."""


class Docket:
    """Methods raise `StoreError`."""

    def __init__(
        self,
        history: History,
        cancellation: Cancellation,
        shelf: Shelf,
        policies: Policies,
    ) -> None:
        self._history = history
        self._cancellation = cancellation
        self._shelf = shelf
        self._policies = policies

    async def items(self, guild_id: int) -> list[Item]:
        """Return what is in the making in a server, the oldest first."""
        waiting = await self._history.waiting(guild_id)
        return list(await asyncio.gather(*map(self._item, waiting)))

    async def _item(self, waiting: Waiting) -> Item:
        job = waiting.job
        record = await self._history.record(job.id)
        is_held = job.state is State.RENDERED and await self._shelf.is_held(job.id)
        micro = 0 if record is None else record.spent_micro or record.held_micro
        return Item(job=job, micro=micro, ahead=waiting.ahead, is_held=is_held)

    async def do(self, change: Change, deed: Deed, job_id: str) -> Note:
        """Do something about a clip, if it is of this server and it is still time."""
        job = await self._history.job(job_id)
        if job is None or job.guild_id != change.guild_id:
            return docket_words.unknown()
        was_time = await self._done(change, deed, job_id)
        if was_time:
            await self._policies.note(change, ("job", f"job {job.short_id}", "", _DEEDS[deed]))
        elif deed is Deed.CANCEL:
            return clip_words.too_late(await self._history.job(job_id) or job)
        return docket_words.done(deed, job.short_id, was_time=was_time)

    async def shown(self, change: Change, job_id: str) -> Job | Note:
        """Return a clip to look at, if it is held in this server; that somebody did is noted."""
        job = await self._history.job(job_id)
        if job is None or job.guild_id != change.guild_id:
            return docket_words.unknown()
        if job.state is not State.RENDERED or not await self._shelf.is_held(job_id):
            return docket_words.done(Deed.LET_OUT, job.short_id, was_time=False)
        await self._policies.note(change, ("job", f"job {job.short_id}", "", "looked at"))
        return job

    async def _done(self, change: Change, deed: Deed, job_id: str) -> bool:
        match deed:
            case Deed.CANCEL:
                return await self._cancellation.cancel(job_id, change.actor_id)
            case Deed.LET_OUT:
                return await self._shelf.let_out(job_id, change.actor_id)
            case Deed.OFFER:
                return await self._shelf.offer_one(job_id)
