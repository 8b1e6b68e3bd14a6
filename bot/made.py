"""What was made for a job and what was booked for it: all that its delivery reads, of one moment.

The SQL on clips as they are read. Inside somebody's transaction; `store.py` hands it over.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from bot import books
from bot.ledger import Entry
from bot.lifecycle import Clip


@dataclass(frozen=True, slots=True)
class Made:
    """The clips of a job in their order, and its entries, oldest first."""

    clips: tuple[Clip, ...]
    entries: tuple[Entry, ...]

    @property
    def spent_micro(self) -> int:
        """What it has cost."""
        return sum(entry.spent_micro for entry in self.entries)


def of(db: sqlite3.Connection, job_id: str) -> Made:
    """Return what there is of a job."""
    entries = books.entries_of(db, "job_id = ?", job_id)
    return Made(tuple(clips(db, job_id)), tuple(entries))


def clips(db: sqlite3.Connection, job_id: str) -> Iterator[Clip]:
    """Return the finished clips of a job in their order."""
    for row in db.execute("SELECT * FROM clips WHERE job_id = ? ORDER BY ordinal", (job_id,)):
        yield Clip(**dict(row) | {"is_flagged": bool(row["is_flagged"])})
