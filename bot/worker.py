"""The clock's door: takes what is due and hands it to the pipeline, for ever.

Steps of different jobs run beside each other, bounded per kind; a job is in one step at a time.
Everything that is rendering is looked at together. What is to be sent for the first time waits in
a line, where `turns.py` says who is next, and what meets there is sent together. Nothing is kept
here that a restart would miss: `watch.py` knows what is due, and `wake` only shortens a wait.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Container, Coroutine, Iterable, Sequence
from typing import Any, Protocol

from bot.errors import StaleJob, StoreError, StoreTrouble
from bot.lifecycle import LOOKED_AT, Job, State
from bot.pipeline import Pipeline
from bot.store import Agenda
from bot.turns import Turns

log = logging.getLogger(__name__)

_SUBMITS_AT_ONCE = 4
_LOOKS_AT_ONCE = 4
"""Each at as many jobs as an agenda has."""
_MOST_TOGETHER = 8
"""Tasks sent in one request: what is unclear of one of them is unclear of all."""
_PAUSE = 0.01
"""Seconds between two looks into the store, at least: steps of a burst end close together."""
_LONGEST_NAP = 30.0
"""Seconds after which the store is asked in any case."""
_PATIENCE = 6.0
"""Seconds that running steps get when the bot stops; what is cut off goes on after the start."""
_BREATH = 5.0
"""Seconds that a job rests in memory where nothing can be written; less than `_PATIENCE`."""
_AFTER_A_BUG = 60_000
"""Milliseconds until a job is tried again whose step broke in an unforeseen way."""


class Plans(Protocol):
    """What knows when each job is due: the watch."""

    async def agenda(self, now: int, but_not: Container[str] = ()) -> Agenda:
        """Return what is due, and when to ask again."""

    async def postpone(self, jobs: Iterable[Job], due_at: dict[str, int]) -> None:
        """Set the next step of jobs that stay as they are."""


class Worker:
    """`start()`, and `await stop()` at the end; `clock` returns Unix milliseconds."""

    def __init__(self, plans: Plans, pipeline: Pipeline, clock: Callable[[], int]) -> None:
        self._plans = plans
        self._pipeline = pipeline
        self._clock = clock
        self._due = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._busy: set[str] = set()
        self._steps: set[asyncio.Task[None]] = set()
        self._line = Turns()
        """To be sent for the first time."""
        self._submits = asyncio.Semaphore(_SUBMITS_AT_ONCE)
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)

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
        self._line.clear()
        if self._steps:
            await asyncio.wait(self._steps, timeout=_PATIENCE)

    async def _run(self) -> None:
        while True:
            self._due.clear()
            wait = await self._start_what_is_due()
            await asyncio.sleep(_PAUSE)
            # Not wait_for: until Python 3.12 it may swallow the cancellation that `stop` sends.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, wait - _PAUSE)):
                    await self._due.wait()

    async def _start_what_is_due(self) -> float:
        """Start the steps that are due and return the seconds until the next one is."""
        try:
            agenda = await self._plans.agenda(self._clock(), frozenset(self._busy))
        except StoreTrouble:
            return _BREATH
        except Exception:
            # Nothing may end the only loop that moves jobs on.
            log.exception("the store cannot be read; trying again")
            return _LONGEST_NAP
        self._busy |= {job.id for job in agenda.jobs}
        if looked_at := [job for job in agenda.jobs if job.state in LOOKED_AT]:
            self._start(self._look(looked_at))
        self._begin([job for job in agenda.jobs if job.state is State.QUEUED])
        for job in agenda.jobs:
            if job.state not in LOOKED_AT and job.state is not State.QUEUED:
                self._start(self._step(job))
        if agenda.next_at is None:
            return _LONGEST_NAP
        return min(_LONGEST_NAP, max(0.0, (agenda.next_at - self._clock()) / 1000))

    def _begin(self, jobs: Sequence[Job]) -> None:
        """Put jobs into the line, and start as many steps as it may take to send it."""
        for job in jobs:
            self._line.put(job)
        for _ in range(0, len(jobs), _MOST_TOGETHER):
            self._start(self._send())

    async def _send(self) -> None:
        """Send those whose turn it is together; another step may have sent all there were."""
        async with self._submits:
            if jobs := self._line.take(_MOST_TOGETHER):
                await self._guarded(jobs, self._pipeline.begin(jobs))

    async def _look(self, jobs: Sequence[Job]) -> None:
        async with self._looks:
            await self._guarded(jobs, self._pipeline.look(jobs))

    async def _step(self, job: Job) -> None:
        if job.state is State.RENDERED:  # a copy that takes its time keeps no other clip waiting
            await self._guarded([job], self._pipeline.step(job))
            return
        async with self._submits:
            await self._guarded([job], self._pipeline.step(job))

    def _start(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(step)
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)

    async def _guarded(self, jobs: Sequence[Job], step: Coroutine[Any, Any, None]) -> None:
        try:
            await step
        except StaleJob as error:
            log.info("%s", error)
        except StoreTrouble:
            # Told where it arose. The jobs are still due: without a pause they would go round.
            await asyncio.sleep(_BREATH)
        except Exception:
            names = ", ".join(job.short_id for job in jobs)
            log.exception("a step of job %s broke; trying again later", names)
            await self._set_aside(jobs)
        finally:
            self._busy -= {job.id for job in jobs}
            self.wake()

    async def _set_aside(self, jobs: Sequence[Job]) -> None:
        later = self._clock() + _AFTER_A_BUG
        try:
            await self._plans.postpone(jobs, dict.fromkeys((job.id for job in jobs), later))
        except StoreError:
            log.exception("the store cannot be written either")
            # The jobs are still due: without a pause they would be sent or posted over and over.
            await asyncio.sleep(_BREATH)
