"""What is in the making, in hand between two looks.

Thousands of clips may be looked at each second; to read and write a row for each look would cost
more than the looks. So a look takes a lease: in the file its job is due when that ends, and until
then its looks are planned here. Nothing is lost with this memory: a start makes all leases void.
Whatever must not wait, such as a nudge, sets the due time in the file, which is obeyed first.
"""

from collections.abc import Container, Iterable
from dataclasses import replace
from itertools import islice

from bot.lifecycle import Job
from bot.store import Agenda, Store
from bot.timetable import Timetable


class Watch:
    """The store's agenda, and with it the looks that are planned here."""

    def __init__(self, store: Store, timetable: Timetable) -> None:
        self._store = store
        self._has_begun = False
        self._timetable = timetable
        self._planned: dict[int, dict[str, Job]] = {}
        """By the time of the look: few, because looks are on common beats; and by the job's id."""

    async def agenda(self, now: int, but_not: Container[str] = (), limit: int = 500) -> Agenda:
        """Return what is due, and when to ask again; leaves out `but_not`.

        What is returned is not planned here any more. The first time everything that renders is
        due: whoever had leased it is gone.
        """
        if not self._has_begun:
            await self._store.recall(now)
            self._has_begun = True
        filed = await self._store.agenda(now, but_not, limit)
        for job in filed.jobs:
            self._forget(job)
        planned = self._take(now, but_not, limit - len(filed.jobs))
        times = (filed.next_at, min(self._planned, default=None))
        next_at = min((at for at in times if at is not None), default=None)
        return Agenda((*filed.jobs, *planned), next_at)

    async def postpone(self, jobs: Iterable[Job], due_at: dict[str, int]) -> None:
        """Set the next step of jobs that stay as they are; nothing is written inside a lease.

        A job that was nudged since it was read stays due: what was learnt may be older than that.
        """
        leased: list[Job] = []
        unleased: list[Job] = []
        for job in jobs:
            (leased if due_at[job.id] < job.due_at else unleased).append(job)
        ends = {job.id: self._timetable.lease(job, due_at[job.id]) for job in unleased}
        if unleased:
            await self._store.postpone(unleased, ends)
        for job in leased:
            self._plan(job, due_at[job.id])
        for job in unleased:
            if due_at[job.id] < ends[job.id]:
                self._plan(replace(job, due_at=ends[job.id]), due_at[job.id])

    def _plan(self, job: Job, at: int) -> None:
        self._planned.setdefault(at, {})[job.id] = job

    def _forget(self, job: Job) -> None:
        for planned in self._planned.values():
            planned.pop(job.id, None)

    def _take(self, now: int, but_not: Container[str], most: int) -> list[Job]:
        """Return what is planned by now, longest due first, and forget it."""
        taken: list[Job] = []
        for at in sorted(at for at in self._planned if at <= now):
            planned = self._planned[at]
            free = (job for job in planned.values() if job.id not in but_not)
            due = list(islice(free, most - len(taken)))
            for job in due:
                del planned[job.id]
            if not planned:
                del self._planned[at]
            taken += due
        return taken
