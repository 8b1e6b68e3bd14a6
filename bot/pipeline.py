"""The second half of the corridor: submit → look → fetch → deliver, or give up.

The worker calls `step` and `look` for what is due. Each does one step of a job and commits it in
one transaction, so that a crash between any two leaves a job that goes on. `submission.py` sends a
task and `handover.py` delivers its clips; what happens in between, while it renders, is here.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from bot import ledger, lifecycle, words
from bot.accounts import Accounts
from bot.ending import Ending
from bot.errors import AccountTrouble, IllegalTransition, ProviderError, StaleJob, StoreTrouble
from bot.gate import Gate
from bot.handover import Handover, Hands
from bot.lifecycle import LOOKED_AT, UNSENT, Clip, Event, Failure, Job, State
from bot.money import usd
from bot.pace import Pace, took
from bot.pictures import Pictures
from bot.provider import Progress, Provider
from bot.store import Store
from bot.submission import Submission
from bot.timetable import Timetable
from bot.watch import Watch

log = logging.getLogger(__name__)

_HELD_BACK = 15
"""Seconds until a job asks again whether it may be sent; that costs no request."""
_STRAGGLERS = 30 * 60
"""Seconds after which a task with some clips and some failures is taken to be at its end."""
_MORE_PATIENCE = 7
"""How many times longer a task may take that the service says it is still working on."""
_UNANSWERED = 10
"""Looks in a row without an answer, from which on the service is taken to be out of reach."""
_TURNED_UP = "turned up after its hold had been released"


class Pipeline:
    """`clock` returns Unix milliseconds, `chance` a number from 0 to 1; the rest is in seconds."""

    def __init__(
        self,
        *,
        store: Store,
        provider: Provider,
        gate: Gate,
        hands: Hands,
        pictures: Pictures,
        accounts: Accounts,
        look_every: float,
        give_up_after: float,
        clock: Callable[[], int],
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._provider = provider
        self._gate = gate
        self._delivery = hands.delivery
        self._pictures = pictures
        self._pace = Pace()
        self._timetable = Timetable(
            clock=clock,
            chance=chance,
            look_every=look_every,
            give_up_after=give_up_after,
            pace=self._pace,
        )
        self._unanswered = 0
        self._unheard = self._timetable.awaited
        """Of jobs that a restored copy has open: those that the service has not told of yet."""
        self.watch = Watch(store, self._timetable)
        """Knows what is due; the worker asks it."""
        self._ending = Ending(
            store=store,
            gate=gate,
            delivery=hands.delivery,
            pictures=pictures,
            timetable=self._timetable,
        )
        self._submission = Submission(
            store=store,
            provider=provider,
            gate=gate,
            delivery=hands.delivery,
            pictures=pictures,
            ending=self._ending,
            timetable=self._timetable,
        )
        self.handover = Handover(
            store=store,
            provider=provider,
            hands=hands,
            accounts=accounts,
            timetable=self._timetable,
        )
        """Hands clips over; who asks for one once more comes to it too."""

    async def recover(self) -> None:
        """Before anything else at a start: remember, and tidy up what a crash left behind."""
        for clip_kind, took_ms in await self._store.renders():
            self._pace.note(clip_kind, took_ms)
        self._unheard.update(await self._store.to_ask_about())
        self._pictures.sweep(await self._store.open_jobs(UNSENT))
        await self._ending.retell()

    async def reconcile(self) -> bool:
        """Tell whether the service was asked about all that a restored copy has open; keep that."""
        if self._unheard:
            self._unheard &= await self._store.open_jobs((State.SUBMITTING, *LOOKED_AT))
        if self._unheard:
            return False
        await self._store.note_reconciled()
        return True

    async def step(self, job: Job) -> None:
        """Do the next step of a job that waits for us; what renders is looked at together."""
        match job.state:
            case State.QUEUED:
                await self.begin([job])
            case State.SUBMITTING:
                await self._submission.repeat(job)
            case State.RENDERED:
                await self.handover.deliver(job)
            case State.RENDERING | State.LOST | State.DELIVERED | State.FAILED:
                raise IllegalTransition(f"no step for a job that is {job.state}")

    async def begin(self, jobs: Sequence[Job]) -> None:
        """Send queued tasks together, or hold them back while the gate is shut."""
        if len(jobs) > 1 and not self._gate.is_proven:
            # One by one, until one is taken: so no more than one is refused.
            await self.begin(jobs[:1])
            await self.begin(jobs[1:])
            return
        sendable = []
        for job in jobs:
            if self._pictures.path(job.id).exists():
                sendable.append(job)
            else:
                await self._ending.give_up(job, "the picture is gone")
        async with self._gate.passage() as is_open:
            if is_open:
                await self._submission.begin(sendable)
                return
        for job in sendable:
            await self._hold_back(job)

    async def _hold_back(self, job: Job) -> None:
        needs_owner = self._gate.needs_owner
        if self._timetable.is_over(job):
            failure = Failure.ACCOUNT if needs_owner else Failure.SILENT
            await self._ending.give_up(job, "held back for too long", failure)
            return
        self._delivery.show(job, words.paused(job) if needs_owner else words.unanswered(job))
        later = self._timetable.clock() + _HELD_BACK * 1000
        await self._store.postpone([job], {job.id: later})

    async def look(self, jobs: Sequence[Job]) -> None:
        """Ask about all these jobs together and move on those that are finished.

        They are in a state of `lifecycle.LOOKED_AT`.
        """
        try:
            found = await self._provider.look([job.task_uuid for job in jobs])
        except ProviderError as error:
            # Nothing was learnt, so nothing is given up: the clips may be there, and paid.
            if isinstance(error, AccountTrouble):
                self._gate.shut(error)
            log.warning("the video service could not be asked: %s", error)
            self._unanswered += 1
            await self._postpone([job for job in jobs if not await self._is_released(job)])
            return
        self._unanswered = 0
        if self._unheard:
            self._unheard.difference_update(job.id for job in jobs if job.task_uuid in found)
        steps: list[tuple[Job, Coroutine[Any, Any, None]]] = []
        waiting: list[Job] = []
        for job in jobs:
            step = self._step_on(job, found.get(job.task_uuid))
            if step is None:
                waiting.append(job)
            else:
                steps.append((job, step))
        # Beside each other, so that all of it is one commit.
        *ends, postponed = await asyncio.gather(
            *(self._guarded(job, step) for job, step in steps),
            self._postpone(waiting),
            return_exceptions=True,
        )
        for outcome in (*ends, postponed):
            if isinstance(outcome, BaseException):
                raise outcome
        await self._postpone([job for (job, _), end in zip(steps, ends, strict=True) if not end])

    async def _is_released(self, job: Job) -> bool:
        """Release the hold of a job of which nothing was to be heard for its time; it may turn up.

        A few failures, such as after a start, say nothing yet.
        """
        is_hopeless = job.state is State.RENDERING and self._timetable.is_over(job)
        if not is_hopeless or self._unanswered < _UNANSWERED:
            return False
        return await self._guarded(job, self._ending.give_up(job, "the service does not answer"))

    async def _guarded(self, job: Job, step: Coroutine[Any, Any, None]) -> bool:
        """Do the step; what is wrong with one job keeps no other from its clip."""
        try:
            await step
        except StaleJob as error:
            log.info("%s", error)
        except StoreTrouble:
            raise
        except Exception:
            log.exception("job %s: its look broke; trying again", job.short_id)
            return False
        return True

    def _step_on(self, job: Job, progress: Progress | None) -> Coroutine[Any, Any, None] | None:
        """Return what this look leads to; None to look again. No progress: it was not asked."""
        if progress is None:
            return None
        if (progress.results or progress.errors) and self._is_enough(job, progress):
            return self._finish(job, progress)
        if self._is_hopeless(job, progress):
            return self._ending.give_up(job, "never finished")
        return None

    def _is_enough(self, job: Job, progress: Progress) -> bool:
        """Tell whether nothing more will come, or nothing more is waited for."""
        if progress.is_complete(job.order.results):
            return True
        is_at_its_end = progress.is_at_rest and self._timetable.age(job) > _STRAGGLERS
        return bool(progress.results) and (is_at_its_end or self._timetable.is_over(job))

    def _is_hopeless(self, job: Job, progress: Progress) -> bool:
        if job.state is State.LOST:
            return self._timetable.is_gone(job)
        # What is still being made is late, not lost, for a good while more.
        return self._timetable.is_over(job, _MORE_PATIENCE if progress.is_known else 1)

    async def _postpone(self, jobs: Sequence[Job]) -> None:
        due = self._timetable.next_looks(jobs)
        for job in self._timetable.just_late(jobs):
            self._delivery.show(job, words.slow(job))
        if due:
            await self.watch.postpone(jobs, due)

    async def _finish(self, job: Job, progress: Progress) -> None:
        if not progress.results:
            await self._ending.refuse(job, progress.errors[0])
            return
        for error in progress.errors:
            log.warning("job %s: one of its clips failed: %s", job.short_id, error)
        clips = [
            Clip(
                job_id=job.id,
                ordinal=ordinal,
                video_uuid=result.video_uuid,
                url=result.url,
                seed=result.seed,
                cost_micro=result.cost_micro,
                is_flagged=result.is_flagged,
            )
            for ordinal, result in enumerate(progress.results[: job.order.results])
        ]
        costs = [clip.cost_micro for clip in clips]
        total, flag = ledger.total_cost(costs, job.quote_micro, job.order.results)
        if flag:
            log.warning("job %s: %s", job.short_id, flag)
        now = self._timetable.clock()
        rendered = lifecycle.advance(job, Event.FINISHED, now)
        if job.state is State.LOST:
            flag = "; ".join(filter(None, (_TURNED_UP, flag)))
            paid = ledger.found(job, total, now, flag)
        else:
            paid = ledger.spend(job, total, now, flag)
        await self._store.move(job, rendered, resolution=paid, clips=clips)
        if (took_ms := took(job, rendered)) is not None:
            self._pace.note(job.order.clip_kind, took_ms)
        log.info("job %s: rendered, %s spent", job.short_id, usd(total))
        await asyncio.to_thread(self._pictures.drop, job.id)
