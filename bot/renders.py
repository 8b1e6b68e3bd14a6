"""The SQL on how long renders took: the last of each kind of clip.

Functions of a connection, to be run inside somebody's transaction: `store.py` keeps a render with
the change of its job, and reads all at a start. What they tell is `pace.py`'s.
"""

import sqlite3
from collections.abc import Iterator

from bot.pace import KEPT


def note(db: sqlite3.Connection, clip_kind: str, took_ms: int) -> None:
    """Keep how long a clip took, and forget what is older than the last of its kind."""
    db.execute("INSERT INTO renders (clip_kind, took_ms) VALUES (?, ?)", (clip_kind, took_ms))
    db.execute(
        "DELETE FROM renders WHERE clip_kind = :kind AND id <= (SELECT id FROM renders"
        " WHERE clip_kind = :kind ORDER BY id DESC LIMIT 1 OFFSET :kept)",
        {"kind": clip_kind, "kept": KEPT},
    )


def of_all_kinds(db: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    """Return the kind of each clip and the milliseconds that it took, oldest first."""
    return map(tuple, db.execute("SELECT clip_kind, took_ms FROM renders ORDER BY id"))
