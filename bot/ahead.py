"""How many jobs go before one: the SQL on the line that waits for the service.

Called inside somebody's transaction. Whose turn is when, `turns.py` decides.
"""

import sqlite3

from bot import memory, turns
from bot.lifecycle import Job

MOST = 100
"""Counting on would cost more than the figure is worth."""
_UNTAKEN = "state IN ('queued', 'submitting')"  # as the index jobs_waiting has it
_LONG_BEFORE = "long before"
"""Known: a moment before which `MOST` were accepted that still wait."""


def count(db: sqlite3.Connection, job: Job) -> int | None:
    """Return how many jobs go before it in the line as it stands; None where too many wait."""
    known = memory.known(db)
    if job.created_at >= known.get(_LONG_BEFORE, float("inf")):
        return None
    line = f"jobs WHERE {_UNTAKEN} AND state = 'queued' AND created_at < ?"
    most = (job.created_at, MOST)
    # Counted first, which costs a tenth of reading them: a long line comes with many accepts.
    number = f"SELECT count(*) FROM (SELECT 1 FROM {line} LIMIT ?)"
    if db.execute(number, most).fetchone()[0] == MOST:
        known[_LONG_BEFORE] = job.created_at
        return None
    before = db.execute(f"SELECT guild_id, member_id FROM {line} ORDER BY created_at LIMIT ?", most)
    return turns.ahead(before.fetchall(), job.guild_id, job.member_id)
