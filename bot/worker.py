"""The clock's door: takes what is due from the store and hands it to the pipeline, for ever.

Steps of different jobs run beside each other, bounded per kind; a job is in one step at a time.
Everything that is rendering is looked at together. Nothing is kept here that a restart would miss:
due is a column, and `wake` only shortens a wait.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from bot.errors import StaleJob, StoreError
from bot.lifecycle import LOOKED_AT, Job, State
from bot.pipeline import Pipeline
from bot.store import Store

log = logging.getLogger(__name__)

_SUBMITS_AT_ONCE = 4
_DELIVERIES_AT_ONCE = 4
_LONGEST_NAP = 30.0
"""Seconds after which the store is asked in any case."""
_PATIENCE = 6.0
"""Seconds that running steps get when the bot stops; what is cut off goes on after the start."""
_BREATH = 5.0
"""Seconds that a job rests in memory where not even that can be written; less than `_PATIENCE`."""
_AFTER_A_BUG = 60_000
"""Milliseconds until a job is tried again whose step broke in an unforeseen way."""


class Worker:
    """`start()`, and `await stop()` at the end; `clock` returns Unix milliseconds."""

    def __init__(self, store: Store, pipeline: Pipeline, clock: Callable[[], int]) -> None:
        self._store = store
        self._pipeline = pipeline
        self._clock = clock
        self._due = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._submits = asyncio.Semaphore(_SUBMITS_AT_ONCE)
        self._deliveries = asyncio.Semaphore(_DELIVERIES_AT_ONCE)

    def wake(self) -> None:
        """Have the store asked now instead of at the next due time."""
        self._due.set()

    def start(self) -> None:
        """Begin to work, once."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Begin no new step and let the running ones commit, for a few seconds."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        if steps := set(self._busy.values()):
            await asyncio.wait(steps, timeout=_PATIENCE)

    async def _run(self) -> None:
        while True:
            self._due.clear()
            wait = await self._start_what_is_due()
            # Not wait_for: until Python 3.12 it may swallow the cancellation that `stop` sends.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._due.wait()

    async def _start_what_is_due(self) -> float:
        """Start the steps that are due and return the seconds until the next one is."""
        try:
            agenda = await self._store.agenda(self._clock(), list(self._busy))
        except Exception:
            # Nothing may end the only loop that moves jobs on.
            log.exception("the store cannot be read; trying again")
            return _LONGEST_NAP
        looked_at = [job for job in agenda.jobs if job.state in LOOKED_AT]
        if looked_at:
            self._start(looked_at, self._pipeline.look(looked_at))
        for job in agenda.jobs:
            if job.state not in LOOKED_AT:
                self._start([job], self._step(job))
        if agenda.next_at is None:
            return _LONGEST_NAP
        return min(_LONGEST_NAP, max(0.0, (agenda.next_at - self._clock()) / 1000))

    async def _step(self, job: Job) -> None:
        lane = self._deliveries if job.state is State.RENDERED else self._submits
        async with lane:
            await self._pipeline.step(job)

    def _start(self, jobs: Sequence[Job], step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(jobs, step))
        self._busy |= dict.fromkeys((job.id for job in jobs), task)

    async def _guarded(self, jobs: Sequence[Job], step: Coroutine[Any, Any, None]) -> None:
        try:
            await step
        except StaleJob as error:
            log.info("%s", error)
        except Exception:
            names = ", ".join(job.short_id for job in jobs)
            log.exception("a step of job %s broke; trying again later", names)
            await self._set_aside(jobs)
        finally:
            for job in jobs:
                self._busy.pop(job.id, None)
            self.wake()

    async def _set_aside(self, jobs: Sequence[Job]) -> None:
        later = self._clock() + _AFTER_A_BUG
        try:
            await self._store.postpone(jobs, dict.fromkeys((job.id for job in jobs), later))
        except StoreError:
            log.exception("the store cannot be written either")
            # The jobs are still due: without a pause they would be sent or posted over and over.
            await asyncio.sleep(_BREATH)
