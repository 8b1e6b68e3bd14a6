"""The one connection to the database file: durable, locked, migrated, with group commit.

A transaction is a plain function of a `sqlite3.Connection`, handed over whole. Those that wait are
run one after the other in the connection's own thread and committed together, each behind a
savepoint, so that one that fails takes back only its own changes. Knows no table; `store.py` does.

One connection, because SQLite before 3.51.3 can lose commits when two write or checkpoint at once.
"""

import asyncio
import fcntl
import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import aiosqlite

from bot.errors import Locked, StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")
Transaction = Callable[[sqlite3.Connection], Any]

_MOST_TOGETHER = 256
"""Transactions committed at once; bounds the wait of the first in the batch."""


class Database:
    """`async with Database(folder) as database:` then `await database.run(function)`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[tuple[Transaction, asyncio.Future[Any]]] = []
        self._committer: asyncio.Task[None] | None = None
        self._lock: IO[str] | None = None
        self._connection: aiosqlite.Connection | None = None

    @property
    def path(self) -> Path:
        """The database file."""
        return self._folder / "animate.db"

    async def __aenter__(self) -> Self:
        """Lock the folder, open the file, bring the schema forward. Raises `StoreError`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self._folder / "lock")
            self._connection = await aiosqlite.connect(self.path, isolation_level=None)
            await self._in_thread(_prepare)
        except (sqlite3.Error, OSError) as error:
            await self._close()
            raise StoreError(
                f"cannot open {self.path} ({error}); restore a backup, or use another folder"
            ) from error
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what waits, close the file, unlock the folder."""
        while self._committer is not None:
            await asyncio.wait([self._committer])
        await self._close()

    async def run(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        """Run `transaction` and return its result once it is durable.

        Raises what the transaction raises, with its changes undone; sqlite3's own errors come as
        `StoreError`.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((transaction, future))
        if self._committer is None:
            self._committer = asyncio.create_task(self._commit_waiting())
        # Shielded: a caller that is cancelled leaves, what it handed over is still carried out.
        return await asyncio.shield(future)

    async def integrity(self) -> str:
        """Return SQLite's own verdict on the file: "" where it is sound."""
        rows = await self.run(lambda db: db.execute("PRAGMA integrity_check(1)").fetchall())
        verdict = str(rows[0][0])
        return "" if verdict == "ok" else verdict

    async def _commit_waiting(self) -> None:
        try:
            while batch := self._waiting[:_MOST_TOGETHER]:
                del self._waiting[: len(batch)]
                work = partial(_run_together, [transaction for transaction, _ in batch])
                try:
                    outcomes = await self._in_thread(work)
                except Exception as error:  # noqa: BLE001 - every waiter must hear of it
                    outcomes = [error] * len(batch)
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    _resolve(future, outcome)
        finally:
            # Also where a loop that is torn down cancels this task, or closing would wait for ever.
            self._committer = None

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


def _resolve(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, sqlite3.Error):
        wrapped = StoreError(str(outcome))
        wrapped.__cause__ = outcome
        future.set_exception(wrapped)
    elif isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _run_together(batch: Sequence[Transaction], db: sqlite3.Connection) -> list[Any]:
    """Run all in one transaction; an outcome is the result, or the exception of that one alone."""
    try:
        db.execute("BEGIN IMMEDIATE")
        outcomes = [_run_one(db, transaction) for transaction in batch]
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return outcomes


def _run_one(db: sqlite3.Connection, transaction: Transaction) -> Any:
    db.execute("SAVEPOINT one")
    try:
        outcome = transaction(db)
    except Exception as error:  # noqa: BLE001 - handed to its caller by _resolve
        db.execute("ROLLBACK TO one")
        outcome = error
    db.execute("RELEASE one")
    return outcome


def _locked(path: Path) -> IO[str]:
    """Hold an exclusive lock on `path` as long as the file stays open. Raises `Locked`."""
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise Locked(
            f"another bot runs on {path.parent}; stop it, or give this one its own folder"
        ) from None
    return handle


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    # FULL: what was acknowledged survives a power cut. NORMAL loses the last commits.
    db.execute("PRAGMA synchronous = FULL")
    # Without it, INSERT OR REPLACE would remove an entry past the trigger that forbids it.
    db.execute("PRAGMA recursive_triggers = ON")
    db.row_factory = sqlite3.Row
    _migrate(db)
    db.execute("PRAGMA foreign_keys = ON")


def _migrate(db: sqlite3.Connection) -> None:
    """Apply the schema files that the database has not seen, each in a transaction of its own."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    folder = files("bot").joinpath("schema").iterdir()
    steps = sorted((file for file in folder if file.name.endswith(".sql")), key=lambda f: f.name)
    if version > len(steps):
        raise StoreError(
            f"the database is from a newer release (schema {version}, this release knows"
            f" {len(steps)}); install that release, or restore an older backup"
        )
    for number, step in enumerate(steps[version:], start=version + 1):
        _apply(db, step.read_text("utf-8"), number)
        log.info("schema is now at %s", step.name)


def _apply(db: sqlite3.Connection, script: str, version: int) -> None:
    """Run a schema file whole or not at all.

    Without foreign keys, so that it may put a new table in the place of an old one; they are looked
    at together before the commit, which is the way that SQLite's own documentation gives.
    """
    db.execute("PRAGMA foreign_keys = OFF")
    try:
        db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {version};")
        _check_owners(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    finally:
        db.execute("PRAGMA foreign_keys = ON")


def _check_owners(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise sqlite3.IntegrityError("the new schema would leave rows without their owners")
