"""Has a job's task accepted by the video service, once, however often it is sent.

Intent comes before effect: the state is stored before the request leaves, and a task is only ever
sent again with the UUID that it was given at its acceptance. `pipeline.py` calls it.
"""

import asyncio
import logging

from bot import lifecycle, words
from bot.delivery import Delivery
from bot.ending import Ending
from bot.errors import AccountTrouble, Busy, ProviderError, Rejected, Unclear
from bot.gate import Gate
from bot.intake import Pictures
from bot.lifecycle import Event, Job, State
from bot.provider import Provider
from bot.store import Store
from bot.timetable import Timetable

log = logging.getLogger(__name__)

_LATE_AFTER = 10 * 60
"""Seconds after which a task that is not taken yet is late. Late is not failed."""
_SURE_AFTER = 10
"""Tries, some ten minutes, after which a refusal counts if the service never had the task."""
_LONGEST_PAUSE = 300.0
"""Between two tries, in seconds."""


class Submission:
    """Takes jobs that are queued or submitting."""

    def __init__(
        self,
        *,
        store: Store,
        provider: Provider,
        gate: Gate,
        delivery: Delivery,
        pictures: Pictures,
        ending: Ending,
        timetable: Timetable,
    ) -> None:
        self._store = store
        self._provider = provider
        self._gate = gate
        self._delivery = delivery
        self._pictures = pictures
        self._ending = ending
        self._timetable = timetable

    async def submit(self, job: Job) -> None:
        """Send the task, and move the job on by what the service says. Raises `StaleJob`."""
        is_first = job.state is State.QUEUED
        if is_first:
            sent = lifecycle.advance(job, Event.SUBMIT, self._timetable.clock())
            job = await self._store.move(job, sent)
        try:
            await self._send(job, is_first=is_first)
        except FileNotFoundError:
            await self._ending.give_up(job, "the picture is gone")
        except (Rejected, AccountTrouble) as error:
            await self._ending.refuse(job, error)
        except ProviderError as error:
            if self._timetable.is_over(job):
                await self._ending.give_up(job, "never acknowledged")
                return
            log.warning("job %s: not sent yet, trying again: %s", job.short_id, error)
            await self._retry(job, error)
        else:
            due = self._timetable.beat(self._timetable.look_every)
            now = self._timetable.clock()
            rendering = lifecycle.advance(job, Event.ACCEPTED, now, due_at=due)
            rendering = await self._store.move(job, rendering)
            self._delivery.show(rendering, words.animating(rendering))

    async def _send(self, job: Job, *, is_first: bool) -> None:
        """Have the task accepted, or raise.

        A repeat that fails for good proves nothing: an earlier try may have been taken, its answer
        lost, and since then the credit used up. So the service is asked whether it has the task;
        and since it may say nothing of a task that it has, it is asked for a good while.
        """
        try:
            picture = await asyncio.to_thread(self._pictures.path(job.id).read_bytes)
            await self._provider.submit(job.task_uuid, job.order, picture)
            self._gate.prove()
        except (FileNotFoundError, Rejected, AccountTrouble) as failure:
            if is_first:
                raise
            if isinstance(failure, AccountTrouble):
                self._gate.shut(failure, job.quote_micro)
            if await self._is_taken(job):
                return
            if job.attempts < _SURE_AFTER:
                raise Unclear("unknownOutcome", f"refused after a try: {failure}") from failure
            raise
        except OSError as error:
            raise Busy("pictureUnreadable", str(error)) from error

    async def _is_taken(self, job: Job) -> bool:
        """Ask whether the service has the task. Raises `Unclear` where that cannot be learnt."""
        try:
            found = await self._provider.look([job.task_uuid])
            return found[job.task_uuid].is_known
        except (ProviderError, KeyError) as error:
            raise Unclear("unknownOutcome", str(error)) from error

    async def _retry(self, job: Job, error: ProviderError) -> None:
        """Count one more try and set the next, not before the service wishes it."""
        now = self._timetable.clock()
        if lifecycle.turns_late(job, now, _LATE_AFTER):
            self._delivery.show(job, words.unsent(job))
        wish = (error.retry_after or 0.0) if isinstance(error, Busy) else 0.0
        due = max(self._timetable.next_try(job, _LONGEST_PAUSE), now + round(wish * 1000))
        await self._store.move(job, lifecycle.again(job, now, due))
