"""Private answers to interactions: what opens them, for a quarter of an hour, and the SQL on it.

Only the interaction's token reaches such a message, never the bot's own. A token is written with
the job that it belongs to, is shown in no log, and is forgotten with the job's last word, or by a
sweep once it has expired. Knows no Discord; `delivery.py` uses what it finds here.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.database import Database

_IN_TIME = 5_000
"""Milliseconds before its end from which a token is not used any more: a refused one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The way to one private answer."""

    token: str = field(repr=False)
    expires_at: int
    """Unix milliseconds, by Discord's word."""
    most_bytes: int | None = None
    """What a file in it may have; None where Discord did not say."""
    takes_clips: bool = False
    """Whether the clips come here although the wish was for the channel."""

    def is_over(self, now: int) -> bool:
        """Tell whether nothing reaches it any more; `now` in Unix milliseconds."""
        return self.expires_at <= now


class Answers:
    """`clock` returns Unix milliseconds. Each method is one transaction; they raise `StoreError`.

    An answer belongs to one job, by that job's id.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def of(self, job_id: str) -> Answer | None:
        """Return a job's answer while it can be reached."""

        def transaction(db: sqlite3.Connection) -> Answer | None:
            row = db.execute(
                "SELECT token, expires_at, most_bytes, takes_clips FROM answers"
                " WHERE job_id = ? AND expires_at > ?",
                (job_id, self._clock() + _IN_TIME),
            ).fetchone()
            return None if row is None else _read(row)

        return await self._database.run(transaction)

    async def forget(self, job_id: str) -> None:
        """Forget a job's answer: its last word is said."""
        query = "DELETE FROM answers WHERE job_id = ?"
        await self._database.run(lambda db: db.execute(query, (job_id,)))

    async def sweep(self) -> int:
        """Forget what has expired, and return how many there were."""
        query = "DELETE FROM answers WHERE expires_at <= ?"
        now = self._clock()
        return await self._database.run(lambda db: db.execute(query, (now,)).rowcount)


def keep(db: sqlite3.Connection, job_id: str, answer: Answer) -> None:
    """Keep the answer of a job, in the place of an earlier one; inside somebody's transaction."""
    db.execute(
        "INSERT INTO answers (job_id, token, expires_at, most_bytes, takes_clips)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (job_id) DO UPDATE SET token = excluded.token,"
        " expires_at = excluded.expires_at, most_bytes = excluded.most_bytes,"
        " takes_clips = excluded.takes_clips",
        (job_id, answer.token, answer.expires_at, answer.most_bytes, answer.takes_clips),
    )


def _read(row: sqlite3.Row) -> Answer:
    fields = dict(row)
    return Answer(**fields | {"takes_clips": bool(fields["takes_clips"])})
