"""When jobs are due: the SQL on that column.

Functions of a connection, to be run inside somebody's transaction: `store.py` calls them, and reads
what is due. When that should be is `timetable.py`'s.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from bot import facts
from bot.lifecycle import FINAL, Job, State

OPEN = "state NOT IN ('delivered', 'failed')"  # written out: it must match the index jobs_due
assert {f"{state}" for state in FINAL} == {"delivered", "failed"}


def postpone(db: sqlite3.Connection, jobs: Iterable[Job], due_at: dict[str, int]) -> None:
    """Set when jobs are due that are as they were read; one statement for those of one time."""
    alike = defaultdict[tuple[int, State, int], list[str]](list)
    for job in jobs:
        alike[due_at[job.id], job.state, job.due_at].append(job.id)
    for (later, state, read_as), ids in alike.items():
        db.execute(
            "UPDATE jobs SET due_at = ? WHERE state = ? AND due_at = ?"
            " AND id IN (SELECT value FROM json_each(?))",
            (later, state, read_as, json.dumps(ids)),
        )


def nudge(db: sqlite3.Connection, task_uuid: str, now: int) -> State | None:
    """Have a job due now that renders or is lost; return the state of any."""
    row = db.execute("SELECT state FROM jobs WHERE task_uuid = ?", (task_uuid,)).fetchone()
    if row is None:
        return None
    # Also where it is due already: a look may be under way whose answer is older.
    db.execute(
        "UPDATE jobs SET due_at = ? WHERE task_uuid = ? AND state IN ('rendering', 'lost')",
        (now, task_uuid),
    )
    return State(row["state"])


def recall(db: sqlite3.Connection, now: int) -> None:
    """Have all that renders due now, or since when it is; what is lost if a copy's jobs wait."""
    states = "('rendering')" if facts.is_reconciled(db) else "('rendering', 'lost')"
    db.execute(
        f"UPDATE jobs SET due_at = ? WHERE {OPEN} AND state IN {states} AND due_at > ?",
        (now, now),
    )
