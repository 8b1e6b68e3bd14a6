"""The shelf: clips that are paid and wait to be posted, counted, and offered again.

They are tried ever more rarely, down to once an hour. Where the way may be free again, such as a
server that the bot has joined, `offer` makes them due at once; so do a person who asks for theirs
and a moderator who lets one out. The SQL on it is here too.
"""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot import answers
from bot.answers import Answer
from bot.database import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is on the shelf."""

    clips: int
    since: int | None
    """When the oldest of them was asked for, in Unix milliseconds; None where there is none."""


NOTHING = Waiting(0, None)


class Shelf:
    """`clock` returns Unix milliseconds; `wake` tells the worker. Methods raise `StoreError`."""

    def __init__(
        self, database: Database, clock: Callable[[], int], wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def waiting(self, member_id: int | None = None) -> Waiting:
        """Return what waits for a member, in all servers, or for everybody."""

        def transaction(db: sqlite3.Connection) -> Waiting:
            row = db.execute(
                "SELECT count(*), min(created_at) FROM jobs JOIN clips ON clips.job_id = jobs.id"
                " WHERE state = 'rendered' AND member_id = coalesce(?, member_id)",
                (member_id,),
            ).fetchone()
            return Waiting(*row)

        return await self._database.run(transaction)

    async def offer(self, guild_id: int, channel_id: int | None = None) -> int:
        """Have what waits in a server, or in one of its channels, tried now; return how many."""

        def transaction(db: sqlite3.Connection) -> int:
            # Also what is due already: a try may be under way that was refused before.
            return db.execute(
                "UPDATE jobs SET due_at = ? WHERE state = 'rendered' AND guild_id = ?"
                " AND channel_id = coalesce(?, channel_id)",
                (self._clock(), guild_id, channel_id),
            ).rowcount

        count = await self._database.run(transaction)
        if count:
            log.info("the way may be free again for clips that wait: %d", count)
            self._wake()
        return count

    async def offer_one(self, job_id: str) -> bool:
        """Have one job that waits tried now; tell whether it waited. What is held stays."""
        return await self._woken(lambda db: self._is_due_now(db, job_id, f"NOT EXISTS ({_HELD})"))

    async def is_held(self, job_id: str) -> bool:
        """Tell whether a job's clips wait for a moderator."""
        query = f"SELECT 1 FROM jobs WHERE id = ? AND EXISTS ({_HELD})"
        found = await self._database.run(lambda db: db.execute(query, (job_id,)).fetchone())
        return found is not None

    async def hand_out(self, job_id: str, answer: Answer) -> bool:
        """Have the clips of a job come into a private answer; tell whether they wait for that.

        They are its person's then, and wait no more. What is held for review stays.
        """

        def transaction(db: sqlite3.Connection) -> bool:
            if not self._is_due_now(db, job_id, f"NOT EXISTS ({_HELD})"):
                return False
            answers.keep(db, job_id, replace(answer, takes_clips=True))
            return True

        return await self._woken(transaction)

    async def let_out(self, job_id: str, actor_id: int) -> bool:
        """Have what is held for review posted; tell whether it was held. Who may is the door's."""

        def transaction(db: sqlite3.Connection) -> bool:
            if not self._is_due_now(db, job_id, f"EXISTS ({_HELD})"):
                return False
            db.execute(
                "UPDATE reviews SET let_out_at = ?, let_out_by = ? WHERE job_id = ?",
                (self._clock(), actor_id, job_id),
            )
            return True

        return await self._woken(transaction)

    def _is_due_now(self, db: sqlite3.Connection, job_id: str, where: str) -> bool:
        query = f"UPDATE jobs SET due_at = ? WHERE id = ? AND state = 'rendered' AND {where}"
        return bool(db.execute(query, (self._clock(), job_id)).rowcount)

    async def _woken(self, transaction: Callable[[sqlite3.Connection], bool]) -> bool:
        is_due = await self._database.run(transaction)
        if is_due:
            self._wake()
        return is_due


_HELD = "SELECT 1 FROM reviews WHERE job_id = jobs.id AND let_out_at IS NULL"
