"""All SQL on facts: small things that are kept by their names.

Functions of a connection, to be run inside somebody's transaction.
"""

import sqlite3

RESTORED_AT = "restored at"
"""What `backup.py` leaves in a copy that it puts back: Unix milliseconds."""
_RECONCILED_AT = "reconciled at"
"""The same moment, once the service was asked about the jobs that the copy has open."""


def get(db: sqlite3.Connection, name: str) -> str | None:
    """Return the fact kept under `name`."""
    row = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def get_or(db: sqlite3.Connection, name: str, value: str) -> str:
    """Return the fact kept under `name`, which is `value` from now on if there was none."""
    db.execute("INSERT OR IGNORE INTO facts (name, value) VALUES (?, ?)", (name, value))
    return str(get(db, name))


def put(db: sqlite3.Connection, name: str, value: str) -> None:
    """Keep `value` under `name`."""
    db.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value))


def restored_at(db: sqlite3.Connection) -> int:
    """Return when a copy was put in the place of this database, 0 if that never was."""
    return int(get(db, RESTORED_AT) or 0)


def is_reconciled(db: sqlite3.Connection) -> bool:
    """Tell whether nothing is left to ask the service that a restored copy cannot know."""
    moment = restored_at(db)
    return not moment or get(db, _RECONCILED_AT) == str(moment)


def note_reconciled(db: sqlite3.Connection) -> None:
    """Keep that the service was asked about all that a restored copy has open."""
    if not is_reconciled(db):
        put(db, _RECONCILED_AT, str(restored_at(db)))
