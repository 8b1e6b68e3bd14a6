"""What survives a crash: the database as of its last commit, and the files as they are.

The database is SQLite itself, in memory, with the real schema; a crash before a commit takes back
what was not committed, as the real file does.
"""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from bot.database import Database
from bot.pictures import Pictures
from tests.simulation.peril import Peril

T = TypeVar("T")

_MEMORY = Path("/dev/shm")  # a folder in memory, where there is one


@cache
def _fresh() -> bytes:
    """Return a new database file, made by the real thing; run outside of any event loop."""

    async def made(folder: Path) -> bytes:
        async with Database(folder) as database:
            await database.run(lambda db: db.execute("SELECT 1").fetchone())
        with sqlite3.connect(database.path) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")
            return bytes(copy.serialize())

    with tempfile.TemporaryDirectory() as name:
        return asyncio.run(made(Path(name)))


class Connection(sqlite3.Connection):
    """Tells before and after each commit that changes anything."""

    at_commit: Callable[[str], None]
    _changes = 0

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql.startswith("BEGIN"):
            self._changes = self.total_changes
        if sql != "COMMIT" or self.total_changes == self._changes:
            return super().execute(sql, *values)
        self.at_commit("before")
        done = super().execute(sql)
        self.at_commit("after")
        return done


class Disk:
    """Of one run. `folder` moves with each crash, so that the dead leave nothing in it."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
        self._lives = 0
        self.folder = self._root / "0"
        self.folder.mkdir()
        self.connection = sqlite3.connect(":memory:", isolation_level=None, factory=Connection)
        self.connection.deserialize(_fresh())
        self.connection.row_factory = sqlite3.Row
        sqlite3.Connection.execute(self.connection, "PRAGMA recursive_triggers = ON")
        sqlite3.Connection.execute(self.connection, "PRAGMA foreign_keys = ON")

    def crash(self, now: float) -> None:
        """Take the files away from the dead, whose clock is the world's: `now`, in Unix seconds."""
        self._lives += 1
        for path in self.folder.glob("*/*"):
            modified = min(now, path.stat().st_mtime)
            os.utime(path, (modified, modified))
        self.folder = self.folder.rename(self._root / f"{self._lives}")

    def rows(self, sql: str) -> list[sqlite3.Row]:
        """Look into the database from outside."""
        return sqlite3.Connection.execute(self.connection, sql).fetchall()

    def leftovers(self) -> list[str]:
        """Return the files that lie about."""
        return sorted(path.name for path in self.folder.glob("*/*"))

    def close(self) -> None:
        self.connection.close()
        shutil.rmtree(self._root, ignore_errors=True)


class SimulatedDatabase(Database):
    """The real one but for its thread: each batch is run at once, on a connection that is there."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk.folder)
        self._disk = disk

    async def _in_thread(self, function: Callable[[sqlite3.Connection], T]) -> T:
        await asyncio.sleep(0)
        return function(self._disk.connection)

    def _rest_later(self, *, is_due: bool = True) -> None:
        """Have no timer, which would go on after a crash: in memory there is no log to empty."""


class SimulatedPictures(Pictures):
    """The real ones, which may be torn."""

    def __init__(self, folder: Path, peril: Peril) -> None:
        super().__init__(folder)
        self._peril = peril

    def keep(self, job_id: str, jpeg: bytes) -> None:
        part = self.path(job_id).with_suffix(".part")

        def tear() -> None:
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(jpeg[: len(jpeg) // 2])

        self._peril.point("picture: half written", tear)
        super().keep(job_id, jpeg)
        self._peril.point("picture: written")

    def drop(self, job_id: str) -> None:
        self._peril.point("picture: before it goes")
        super().drop(job_id)
