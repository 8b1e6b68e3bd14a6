"""When things happen to a job: its next try, its next look, and the end of all patience.

Holds the clock and chance for the steps behind it, which decide what to do at that time. No I/O.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from bot import lifecycle
from bot.lifecycle import Job, State
from bot.pace import LATE_AFTER, Pace, Usual, look_delay

_LOST_EVERY = 3600
"""Seconds between two looks at a lost task: nobody waits for it any more."""
_LEASE = 60
"""Seconds for which looks may be planned in memory alone."""
_LOST_FOR = 7 * 24 * 3600
"""Seconds for which a lost task is looked for: a clip is kept no longer, by all reports."""


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """Moments are Unix milliseconds, spans are seconds; `chance` returns a number from 0 to 1."""

    clock: Callable[[], int]
    chance: Callable[[], float]
    look_every: float
    give_up_after: float
    pace: Pace
    awaited: set[str] = field(default_factory=set)
    """Jobs for whose next word all new ones wait: looked at as if they rendered."""

    def age(self, job: Job) -> float:
        """Return the seconds since the service may have the task, before that since acceptance.

        A job may have waited in line for long: that says nothing against the service.
        """
        since = job.created_at if job.sent_at is None else job.sent_at
        return (self.clock() - since) / 1000

    def is_over(self, job: Job, patience: float = 1) -> bool:
        """Tell whether the job is to be given up, with so many times the usual patience."""
        return self.age(job) > self.give_up_after * patience

    def is_stale(self, job: Job) -> bool:
        """Tell whether the job was accepted so long ago that it need not be sent any more."""
        return self.clock() - job.created_at > self.give_up_after * 1000

    def is_gone(self, job: Job) -> bool:
        """Tell whether a job that is lost has been lost for good."""
        return self.clock() - job.updated_at > _LOST_FOR * 1000

    def next_try(self, job: Job, longest: float) -> int:
        """Return when to try again: 1, 2, 4 … and at most `longest` seconds from now."""
        delay = lifecycle.retry_delay(job.attempts, self.chance(), longest)
        return self.clock() + round(delay * 1000)

    def next_look(self, job: Job) -> int:
        """Return when to look again at a job that renders or is lost.

        Until a job is late, no look is planned beyond that moment, so that this is seen in time.
        """
        return self.next_looks([job])[job.id]

    def next_looks(self, jobs: Iterable[Job]) -> dict[str, int]:
        """Return the same for many, by their ids."""
        now = self.clock()
        soon = self._beat(now, self.look_every)
        return {job.id: self._next_look(job, now, soon) for job in jobs}

    def _next_look(self, job: Job, now: int, soon: int) -> int:
        """`soon` is the next beat: where thousands are looked at, it is that of nearly all."""
        if job.state is State.LOST:
            every = self.look_every if job.id in self.awaited else _LOST_EVERY
            return now + round(every * 1000)
        usual = self.pace.usual(job.order.clip_kind)
        delay = look_delay((now - job.updated_at) / 1000, self.look_every, usual)
        at = soon if delay == self.look_every else self._beat(now, delay)
        late_at = _late_at(job)
        return late_at if now < late_at < at else at

    def lease(self, job: Job, next_look: int) -> int:
        """Return until when the looks at a job may be planned in memory, from that one on.

        What is not late yet is leased until it is late, and no longer.
        """
        if job.state is not State.RENDERING:
            return next_look
        now = self.clock()
        end = max(next_look, now + _LEASE * 1000)
        return min(end, _late_at(job)) if now < _late_at(job) else end

    def just_late(self, jobs: Iterable[Job]) -> list[Job]:
        """Return those that still render and are late, and were not the last time.

        The look that was planned for that moment, or before it, is the first that finds it late.
        """
        now = self.clock()
        late = [job for job in jobs if _late_at(job) <= now]
        return [job for job in late if job.state is State.RENDERING and job.due_at <= _late_at(job)]

    def usual(self, job: Job) -> Usual | None:
        """Return how long such clips usually take, where that is known."""
        return self.pace.usual(job.order.clip_kind)

    def beat(self, wait: float) -> int:
        """Return the common beat nearest to `wait` seconds from now: jobs are looked at together.

        Not the one after: a look takes a moment, and the beat after the next would be meant each
        time.
        """
        return self._beat(self.clock(), wait)

    def _beat(self, now: int, wait: float) -> int:
        length = self._beat_ms
        return (now + round(wait * 1000) + length // 2) // length * length

    @cached_property
    def _beat_ms(self) -> int:
        return max(1, round(self.look_every * 1000))


def _late_at(job: Job) -> int:
    return job.updated_at + LATE_AFTER * 1000
