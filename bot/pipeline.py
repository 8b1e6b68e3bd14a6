"""The second half of the corridor: submit → look → fetch → deliver, or give up.

The worker calls `step` and `look` for what is due. Each does one step of a job and commits it in
one transaction, so that a crash between any two leaves a job that goes on. Intent comes before
effect: the state and the task UUID are stored before the request is sent.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from bot import ledger, lifecycle, words
from bot.clip import probe
from bot.delivery import Delivery
from bot.errors import (
    AccountTrouble,
    Busy,
    ClipBroken,
    DeliveryError,
    IllegalTransition,
    Moderated,
    ProviderError,
    Rejected,
    StaleJob,
    TooLarge,
    Unclear,
    Unpostable,
)
from bot.gate import Gate
from bot.intake import Pictures
from bot.ledger import Limits
from bot.lifecycle import Clip, Event, Failure, Job, State
from bot.provider import Progress, Provider
from bot.store import Store

log = logging.getLogger(__name__)

_POLITE_WAIT = 10 * 60
"""Seconds of sending, or of rendering, after which a clip is late. Late is not failed."""
_STRAGGLERS = 30 * 60
"""Seconds after which a task with some clips and some failures is taken to be at its end."""
_MORE_PATIENCE = 7
"""How many times longer a task may take that the service says it is still working on."""
_SURE_AFTER = 10
"""Tries, some ten minutes, after which a refusal counts if the service never had the task."""
_SOON = 300.0
"""The longest pause between two tries to have a task accepted, in seconds."""
_ID_LENGTH = 36
"""Characters of a job's id, with which the names of its clips begin."""
_RARELY = 3600
"""The longest pause between two tries to post a paid clip, in seconds."""
_WORTH_A_WORD = 3
"""The try from which on a person hears of trouble that passes by itself."""


