"""What transactions that are committed together need not read twice. Knows no table.

Kept beside the connection, and exact: it is empty when a group begins and after each failure, and
whoever writes without keeping it in step empties it, for SQLite counts the rows that were changed.
"""

import sqlite3
from collections.abc import Hashable
from typing import Any

Known = dict[Hashable, Any]


class Remembering(sqlite3.Connection):
    """A connection with a memory."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._known: Known = {}
        self._changes = 0

    def known(self) -> Known:
        """Return what is still true of what was read."""
        if self.total_changes != self._changes:
            self.forget()
        return self._known

    def kept(self) -> Known:
        """Return what was known before the caller's changes, who brings it in step with them."""
        self._changes = self.total_changes
        return self._known

    def forget(self) -> None:
        """Know nothing."""
        self._known.clear()
        self._changes = self.total_changes


def known(db: sqlite3.Connection) -> Known:
    """Return what is still true of what was read; nothing, of a connection without a memory."""
    return db.known() if isinstance(db, Remembering) else {}


def kept(db: sqlite3.Connection) -> Known:
    """Return what was known before the caller's own changes, to be brought in step with them.

    For who has asked what is known in the same transaction, before the first of the changes.
    """
    return db.kept() if isinstance(db, Remembering) else {}


def forget(db: sqlite3.Connection) -> None:
    """Know nothing any more."""
    if isinstance(db, Remembering):
        db.forget()
