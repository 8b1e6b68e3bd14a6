"""Has the tasks of jobs accepted by the video service, once, however often they are sent.

Intent comes before effect: the state is stored before the request leaves, and a task is only ever
sent again with the UUID that it was given at its acceptance. Together go only first tries, so what
is unclear of several is cleared up one by one. `pipeline.py` calls it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from bot import lifecycle, words
from bot.delivery import Delivery
from bot.ending import Ending
from bot.errors import AccountTrouble, Busy, ProviderError, Rejected, StaleJob, Unclear
from bot.gate import Gate
from bot.lifecycle import Event, Job
from bot.parcel import Wanted
from bot.pictures import Pictures
from bot.provider import Provider
from bot.store import Store
from bot.task import Frame
from bot.timetable import Timetable

log = logging.getLogger(__name__)

T = TypeVar("T")

_LATE_AFTER = 10 * 60
"""Seconds after which a task that is not taken yet is late. Late is not failed."""
_SURE_AFTER = 10
"""Tries, some ten minutes, after which a job is given up that the service refuses and denies."""
_UNTAKEN = (0, 429)
"""HTTP's answers to a task that surely was not taken; 0 is none, where nothing was sent."""
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

    async def begin(self, jobs: Sequence[Job]) -> None:
        """Send queued tasks for the first time, together, and move each job on by its outcome."""
        intended = await _each(self._intend(job) for job in jobs)
        sent = await self._send(intended)
        await _each(self._settle(job, failure, is_first=True) for job, failure in sent)

    async def repeat(self, job: Job) -> None:
        """Send a task again, alone, and move its job on by the outcome. Raises `StaleJob`.

        One that was sent so long ago that its UUID may be forgotten is only asked about.
        """
        is_first = job.sent_at is None and job.created_at > await self._store.restored_at()
        if is_first:
            now = self._timetable.clock()
            job = await self._store.move(job, replace(job, sent_at=now, updated_at=now))
        elif self._timetable.age(job) > lifecycle.REMEMBERED:
            await self._ask(job)
            return
        ((_, failure),) = await self._send([job])
        if isinstance(failure, FileNotFoundError | Rejected | AccountTrouble) and not is_first:
            await self._doubt(job, failure)
        else:
            await self._settle(job, failure, is_first=is_first)

    async def _ask(self, job: Job) -> None:
        try:
            is_taken = await self._is_taken(job)
        except Unclear as error:
            await self._settle(job, error)
            return
        if is_taken:
            await self._accepted(job)
        else:
            await self._ending.give_up(job, "sent too long ago to be sent again")

    async def _intend(self, job: Job) -> Job:
        sent = lifecycle.advance(job, Event.SUBMIT, self._timetable.clock())
        return await self._store.move(job, sent)

    async def _send(self, jobs: Sequence[Job]) -> list[tuple[Job, Exception | None]]:
        """Have the tasks accepted; return what stood in the way of each, None where it is."""
        # Off the loop: it takes a moment to read a picture, and as long to encode it.
        frames = await asyncio.to_thread(lambda: [self._frame(job) for job in jobs])
        paired = list(zip(jobs, frames, strict=True))
        outcomes = await self._provider.submit(
            Wanted(job.task_uuid, job.order, frame)
            for job, frame in paired
            if isinstance(frame, Frame)
        )
        misses = [one for one in outcomes.values() if isinstance(one, Busy | Unclear)]
        if misses and len(misses) == len(outcomes):
            self._gate.miss(misses[0])
        return [
            (job, outcomes[job.task_uuid] if isinstance(frame, Frame) else frame)
            for job, frame in paired
        ]

    def _frame(self, job: Job) -> Frame | Exception:
        try:
            return Frame.data_uri(self._pictures.path(job.id).read_bytes())
        except (FileNotFoundError, Rejected) as error:
            return error
        except OSError as error:
            return Busy("pictureUnreadable", str(error))

    async def _doubt(self, job: Job, failure: Exception) -> None:
        """Move a job on whose repeat fails for good: by itself that proves nothing.

        An earlier try may have been taken, its answer lost, and since then the credit used up. So
        the service is asked whether it has the task; and since it may say nothing of a task that it
        has, it is asked for a good while, and the job then is lost and not failed.
        """
        if isinstance(failure, AccountTrouble):
            self._gate.shut(failure, job.quote_micro)
        try:
            is_taken = await self._is_taken(job)
        except Unclear as error:
            await self._settle(job, error)
            return
        if is_taken:  # earlier, which says nothing of the account as it is now
            await self._accepted(job)
        elif job.attempts < _SURE_AFTER and not isinstance(failure, FileNotFoundError):
            await self._settle(job, Unclear("unknownOutcome", f"refused after a try: {failure}"))
        else:
            await self._ending.give_up(job, f"refused after tries without an answer: {failure}")

    async def _is_taken(self, job: Job) -> bool:
        """Ask whether the service has the task. Raises `Unclear` where it does not say."""
        try:
            found = await self._provider.look([job.task_uuid])
            return found[job.task_uuid].is_known
        except (ProviderError, KeyError) as error:
            raise Unclear("unknownOutcome", str(error)) from error

    async def _settle(self, job: Job, failure: Exception | None, *, is_first: bool = False) -> None:
        """Move a job on; `is_first` where no try before this one can have been taken."""
        match failure:
            case None:
                self._gate.prove()
                await self._accepted(job)
            case FileNotFoundError():
                await self._ending.give_up(job, "the picture is gone")
            case Rejected() | AccountTrouble():
                await self._ending.refuse(job, failure)
            case ProviderError() if self._timetable.is_stale(job) and job.attempts >= _SURE_AFTER:
                await self._ending.give_up(job, "never acknowledged")
            case ProviderError():
                log.warning("job %s: not sent yet, trying again: %s", job.short_id, failure)
                is_untaken = is_first and isinstance(failure, Busy) and failure.status in _UNTAKEN
                await self._retry(replace(job, sent_at=None) if is_untaken else job, failure)

    async def _accepted(self, job: Job) -> None:
        due = self._timetable.beat(self._timetable.look_every)
        now = self._timetable.clock()
        rendering = lifecycle.advance(job, Event.ACCEPTED, now, due_at=due)
        rendering = await self._store.move(job, rendering)
        self._delivery.show(rendering, words.animating(rendering, self._timetable.usual(job)))

    async def _retry(self, job: Job, error: ProviderError) -> None:
        """Count one more try and set the next, not before the service wishes it."""
        now = self._timetable.clock()
        if lifecycle.turns_late(job, now, _LATE_AFTER):
            self._delivery.show(job, words.unsent(job))
        wish = (error.retry_after or 0.0) if isinstance(error, Busy) else 0.0
        due = max(self._timetable.next_try(job, _LONGEST_PAUSE), now + round(wish * 1000))
        await self._store.move(job, lifecycle.again(job, now, due))


async def _each(steps: Iterable[Awaitable[T]]) -> list[T]:
    """Run the steps of several jobs and return what came of them; none stops another.

    A job that another hand moved on is left out. What else broke is raised when all have ended.
    """
    done: list[T] = []
    problems: list[BaseException] = []
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, StaleJob):
            log.info("%s", outcome)
        elif isinstance(outcome, BaseException):
            problems.append(outcome)
        else:
            done.append(outcome)
    for problem in problems:
        raise problem
    return done
