"""Whether a clip is posted, posted under a cover, or held until a moderator lets it out.

What decides are the server's rules, the service's own word on the clip, whether the channel is for
adults, and the member's wish; the strictest of them holds. The SQL on what is held is here too.
`handover.py` asks before it posts; whoever speaks to moderators is handed in, and what a moderator
lets out is `shelf.py`'s.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence

from bot.database import Database
from bot.lifecycle import Clip, Job
from bot.places import Places
from bot.policy import Flagged, Policy

PolicyOf = Callable[[int], Awaitable[Policy]]
Tell = Callable[[Job], Awaitable[None]]
"""Has a server's moderators told that a clip is held. What it raises is tried again."""
_STRICTER = list(Flagged)


async def tell_nobody(job: Job) -> None:
    """Have no moderators to tell."""
    del job


class Review:
    """`clock` returns Unix milliseconds. Methods raise `StoreError`."""

    def __init__(
        self,
        database: Database,
        places: Places,
        clock: Callable[[], int],
        *,
        policy_of: PolicyOf,
        tell: Tell = tell_nobody,
    ) -> None:
        self._database = database
        self._places = places
        self._clock = clock
        self._policy_of = policy_of
        self._tell = tell

    def is_restricted(self, job: Job) -> bool:
        """Tell whether a job's channel is for adults alone."""
        return self._places.is_age_restricted(job)

    async def verdict(
        self, job: Job, clips: Sequence[Clip], *, is_restricted: bool = False
    ) -> Flagged:
        """Return what becomes of a job's clips. One that was let out is not held again.

        `is_restricted` is of where they are shown besides.
        """
        policy = await self._policy_of(job.guild_id)
        demands = [Flagged.SPOILER if job.wish.is_spoiler else Flagged.POST]
        if any(clip.is_flagged for clip in clips):
            demands.append(policy.flagged)
        if is_restricted or self.is_restricted(job):
            demands.append(policy.age_restricted)
        strictest = max(demands, key=_STRICTER.index)
        if strictest is Flagged.HOLD and await self.is_let_out(job.id):
            return Flagged.SPOILER
        return strictest

    async def hold(self, job: Job) -> None:
        """Note that a job's clips are held, and have the moderators told, once."""
        now = self._clock()

        def note(db: sqlite3.Connection) -> bool:
            db.execute(
                "INSERT OR IGNORE INTO reviews (job_id, held_at) VALUES (?, ?)", (job.id, now)
            )
            query = "SELECT told_at FROM reviews WHERE job_id = ?"
            return db.execute(query, (job.id,)).fetchone()["told_at"] is not None

        if not await self._database.run(note):
            await self._tell(job)
            told = "UPDATE reviews SET told_at = ? WHERE job_id = ?"
            await self._database.run(lambda db: db.execute(told, (now, job.id)))

    async def is_let_out(self, job_id: str) -> bool:
        """Tell whether a moderator has let a job's clips out."""
        query = "SELECT 1 FROM reviews WHERE job_id = ? AND let_out_at IS NOT NULL"
        return (
            await self._database.run(lambda db: db.execute(query, (job_id,)).fetchone()) is not None
        )
