"""Rows of the accounts: what an accept costs, and a look into them, with a million entries.

The peer of an accept is all that it says to SQLite, said by a bare connection to the same file in
the same mode: the same statements for as many other clips, in one transaction each, with nothing
decided. They take turns; after each its clips are given up, so that everybody finds no queue.

As in a bot that has run for a while: the database's log has its full length on the disk (to write
over it takes half the time of making it longer, and is not interrupted), and who filled it pays for
emptying it into the database, whether during a turn or after it.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from bot.accounts import Accounts
from bot.choices import limits
from bot.database import Database
from bot.ledger import release
from bot.lifecycle import Event, Failure, Job, advance
from bot.periods import day_of
from bot.settings import Settings
from bot.store import Store
from tests.bench import million
from tests.bench.table import Row
from tests.conftest import NOON

ROUNDS = 5
CALLERS = 50
ACCEPTS = 500
LOOKS = 20
LIMITS = limits(
    Settings.from_env(
        {"DISCORD_TOKEN": "none", "RUNWARE_API_KEY": "none"}
        # Those that are there by default, so wide that no clip of the bench is refused.
        | {f"ANIMATE_{who}_MONTHLY_USD": "1000000" for who in ("MEMBER", "SERVER", "BOT")}
        | {f"ANIMATE_{who}_CLIPS": "1000000" for who in ("MEMBER", "SERVER", "BOT")}
    )
)


_MODE = (
    *("journal_mode = WAL", "synchronous = FULL", "cache_size = -32768"),
    *("recursive_triggers = ON", "foreign_keys = ON", "temp_store = MEMORY"),
)

Statement = tuple[Callable[..., sqlite3.Cursor], str, Any]
C = TypeVar("C", bound=sqlite3.Connection)
Taken = Sequence[float]
"""Seconds of each accept, in the order in which they ended, and of all together as the last."""


class _Listening(sqlite3.Connection):
    """A connection that also writes down what it is told."""

    said: list[Statement]

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        self.said.append((sqlite3.Connection.execute, sql, values))
        return super().execute(sql, values)

    def executemany(self, sql: str, values: Iterable[Any], /) -> sqlite3.Cursor:
        rows = list(values)
        self.said.append((sqlite3.Connection.executemany, sql, rows))
        return super().executemany(sql, rows)


class _Rehearsal(Database):
    """Runs each transaction on a listening connection, of which nothing is kept in the end."""

    def __init__(self, db: _Listening) -> None:
        super().__init__(Path())
        self._db = db

    async def run(self, transaction: Callable[[sqlite3.Connection], Any]) -> Any:
        return transaction(self._db)


async def measure() -> list[Row]:
    """Measure all rounds and return the rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        path = await million.make(folder)
        print(
            f"{2 * million.JOBS:,} entries, {path.stat().st_size / 1e6:.0f} MB, made in"
            f" {time.perf_counter() - started:.0f} s",
            file=sys.stderr,
        )
        return [*await _accept_rows(folder), *await _look_rows(folder)]


async def _accept_rows(folder: Path) -> list[Row]:
    chance = Random()
    moments = count(NOON)
    turns = [(_ours, 1), (_bare, 1), (_ours, CALLERS)]
    taken: dict[tuple[Any, int], list[Taken]] = {turn: [] for turn in turns}
    with closing(_opened(folder, sqlite3.Connection)) as keeper:
        _emptied(keeper)  # begins to use the file, so that its log outlives who else does
        for number in range(1 + ROUNDS):
            for turn in turns[number % 3 :] + turns[: number % 3]:
                jobs = [million.job(chance, next(moments)) for _ in range(ACCEPTS)]
                *each, all_of_them = await turn[0](folder, jobs, turn[1])
                taken[turn].append([*each, all_of_them + _emptied(keeper)])
                await _give_up(folder, jobs)
                _emptied(keeper)
    # In the first round the log grew, and nobody had read of the file what decides.
    alone, bare, together = (taken[turn][1:] for turn in turns)

    def rate(what: str, ours: list[Taken], least: float) -> Row:
        return Row(
            what=f"durable accepts, {what}",
            unit="per s",
            ours=[ACCEPTS / one[-1] for one in ours],
            floor=[ACCEPTS / one[-1] for one in bare],
            floor_name="bare sqlite3",
            least_ratio=least,
        )

    def p99(ours: list[Taken], most: float | None = None) -> Row:
        return Row(what="… p99", unit="ms", ours=[_p99_ms(one) for one in ours], most_ours=most)

    return [
        rate("1 caller", alone, 0.65),
        p99(alone),
        rate(f"{CALLERS} waiting", together, 3),
        p99(together, 15),
    ]


