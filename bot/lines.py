"""Lines for the logs of servers, noted in the transaction of the step that they tell of.

A server without a log costs one look into its rules. Nothing of a clip is kept here but its job:
what a line says is read when it is posted, so what is forgotten until then is not told. What
becomes of lines is `pages.py`'s.
"""

import sqlite3
from enum import StrEnum

from bot.lifecycle import Failure, Job, State


class Line(StrEnum):
    """What happened to a clip that a server's moderators should know."""

    HELD = "held"
    """It waits for one of them."""
    STUCK = "stuck"
    """It cannot be posted, and somebody could mend that."""
    DELIVERED = "delivered"
    FAILED = "failed"


LAST = {State.DELIVERED: Line.DELIVERED, State.FAILED: Line.FAILED}
"""The states in which a job has its last line."""
_NOTE = """
INSERT OR IGNORE INTO log_lines (guild_id, job_id, line, at)
SELECT guild_id, ?, ?, ? FROM policies
 WHERE guild_id = ? AND json_extract(policy, '$.log_channel_id') IS NOT NULL
"""


def note(db: sqlite3.Connection, job: Job, line: Line) -> None:
    """Note a line, once, where the server has a log."""
    db.execute(_NOTE, (job.id, line, job.updated_at, job.guild_id))


def note_end(db: sqlite3.Connection, job: Job) -> None:
    """Note the last line of a job at its end. Of what was taken back there is nothing to tell."""
    line = LAST.get(job.state)
    if line is not None and job.failure is not Failure.CANCELLED:
        note(db, job, line)
