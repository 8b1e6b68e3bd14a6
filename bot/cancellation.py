"""Takes a clip back that was not sent yet: its hold released, its person told, its picture gone.

Once a task may have reached the video service it is paid for, and nothing can be taken back. Who
may take it back is the door's affair; that it is still time, this decides, in one transaction.
"""

import asyncio
import logging
from collections.abc import Callable

from bot import ledger, lifecycle, words
from bot.delivery import Delivery
from bot.errors import StaleJob
from bot.lifecycle import Event, Failure, State
from bot.pictures import Pictures
from bot.store import Store

log = logging.getLogger(__name__)


class Cancellation:
    """`clock` returns Unix milliseconds. Raises `StoreError`."""

    def __init__(
        self, store: Store, delivery: Delivery, pictures: Pictures, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._pictures = pictures
        self._clock = clock

    async def cancel(self, job_id: str, by: int) -> bool:
        """Take a job back for the member `by`; return whether it was time.

        The status message says it by itself. Where it is too late, nothing changes.
        """
        job = await self._store.job(job_id)
        if job is None or job.state is not State.QUEUED:
            return False
        now = self._clock()
        cancelled = lifecycle.advance(job, Event.CANCEL, now, failure=Failure.CANCELLED)
        released = ledger.release(job, now, f"cancelled by {by}")
        try:
            cancelled = await self._store.move(job, cancelled, resolution=released)
        except StaleJob:  # it was sent in this moment, or somebody else was faster
            return False
        self._delivery.show(cancelled, words.failed(cancelled))
        await asyncio.to_thread(self._pictures.drop, job.id)
        log.info("job %s: cancelled, nothing is held", job.short_id)
        return True

    async def unreact(self, message_id: int, member_id: int) -> bool:
        """Take back what a member's reaction to a message has asked for, as far as it is time."""
        jobs = await self._store.by_reaction(message_id, member_id)
        return any([await self.cancel(job.id, member_id) for job in jobs])