def _emptied(db: sqlite3.Connection) -> float:
    """Bring what is in the log into the database; return how many seconds that took."""
    started = time.perf_counter()
    blocked, _, _ = db.execute("PRAGMA wal_checkpoint").fetchone()
    assert not blocked
    return time.perf_counter() - started


async def _ours(folder: Path, jobs: Sequence[Job], callers: int) -> Taken:
    async with Database(folder) as database:
        store = Store(database)
        waiting = iter(jobs)
        taken: list[float] = []

        async def call() -> None:
            for job in waiting:
                begun = time.perf_counter()
                await store.accept(job, LIMITS)
                taken.append(time.perf_counter() - begun)

        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(call())
        return [*taken, time.perf_counter() - started]


async def _bare(folder: Path, jobs: Sequence[Job], _: int) -> Taken:
    said = await _said(folder, jobs)
    taken = []
    with closing(_opened(folder, sqlite3.Connection)) as db:
        started = time.perf_counter()
        for statements in said:
            begun = time.perf_counter()
            db.execute("BEGIN IMMEDIATE")
            for execute, sql, values in statements:
                execute(db, sql, values).fetchall()
            db.execute("COMMIT")
            taken.append(time.perf_counter() - begun)
        return [*taken, time.perf_counter() - started]


async def _said(folder: Path, jobs: Sequence[Job]) -> list[list[Statement]]:
    """Return what accepting each of these jobs says to SQLite, the others before it accepted.

    For what is asked depends on them: a line that is long is not read to its end.
    """
    with closing(_opened(folder, _Listening)) as db:
        db.row_factory = sqlite3.Row
        sqlite3.Connection.execute(db, "BEGIN IMMEDIATE")
        store = Store(_Rehearsal(db))
        said = []
        for job in jobs:
            db.said = []
            await store.accept(job, LIMITS)
            said.append(db.said)
        sqlite3.Connection.execute(db, "ROLLBACK")
        return said


def _opened(folder: Path, factory: type[C]) -> C:
    db = sqlite3.connect(folder / "animate.db", isolation_level=None, factory=factory)
    for pragma in _MODE:
        sqlite3.Connection.execute(db, f"PRAGMA {pragma}")
    return db


async def _give_up(folder: Path, jobs: Sequence[Job]) -> None:
    async with Database(folder) as database:
        store = Store(database)

        async def end(job: Job) -> None:
            found = await store.job(job.id)
            assert found is not None, "an accept was not carried out"
            gone = advance(found, Event.GIVE_UP, NOON, failure=Failure.LOST)
            await store.move(found, gone, resolution=release(found, NOON))

        await asyncio.gather(*map(end, jobs))


async def _look_rows(folder: Path) -> list[Row]:
    today = day_of(NOON)
    async with Database(folder) as database:
        accounts = Accounts(database, LIMITS)

        async def row(
            what: str,
            look: Callable[[int], Awaitable[object]],
            most: float | None,
            looks: int = LOOKS,
        ) -> Row:
            taken = []
            for place in range(looks):
                begun = time.perf_counter()
                await look(place)
                taken.append((time.perf_counter() - begun) * 1000)
            return Row(what=what, unit="ms", ours=taken, most_ours=most)

        return [
            await row(
                "/usage of a member",
                lambda place: accounts.statement(million.BIG, place + 1, million.ROLES, NOON),
                20,
            ),
            await row(
                "/usage of a server, a month",
                lambda _: accounts.usage(million.BIG, today - timedelta(days=30), today),
                100,
            ),
            await row("proof of all accounts", lambda _: accounts.discrepancies(), None, 1),
        ]


def _p99_ms(taken: Taken) -> float:
    ordered = sorted(taken[:-1])
    return ordered[int(len(ordered) * 0.99)] * 1000
