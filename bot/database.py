"""The one connection to the database file: durable, locked, with group commit.

A transaction is a plain function of a `sqlite3.Connection`, handed over whole. Those that wait are
run one after the other in the connection's own thread and committed together, each behind a
savepoint, so that one that fails takes back only its own changes. The log of the file is emptied
while nobody waits. Knows no table; `store.py` does.

One connection, because SQLite before 3.51.3 can lose commits when two write or checkpoint at once.
"""

import asyncio
import fcntl
import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import aiosqlite

from bot import memory, migration
from bot.diagnosis import diagnosis
from bot.errors import Locked, StoreError, StoreTrouble, Unusable
from bot.memory import Remembering

log = logging.getLogger(__name__)

T = TypeVar("T")
Transaction = Callable[[sqlite3.Connection], Any]

_MOST_TOGETHER = 256
"""Transactions committed at once; bounds the wait of the first in the batch."""
_REST_SECONDS = 1.0
"""After so long without a commit, what is in the log is brought into the file itself."""
_MOST_PAGES_IN_LOG = 8192
"""Of 4 KiB. Where there is never any rest, somebody waits for that once in so many pages."""


class Database:
    """`async with Database(folder) as database:` then `await database.run(function)`.

    After `rest_seconds` without a write the log is brought into the file.
    """

    def __init__(self, folder: Path, *, rest_seconds: float = _REST_SECONDS) -> None:
        self._folder = folder
        self._waiting: list[tuple[Transaction, asyncio.Future[Any]]] = []
        self._committer: asyncio.Task[None] | None = None
        self._lock: IO[str] | None = None
        self._connection: aiosqlite.Connection | None = None
        self._trouble: StoreTrouble | None = None
        self._rest_seconds = rest_seconds
        self._resting: asyncio.TimerHandle | None = None

    @property
    def path(self) -> Path:
        """The database file."""
        return database_in(self._folder)

    @property
    def is_in_trouble(self) -> bool:
        """Whether the file could not be used the last time, and has not been written since."""
        return self._trouble is not None

    async def __aenter__(self) -> Self:
        """Lock the folder, open the file, bring the schema forward. Raises `StoreError`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = locked(self._folder)
            self._connection = await _connected(self.path)
            await self._in_thread(partial(_prepare, path=self.path))
        except (sqlite3.Error, OSError) as error:
            await self._close()
            raise _cannot_open(error, self.path) from error
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what waits, close the file, unlock the folder."""
        self._rest_later(is_due=False)
        while self._committer is not None:
            await asyncio.wait([self._committer])
        await self._close()

    async def run(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        """Run `transaction` and return its result once it is durable.

        Raises what the transaction raises, with its changes undone; sqlite3's own errors come as
        `StoreError`.
        """
        if isinstance(self._trouble, Unusable):
            raise Unusable(str(self._trouble))  # a damaged file gets worse with each write
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((transaction, future))
        if self._committer is None:
            self._committer = asyncio.create_task(self._commit_waiting())
        # A caller that is cancelled leaves; what it handed over is still carried out.
        return await future

    async def integrity(self) -> str:
        """Return SQLite's own verdict on the file: "" where it is sound."""
        rows = await self.run(lambda db: db.execute("PRAGMA integrity_check(1)").fetchall())
        verdict = str(rows[0][0])
        return "" if verdict == "ok" else verdict

    async def _commit_waiting(self, *, has_rested: bool = False) -> None:
        has_any_written = False
        try:
            if has_rested:
                await self._checkpoint()
            while batch := self._waiting[:_MOST_TOGETHER]:
                del self._waiting[: len(batch)]
                work = partial(_run_together, [transaction for transaction, _ in batch])
                try:
                    outcomes, has_written = await self._in_thread(work)
                except Exception as error:  # noqa: BLE001 - every waiter must hear of it
                    outcomes, has_written = [error] * len(batch), False
                outcomes = [self._told(outcome) for outcome in outcomes]
                self._note_health(outcomes, has_written=has_written)
                has_any_written |= has_written
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    _resolve(future, outcome)
        finally:
            # Also where a loop that is torn down cancels this task, or closing would wait for ever.
            self._committer = None
        if has_any_written:
            self._rest_later()

    def _rest_later(self, *, is_due: bool = True) -> None:
        """Put the next checkpoint off, which is due where something was written."""
        if self._resting is not None:
            self._resting.cancel()
        self._resting = None
        if is_due:
            loop = asyncio.get_running_loop()
            self._resting = loop.call_later(self._rest_seconds, self._rest)

    def _rest(self) -> None:
        self._resting = None
        if self._committer is None:  # else it puts the next one off itself
            self._committer = asyncio.create_task(self._commit_waiting(has_rested=True))

    async def _checkpoint(self) -> None:
        try:
            await self._in_thread(lambda db: db.execute("PRAGMA wal_checkpoint").fetchone())
        except sqlite3.Error as error:
            # Nothing is lost by that, and who writes next is told of it if it lasts.
            log.debug("the log was not brought into the database: %s", error)

    def _told(self, outcome: Any) -> Any:
        """Return an outcome with an error of SQLite as one of ours."""
        if not isinstance(outcome, sqlite3.Error):
            return outcome
        ours = diagnosis(outcome, self.path)
        ours.__cause__ = outcome
        return ours

    def _note_health(self, outcomes: Sequence[Any], *, has_written: bool) -> None:
        """Say once that the file is in trouble, and once that it is well again."""
        trouble = next((one for one in outcomes if isinstance(one, StoreTrouble)), None)
        if trouble is not None:
            if type(trouble) is not type(self._trouble):
                log.critical("%s Nothing is accepted meanwhile, and nothing is lost.", trouble)
            self._trouble = trouble
        elif has_written and self._trouble is not None:
            log.warning("the database can be written again")
            self._trouble = None

    async def _in_thread(self, function: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        if connection is None:
            raise StoreError("the database is closed")
        # aiosqlite offers single statements only; a hop per statement costs 3 to 8 times as much as
        # handing the whole function to its thread, which is what this method of it does.
        result: T = await connection._execute(function, connection._conn)  # type: ignore[no-untyped-call] # noqa: SLF001
        return result

    async def _close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


async def _connected(path: Path) -> aiosqlite.Connection:
    connection = aiosqlite.connect(path, isolation_level=None, factory=Remembering)
    try:
        return await connection
    except BaseException:
        # Its thread has a last word to say, and a loop that is gone by then would have it complain.
        await asyncio.to_thread(connection._thread.join)  # noqa: SLF001 - there is no other way
        raise


def _resolve(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _run_together(batch: Sequence[Transaction], db: sqlite3.Connection) -> tuple[list[Any], bool]:
    """Run all in one transaction, and tell whether anything was written.

    An outcome is the result, or the exception of that one alone.
    """
    before = db.total_changes
    memory.forget(db)
    try:
        db.execute("BEGIN IMMEDIATE")
        if len(batch) == 1:
            outcomes = [batch[0](db)]  # if it fails, so may the whole
        else:
            outcomes = [_run_one(db, transaction) for transaction in batch]
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return outcomes, db.total_changes > before


def _run_one(db: sqlite3.Connection, transaction: Transaction) -> Any:
    db.execute("SAVEPOINT one")
    try:
        outcome = transaction(db)
    except Exception as error:
        if not db.in_transaction:
            raise  # SQLite itself took everything back, such as where the disk is full
        db.execute("ROLLBACK TO one")
        memory.forget(db)
        outcome = error
    db.execute("RELEASE one")
    return outcome


def database_in(folder: Path) -> Path:
    """Return the database file of a data folder."""
    return folder / "animate.db"


def locked(folder: Path) -> IO[str]:
    """Hold a data folder for oneself, as long as the file stays open. Raises `Locked`."""
    handle = (folder / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise Locked(
            f"another bot runs on {folder}; stop it, or give this one its own folder"
        ) from None
    return handle


def _cannot_open(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    found = diagnosis(error, path)
    if isinstance(found, StoreTrouble):
        return found
    return StoreError(f"{path} cannot be opened ({error}); use another folder")


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    # FULL: what was acknowledged survives a power cut. NORMAL loses the last commits.
    db.execute("PRAGMA synchronous = FULL")
    # SQLite's own 1000 pages are full after a few groups of accepts, the last of which then waits
    # for two more syncs and hundreds of writes; most of that can be done while nobody waits.
    db.execute(f"PRAGMA wal_autocheckpoint = {_MOST_PAGES_IN_LOG}")
    # KiB. Ids are random, so each row touches pages of its own: those of fifty accepts together do
    # not fit into the default's 2 MB, and would be written before their commit.
    db.execute("PRAGMA cache_size = -32768")
    # What a savepoint may have to take back is more than SQLite would hold in memory by itself: it
    # was written to a file and thrown away with each accept.
    db.execute("PRAGMA temp_store = MEMORY")
    # Without it, INSERT OR REPLACE would remove an entry past the trigger that forbids it.
    db.execute("PRAGMA recursive_triggers = ON")
    db.row_factory = sqlite3.Row
    migration.bring_forward(db, path)
    db.execute("PRAGMA foreign_keys = ON")
