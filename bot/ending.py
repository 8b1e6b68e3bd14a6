"""The end of the wait for a clip: the hold released, the person told, the picture forgotten.

Every step that may find such an end calls it; that it is one, they decide.
"""

import asyncio
import logging
from dataclasses import replace

from bot import labels, ledger, lifecycle, words
from bot.delivery import Delivery
from bot.errors import AccountTrouble, Moderated, ProviderError
from bot.gate import Gate
from bot.lifecycle import Event, Failure, Job, State
from bot.pictures import Pictures
from bot.store import Store
from bot.timetable import Timetable

log = logging.getLogger(__name__)

_RETOLD_FOR = 24 * 3600
"""Seconds for which an end is told again with each start. Who has heard it sees no change."""
_UNSHOWN = 60
"""The same where the clip itself was the word: a crash may come before the edit, not long after."""


class Ending:
    """Each method is one transaction, guarded by the state that the job was read in."""

    def __init__(
        self,
        *,
        store: Store,
        gate: Gate,
        delivery: Delivery,
        pictures: Pictures,
        timetable: Timetable,
    ) -> None:
        self._store = store
        self._gate = gate
        self._delivery = delivery
        self._pictures = pictures
        self._timetable = timetable

    async def retell(self) -> None:
        """Say again, at a start, what ended lately: a crash may have come before the word of it."""
        since = self._timetable.clock() - _RETOLD_FOR * 1000
        for job in await self._store.ended(since, _UNSHOWN * 1000):
            self._delivery.show(job, self._word(job))

    async def refuse(self, job: Job, error: ProviderError) -> None:
        """End a job that the service refuses; shut the gate where it refuses the account."""
        if isinstance(error, AccountTrouble):
            self._gate.shut(error, job.quote_micro)
            failure = Failure.ACCOUNT
        else:
            log.warning("job %s: refused: %s", job.short_id, error)
            failure = Failure.DECLINED if isinstance(error, Moderated) else Failure.REFUSED
        await self._fail(job, Event.REFUSED, failure, error.code)

    async def give_up(self, job: Job, note: str, failure: Failure = Failure.LOST) -> None:
        """End the wait for a job; `note` goes into the accounts.

        One that may have reached the service is lost, not failed: its clip may turn up yet.
        """
        if job.state in (State.SUBMITTING, State.RENDERING):
            await self._lose(job, note)
        else:
            await self._fail(job, Event.GIVE_UP, failure, note)

    async def _lose(self, job: Job, note: str) -> None:
        now = self._timetable.clock()
        lost = lifecycle.advance(job, Event.GIVE_UP, now)
        lost = replace(lost, due_at=self._timetable.next_look(lost))
        lost = await self._store.move(job, lost, resolution=ledger.release(job, now, note))
        self._delivery.show(lost, self._word(lost))
        await asyncio.to_thread(self._pictures.drop, job.id)
        log.warning("job %s: lost (%s), hold released", job.short_id, note)

    async def _fail(self, job: Job, event: Event, failure: Failure, note: str) -> None:
        now = self._timetable.clock()
        failed = lifecycle.advance(job, event, now, failure=failure)
        # The hold of a lost job was released when it was lost.
        released = None if job.state is State.LOST else ledger.release(job, now, note)
        failed = await self._store.move(job, failed, resolution=released)
        is_retried = failure in labels.RETRIED
        put_away = self._pictures.set_aside if is_retried else self._pictures.drop
        await asyncio.to_thread(put_away, job.id)
        self._delivery.show(failed, self._word(failed))
        log.info("job %s: failed (%s: %s), nothing is held", job.short_id, failure, note)

    def _word(self, job: Job) -> words.Note:
        if job.state is State.DELIVERED:
            return words.done(job)
        if job.state is State.LOST:
            return words.lost(job)
        has_picture = job.picture is not None or self._pictures.has_spare(job.id)
        return words.failed(job, has_picture=has_picture)