class Pipeline:
    """`clock` returns Unix milliseconds, `chance` a number from 0 to 1; the rest is in seconds."""

    def __init__(
        self,
        *,
        store: Store,
        provider: Provider,
        gate: Gate,
        delivery: Delivery,
        pictures: Pictures,
        clips_folder: Path,
        limits: Limits,
        look_every: float,
        give_up_after: float,
        clock: Callable[[], int],
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._provider = provider
        self._gate = gate
        self._delivery = delivery
        self._pictures = pictures
        self._clips_folder = clips_folder
        self._limits = limits
        self._look_every = look_every
        self._give_up_after = give_up_after
        self._clock = clock
        self._chance = chance

    async def recover(self) -> None:
        """Before anything else at a start: remove files that a crash left without a job."""
        open_jobs = await self._store.open_jobs()
        self._pictures.sweep(open_jobs)
        if self._clips_folder.is_dir():
            for path in self._clips_folder.iterdir():
                if path.name[:_ID_LENGTH] not in open_jobs:
                    path.unlink(missing_ok=True)

    async def step(self, job: Job) -> None:
        """Do the next step of a job that waits for us; what renders is looked at together."""
        match job.state:
            case State.QUEUED:
                now = self._clock()
                sent = lifecycle.advance(job, Event.SUBMIT, now)
                await self._submit(await self._store.move(job, sent), is_first=True)
            case State.SUBMITTING:
                await self._submit(job, is_first=False)
            case State.RENDERED:
                await self._deliver(job)
            case State.RENDERING | State.DELIVERED | State.FAILED:
                raise IllegalTransition(f"no step for a job that is {job.state}")

    # --- submit ----------------------------------------------------------------------------------

    async def _submit(self, job: Job, *, is_first: bool) -> None:
        try:
            await self._send(job, is_first=is_first)
        except FileNotFoundError:
            await self._fail(job, Event.GIVE_UP, Failure.LOST, "the picture is gone")
        except (Rejected, AccountTrouble) as error:
            await self._refuse(job, error)
        except ProviderError as error:
            if self._is_over(job):
                await self._fail(job, Event.GIVE_UP, Failure.LOST, "never acknowledged")
                return
            log.warning("job %s: not sent yet, trying again: %s", job.short_id, error)
            wait = error.retry_after if isinstance(error, Busy) else None
            await self._retry(job, wait)
        else:
            now = self._clock()
            due = self._tick(now + round(self._look_every * 1000))
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

    async def _refuse(self, job: Job, error: ProviderError) -> None:
        if isinstance(error, AccountTrouble):
            self._gate.shut(error, job.quote_micro)
            failure = Failure.ACCOUNT
        else:
            log.warning("job %s: refused: %s", job.short_id, error)
            failure = Failure.DECLINED if isinstance(error, Moderated) else Failure.REFUSED
        await self._fail(job, Event.REFUSED, failure, error.code)

    # --- look ------------------------------------------------------------------------------------

    async def look(self, jobs: Sequence[Job]) -> None:
        """Ask about all these rendering jobs together and move on those that are finished."""
        try:
            found = await self._provider.look([job.task_uuid for job in jobs])
        except ProviderError as error:
            # Nothing was learnt, so nothing is given up: the clips may be there, and paid.
            if isinstance(error, AccountTrouble):
                self._gate.shut(error)
            log.warning("the video service could not be asked: %s", error)
            await self._postpone(jobs)
            return
        waiting = []
        for job in jobs:
            try:
                if not await self._moved_on(job, found.get(job.task_uuid)):
                    waiting.append(job)
            except StaleJob as error:
                log.info("%s", error)
            except Exception:
                # What is wrong with one job must not keep those behind it from their clips.
                log.exception("job %s: its look broke; trying again", job.short_id)
                waiting.append(job)
        await self._postpone(waiting)

    async def _moved_on(self, job: Job, progress: Progress | None) -> bool:
        """Finish or give up the job if this look says so; None means that it could not be asked."""
        if progress is None:
            return False
        is_enough = bool(progress.results) and (
            self._is_over(job) or (progress.is_at_rest and self._age(job) > _STRAGGLERS)
        )
        if is_enough or progress.is_complete(job.order.results):
            await self._finish(job, progress)
            return True
        # What is still being made is late, not lost, for a good while more.
        patience = 1 if not progress.is_known else _MORE_PATIENCE
        if self._age(job) > self._give_up_after * patience:
            await self._fail(job, Event.GIVE_UP, Failure.LOST, "never finished")
            return True
        return False

    async def _postpone(self, jobs: Sequence[Job]) -> None:
        now = self._clock()
        due = {}
        for job in jobs:
            wait = lifecycle.look_delay((now - job.created_at) / 1000, self._look_every)
            due[job.id] = self._tick(now + round(wait * 1000))
            # Until a job is late, no look is planned beyond that moment: the one that was planned
            # for it, or before it, and finds it late is the first, and no other is.
            late_at = job.updated_at + _POLITE_WAIT * 1000
            if now < late_at:
                due[job.id] = min(due[job.id], late_at)
            elif job.due_at <= late_at:
                self._delivery.show(job, words.slow(job))
        if due:
            await self._store.postpone(jobs, due)

    async def _finish(self, job: Job, progress: Progress) -> None:
        if not progress.results:
            await self._refuse(job, progress.errors[0])
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
            )
            for ordinal, result in enumerate(progress.results[: job.order.results])
        ]
        costs = [clip.cost_micro for clip in clips]
        total, flag = ledger.total_cost(costs, job.quote_micro, job.order.results)
        if flag:
            log.warning("job %s: %s", job.short_id, flag)
        now = self._clock()
        rendered = lifecycle.advance(job, Event.FINISHED, now)
        spent = ledger.spend(job, total, now, flag)
        await self._store.move(job, rendered, entry=spent, clips=clips)
        self._pictures.drop(job.id)
        log.info("job %s: rendered, %s spent", job.short_id, ledger.usd(total))

    # --- deliver ---------------------------------------------------------------------------------

    async def _deliver(self, job: Job) -> None:
        # Counted before it is tried: where that cannot be written, nothing is posted, or a disk
        # that stays full would fill the channel; and a try after a crash knows it is not the first.
        job = await self._store.move(job, lifecycle.again(job, self._clock(), self._next_try(job)))
        clips = await self._store.clips(job.id)
        spent = sum(entry.spent_micro for entry in await self._store.entries(job.id))
        try:
            paths = [await self._fetched(clip) for clip in clips]
            text = await self._text(job, clips, spent)
            message_id = await self._delivery.post(job, paths, text, words.alt_text(job))
        except (ProviderError, ClipBroken) as error:
            log.warning("job %s: clip not fetched, trying again: %s", job.short_id, error)
            if job.attempts >= _WORTH_A_WORD:
                self._delivery.show(job, words.unfetched(job, spent))
        except DeliveryError as error:
            log.warning("job %s: clip not posted, trying again: %s", job.short_id, error)
            if isinstance(error, TooLarge):
                await self._store.postpone([job], {job.id: self._clock() + _RARELY * 1000})
            # What somebody can mend is said at once, and what may pass by itself is not.
            if isinstance(error, Unpostable | TooLarge) or job.attempts >= _WORTH_A_WORD:
                self._delivery.show(job, words.waiting(job, error, spent))
        else:
            posted = lifecycle.advance(job, Event.POSTED, self._clock(), message_id=message_id)
            posted = await self._store.move(job, posted)
            self._delivery.show(posted, words.done(posted))
            log.info("job %s: delivered", job.short_id)
            for path in paths:
                path.unlink(missing_ok=True)

    async def _fetched(self, clip: Clip) -> Path:
        """Return the clip's file, downloading and judging it if it is not here yet."""
        suffix = Path(clip.url.partition("?")[0]).suffix or ".mp4"
        path = self._clips_folder / f"{clip.job_id}-{clip.ordinal}{suffix}"
        if not path.exists():
            self._clips_folder.mkdir(parents=True, exist_ok=True)
            await self._provider.fetch(clip.url, path)
        try:
            await asyncio.to_thread(probe, path)
        except ClipBroken:
            path.unlink(missing_ok=True)
            raise
        return path

    async def _text(self, job: Job, clips: Sequence[Clip], spent: int) -> str:
        left = ""
        if ledger.month_of(job.created_at) == ledger.month_of(self._clock()):
            standing = await self._store.standing(job)
            left = words.receipt(standing, self._limits, job.created_at)
        return words.delivered(job, len(clips), spent, left)

    # --- what several steps need -----------------------------------------------------------------

    async def _fail(self, job: Job, event: Event, failure: Failure, note: str) -> None:
        now = self._clock()
        failed = lifecycle.advance(job, event, now, failure=failure)
        failed = await self._store.move(job, failed, entry=ledger.release(job, now, note))
        self._delivery.show(failed, words.failed(failed))
        self._pictures.drop(job.id)
        log.info("job %s: failed (%s: %s), hold released", job.short_id, failure, note)

    async def _retry(self, job: Job, wait: float | None = None) -> None:
        """Count one more try and set the next; `wait` in seconds is the service's own wish."""
        now = self._clock()
        if lifecycle.turns_late(job, now, _POLITE_WAIT):
            self._delivery.show(job, words.unsent(job))
        due = max(self._next_try(job), now + round((wait or 0.0) * 1000))
        await self._store.move(job, lifecycle.again(job, now, due))

    def _next_try(self, job: Job) -> int:
        longest = _RARELY if job.state is State.RENDERED else _SOON
        delay = lifecycle.retry_delay(job.attempts, self._chance(), longest)
        return self._clock() + round(delay * 1000)

    def _age(self, job: Job) -> float:
        """Return the seconds since the job was accepted."""
        return (self._clock() - job.created_at) / 1000

    def _is_over(self, job: Job) -> bool:
        return self._age(job) > self._give_up_after

    def _tick(self, due_at: int) -> int:
        """Round to the nearest common beat, so that jobs are looked at together.

        Not up: a look takes a moment, and the beat after the next would be meant each time.
        """
        beat = max(1, round(self._look_every * 1000))
        return (due_at + beat // 2) // beat * beat
