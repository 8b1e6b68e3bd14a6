"""When things happen to a job: its next try, its next look, and the end of all patience.

Holds the clock and chance for the steps behind it, which decide what to do at that time. No I/O.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot import lifecycle
from bot.lifecycle import Job, State
from bot.pace import Pace, Usual, look_delay

_LOST_EVERY = 3600
"""Seconds between two looks at a lost task: nobody waits for it any more."""
_LOST_FOR = 7 * 24 * 3600
"""Seconds for which a lost task is looked for: a clip is kept no longer, by all reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """Moments are Unix milliseconds, spans are seconds; `chance` returns a number from 0 to 1."""

    clock: Callable[[], int]
    chance: Callable[[], float]
    look_every: float
    give_up_after: float
    pace: Pace

    def age(self, job: Job) -> float:
        """Return the seconds since the job was accepted."""
        return (self.clock() - job.created_at) / 1000

    def is_over(self, job: Job, patience: float = 1) -> bool:
        """Tell whether the job is to be given up, with so many times the usual patience."""
        return self.age(job) > self.give_up_after * patience

    def is_gone(self, job: Job) -> bool:
        """Tell whether a job that is lost has been lost for good."""
        return self.clock() - job.updated_at > _LOST_FOR * 1000

    def next_try(self, job: Job, longest: float) -> int:
        """Return when to try again: 1, 2, 4 … and at most `longest` seconds from now."""
        delay = lifecycle.retry_delay(job.attempts, self.chance(), longest)
        return self.clock() + round(delay * 1000)

    def next_look(self, job: Job) -> int:
        """Return when to look again at a job that renders or is lost."""
        now = self.clock()
        if job.state is State.LOST:
            return now + _LOST_EVERY * 1000
        taken_ago = (now - job.updated_at) / 1000
        return self.beat(look_delay(taken_ago, self.look_every, self.usual(job)))

    def usual(self, job: Job) -> Usual | None:
        """Return how long such clips usually take, where that is known."""
        return self.pace.usual(job.order.clip_kind)

    def beat(self, wait: float) -> int:
        """Return the common beat nearest to `wait` seconds from now: jobs are looked at together.

        Not the one after: a look takes a moment, and the beat after the next would be meant each
        time.
        """
        length = max(1, round(self.look_every * 1000))
        return (self.clock() + round(wait * 1000) + length // 2) // length * length
