"""What ails the database file: from an error of SQLite or of the system to what its owner can do.

`database.py` asks, where it opens the file and where a transaction broke. Pure.
"""

import errno
import sqlite3
from pathlib import Path

from bot.errors import StoreError, StoreTrouble, Unusable

DAMAGED = "The file is damaged. Stop the bot and put a backup back: python -m bot restore FILE"
_FULL = "Its disk is full. Free some space."
_LOCKED = "Another program has locked it. End that."
_FORBIDDEN = "The bot must be allowed to write to it, and to its folder."
_FAILING = "Its disk fails, or is full. Look at the system's log."

_BY_SQLITE = {
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _FORBIDDEN,
    sqlite3.SQLITE_PERM: _FORBIDDEN,
    sqlite3.SQLITE_CANTOPEN: _FORBIDDEN,
    sqlite3.SQLITE_IOERR: _FAILING,
}
_BY_SYSTEM = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
    errno.EIO: _FAILING,
}


def diagnosis(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """Return what to raise for `error`: `StoreTrouble` where the file ails and not the statement.

    It is `Unusable` where waiting will not help.
    """
    if isinstance(error, OSError):
        fix = _BY_SYSTEM.get(error.errno or 0)
    else:
        # Errors of the sqlite3 module itself have no code; the upper bits tell only details.
        fix = _BY_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if fix is None:
        return StoreError(str(error))
    kind = Unusable if fix is DAMAGED else StoreTrouble
    return kind(f"{path} cannot be used ({error}). {fix}")
