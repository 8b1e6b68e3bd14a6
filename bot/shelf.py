"""The shelf: clips that are paid and wait to be posted, counted, and offered again.

They are tried ever more rarely, down to once an hour. Where the way may be free again, such as a
server that the bot has joined, `offer` makes them due at once. The SQL on it is here too.
"""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

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
