"""The one connection: durable, locked, migrated, and many transactions in one commit."""

import asyncio
import itertools
import logging
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from bot.accounts import Accounts
from bot.database import Database
from bot.errors import Locked, StoreError
from bot.ledger import Balance, spend
from bot.lifecycle import TRANSITIONS, Event, State, advance
from bot.periods import Period
from bot.rules import Account
from bot.store import Store
from tests.conftest import NOON, ROOT, UNLIMITED

STEPS = {path.name: path.read_text("utf-8") for path in (ROOT / "bot" / "schema").glob("*.sql")}
FIRST, SECOND = "0001_jobs_and_entries.sql", "0002_accounts.sql"
ORDER = '{"model": "klingai:2@1", "width": 1280, "height": 720, "duration": 5.0}'
SAID = {
    "jobs": """SELECT id, source, task_uuid, guild_id, channel_id, member_id, status_message_id,
        "order", quote_micro, state, due_at, attempts, failure, message_id, created_at, updated_at
        FROM jobs ORDER BY id""",
    "entries": """SELECT id, job_id, kind, member_id, guild_id, held_micro, spent_micro, at, note
        FROM entries ORDER BY id""",
    "clips": """SELECT job_id, ordinal, video_uuid, url, seed, cost_micro
        FROM clips ORDER BY job_id""",
    "facts": "SELECT * FROM facts",
}
"""What the first release wrote down, asked in the same way of its file and of a newer one."""


def keep(name: str, value: str = "x") -> Callable[[sqlite3.Connection], str]:
    """Return a transaction that writes one row, and returns its name."""

    def transaction(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO facts (name, value) VALUES (?, ?)", (name, value))
        return name

    return transaction


def names(db: sqlite3.Connection) -> set[str]:
    return {row["name"] for row in db.execute("SELECT name FROM facts")}


def pragma(name: str) -> Callable[[sqlite3.Connection], Any]:
    return lambda db: db.execute(f"PRAGMA {name}").fetchone()[0]


async def open_and_close(folder: Path) -> None:
    async with Database(folder):
        pass


@pytest.fixture
async def statements(database: Database) -> list[str]:
    """What SQLite is told from here on, statement by statement."""
    heard: list[str] = []
    await database.run(lambda db: db.set_trace_callback(heard.append))
    heard.clear()
    return heard


# --- Opening -------------------------------------------------------------------------------------


async def test_the_folder_is_made_and_the_schema_brought_forward(tmp_path: Path) -> None:
    async with Database(tmp_path / "a" / "b") as database:
        assert database.path == tmp_path / "a" / "b" / "animate.db"
        steps = len(list((ROOT / "bot" / "schema").glob("*.sql")))
        assert await database.run(pragma("user_version")) == steps
        assert await database.integrity() == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("recursive_triggers", 1),
        ("temp_store", 2),
        ("wal_autocheckpoint", 8192),
    ],
)
async def test_the_promises_rest_on_these_settings(
    database: Database, name: str, value: object
) -> None:
    assert await database.run(pragma(name)) == value


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    async with Database(tmp_path) as database:
        await database.run(keep("a"))
    async with Database(tmp_path) as database:
        assert await database.run(names) == {"a"}


async def test_a_second_database_on_the_same_folder_is_refused(
    database: Database,
) -> None:
    with pytest.raises(Locked, match="another bot runs on"):
        await open_and_close(database.path.parent)
    await database.run(keep("still usable"))


PROGRAM = """
import asyncio, sys
from pathlib import Path
from bot.database import Database

async def main() -> None:
    async with Database(Path(sys.argv[1])) as database:
        for number in range(3):
            await database.run(lambda db: db.execute(
                "INSERT INTO facts VALUES (?, ?)", (f"fact {number}", "x")))
        print("acknowledged", flush=True)
        await asyncio.sleep(60)

try:
    asyncio.run(main())
except Exception as error:
    print(type(error).__name__, flush=True)
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Start another process that opens the database, writes three facts, and stays."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        one = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        started.append(one)
        return one

    yield start
    for one in started:
        one.kill()
        one.communicate()


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def test_a_second_process_is_refused_until_the_first_is_gone_however_it_went(
    tmp_path: Path, process: Callable[[], "subprocess.Popen[str]"]
) -> None:
    async with Database(tmp_path):
        assert first_line(process()) == "Locked"
    other = process()
    assert first_line(other) == "acknowledged"
    with pytest.raises(Locked):
        await open_and_close(tmp_path)
    other.send_signal(signal.SIGKILL)
    other.wait()
    async with Database(tmp_path) as database:
        assert await database.run(names) == {"fact 0", "fact 1", "fact 2"}
        assert await database.integrity() == ""


async def test_a_database_from_a_newer_release_is_refused_and_left_alone(tmp_path: Path) -> None:
    async with Database(tmp_path) as database:
        await database.run(lambda db: db.execute("PRAGMA user_version = 99"))
    before = database.path.read_bytes()
    with pytest.raises(StoreError, match="newer release"):
        await open_and_close(tmp_path)
    assert database.path.read_bytes() == before


async def test_a_file_that_is_no_database_is_refused_and_the_folder_let_go(tmp_path: Path) -> None:
    (tmp_path / "animate.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreError, match="cannot be"):
        await open_and_close(tmp_path)
    (tmp_path / "animate.db").unlink()
    async with Database(tmp_path) as database:
        assert await database.integrity() == ""


async def test_whatever_breaks_while_opening_the_folder_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("unforeseen")

    with monkeypatch.context() as patch:
        patch.setattr("bot.migration.files", broken)
        with pytest.raises(RuntimeError, match="unforeseen"):
            await open_and_close(tmp_path)
    async with Database(tmp_path) as database:
        assert await database.integrity() == ""


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be"):
        await open_and_close(tmp_path / "file")


async def test_a_damaged_file_is_told_by_the_integrity_check(tmp_path: Path) -> None:
    async with Database(tmp_path) as database:
        await asyncio.gather(*(database.run(keep(f"fact {one}", "x" * 500)) for one in range(200)))
    content = bytearray(database.path.read_bytes())
    content[-3000:-2000] = b"\xff" * 1000
    database.path.write_bytes(content)
    async with Database(tmp_path) as database:
        assert await database.integrity()


async def test_only_sql_files_are_taken_for_steps_of_the_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = steps_are(monkeypatch, tmp_path, STEPS)
    (folder / ".0001_jobs_and_entries.sql.swp").write_bytes(b"\xff\x00")
    (folder / "0009_notes.txt").write_text("no SQL at all")
    async with Database(tmp_path / "data") as database:
        assert await database.run(pragma("user_version")) == len(STEPS)


# --- Bringing the schema forward -----------------------------------------------------------------


def steps_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, steps: Mapping[str, str]) -> Path:
    """Have the schema consist of these files, and return their folder."""
    folder = tmp_path / "bot" / "schema"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, script in steps.items():
        (folder / name).write_text(script, "utf-8")
    monkeypatch.setattr("bot.migration.files", lambda _: tmp_path / "bot")
    return folder


FATES = {
    "queued": None,
    "submitting": None,
    "rendering": None,
    "rendered": 150,
    "delivered": 250,
    "failed": 0,
}
"""The states of the first schema, and what a job in it has cost; None: its hold is still open."""
MOMENTS = ("2025-12-31T23:59:59.999", "2026-01-01T00:00", "2028-02-29T12:00", "2028-03-01T00:00")


def first_release(db: sqlite3.Connection) -> None:
    """Write what the first release would have: a job of each fate, moment, member and server."""
    every = itertools.product(FATES.items(), MOMENTS, (11, 12), (1, 2))
    for number, ((state, cost), moment, member, guild) in enumerate(every):
        name, at = f"{number:036}", milliseconds(moment)
        db.execute(
            "INSERT INTO jobs VALUES"
            " (?, ?, ?, ?, 5, ?, NULL, ?, 200, 'queued', ?, 0, NULL, NULL, ?, ?)",
            (name, f"interaction:{number}", f"task {number}", guild, member, ORDER, at, at, at),
        )
        entry = "INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        month = moment[:7]
        db.execute(entry, (name, "hold", member, guild, month, 200, 0, at, ""))
        if cost is not None:
            kind = "spend" if cost else "release"
            later = at + 3_600_000
            db.execute(entry, (name, kind, member, guild, month, -200, cost, later, "a note"))
        db.execute(
            "UPDATE jobs SET state = ?, failure = iif(? = 'failed', 'lost', NULL),"
            " message_id = iif(? = 'delivered', 9, NULL) WHERE id = ?",
            (state, state, state, name),
        )
        if state in ("rendered", "delivered"):
            db.execute("INSERT INTO clips VALUES (?, 0, 'video', 'address', 7, ?)", (name, cost))
    db.execute("INSERT INTO facts VALUES ('commands', 'hash')")


def milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)


def content(db: sqlite3.Connection) -> list[str]:
    return [*db.iterdump(), str(pragma("user_version")(db))]


@pytest.fixture
async def old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a database that the first release has left."""
    folder = tmp_path / "data"
    with monkeypatch.context() as patch:
        steps_are(patch, tmp_path, {FIRST: STEPS[FIRST]})
        async with Database(folder) as database:
            await database.run(first_release)
    return folder


async def test_a_file_of_the_first_release_comes_forward_with_everything_it_says(
    old_file: Path,
) -> None:
    with closing(sqlite3.connect(old_file / "animate.db")) as db:
        before = {name: db.execute(query).fetchall() for name, query in SAID.items()}
    async with Database(old_file) as database:
        after = await database.run(
            lambda db: {name: list(map(tuple, db.execute(query))) for name, query in SAID.items()}
        )
        assert after == before
        assert await Accounts(database, UNLIMITED).discrepancies() == ()
        assert await database.run(pragma("foreign_keys")) == 1
        assert (
            await database.run(lambda db: db.execute("PRAGMA foreign_key_check").fetchall()) == []
        )
        assert await database.integrity() == ""


async def test_what_came_forward_counts_on_the_days_on_which_it_was_accepted(
    old_file: Path,
) -> None:
    async with Database(old_file) as database:
        accounts, store = Accounts(database, UNLIMITED), Store(database)
        for moment in MOMENTS:
            day, now = date.fromisoformat(moment[:10]), milliseconds(moment)
            entries = await accounts.entries(1, day, day, 1000)
            assert {(entry.day, entry.utc_day) for entry in entries} == {(day, day)}
            assert len(entries) == 2 * (len(FATES) + 3)
            view = await accounts.statement(1, 11, (), now)
            balances = {
                Account.MEMBER: Balance(400, 600),
                Account.SERVER: Balance(800, 1200),
                Account.BOT: Balance(1600, 2400),
            }
            for account, balance in balances.items():
                for period in (Period.DAY, Period.MONTH):
                    assert view.balances[account, period] == balance
            open_jobs = 3 * len(MOMENTS)
            assert view.running == {
                Account.MEMBER: open_jobs,
                Account.SERVER: 2 * open_jobs,
                Account.BOT: 4 * open_jobs,
            }
        jobs = [await store.job(f"{number:036}") for number in range(96)]
        assert Counter(job.state for job in jobs if job) == dict.fromkeys(FATES, 16)


async def test_a_job_that_came_forward_in_flight_goes_on_to_its_end(old_file: Path) -> None:
    async with Database(old_file) as database:
        accounts, store = Accounts(database, UNLIMITED), Store(database)
        for job_id in sorted(await store.open_jobs()):
            job = await store.job(job_id)
            assert job is not None
            while job.state is not State.RENDERED:
                event = next(iter(TRANSITIONS[job.state]))
                paid = spend(job, 120, NOON) if event is Event.FINISHED else None
                job = await store.move(job, advance(job, event, NOON), resolution=paid)
            await store.move(job, advance(job, Event.POSTED, NOON, message_id=1))
        view = await accounts.statement(1, 11, (), milliseconds(MOMENTS[0]))
        assert view.balances[Account.MEMBER, Period.DAY] == Balance(400 + 3 * 120)
        assert set(view.running.values()) == {0}
        assert await accounts.discrepancies() == ()


@pytest.mark.parametrize(
    ("flaw", "told"),
    [
        ("INSERT INTO no_such_table VALUES (1);", "no such table"),
        ("SYNTAX ERROR;", "syntax error"),
        ("INSERT INTO running VALUES (99, -1);", "CHECK"),
        ("DROP TRIGGER jobs_begin_queued; DELETE FROM jobs;", "without their owners"),
    ],
)
async def test_a_step_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old_file: Path, flaw: str, told: str
) -> None:
    with closing(sqlite3.connect(old_file / "animate.db")) as db:
        before = content(db)
    with monkeypatch.context() as patch:
        steps_are(patch, tmp_path, STEPS | {SECOND: STEPS[SECOND] + flaw})
        with pytest.raises(StoreError, match=told):
            await open_and_close(old_file)
    with closing(sqlite3.connect(old_file / "animate.db")) as db:
        assert content(db) == before
    async with Database(old_file) as database:
        assert await database.run(pragma("user_version")) == len(STEPS)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def old_copy(folder: Path) -> Path:
    return folder / f"animate.db.before-schema-{len(STEPS)}"


async def test_before_a_migration_the_file_is_kept_for_the_release_that_it_is_from(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old_file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closing(sqlite3.connect(old_file / "animate.db")) as db:
        before = content(db)
    with caplog.at_level(logging.INFO, "bot.migration"):
        await open_and_close(old_file)
    assert f"is kept as {old_copy(old_file)}" in caplog.text
    with closing(sqlite3.connect(old_copy(old_file))) as db:
        assert content(db) == before

    old_copy(old_file).replace(old_file / "animate.db")
    steps_are(monkeypatch, tmp_path, {FIRST: STEPS[FIRST]})
    async with Database(old_file) as database:  # as that release would
        assert await database.run(pragma("user_version")) == 1


async def test_nothing_is_copied_where_nothing_is_brought_forward(tmp_path: Path) -> None:
    await open_and_close(tmp_path)
    await open_and_close(tmp_path)
    assert names_in(tmp_path) == {"animate.db", "lock"}


async def test_a_copy_that_an_earlier_attempt_left_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old_file: Path
) -> None:
    with monkeypatch.context() as patch:
        steps_are(patch, tmp_path, STEPS | {SECOND: "SYNTAX ERROR;"})
        with pytest.raises(StoreError, match="go on with the release before"):
            await open_and_close(old_file)
        steps_are(patch, tmp_path, {FIRST: STEPS[FIRST]})
        async with Database(old_file) as database:  # which goes on for a while
            await database.run(keep("late"))
    (old_file / f"{old_copy(old_file).name}.part").write_text("cut off")
    await open_and_close(old_file)
    with closing(sqlite3.connect(old_copy(old_file))) as db:
        assert ("late",) in db.execute("SELECT name FROM facts").fetchall()
    assert names_in(old_file) == {"animate.db", "lock", old_copy(old_file).name}


async def test_only_the_last_few_copies_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, steps = tmp_path / "data", {FIRST: STEPS[FIRST]}
    for number in range(2, 13):
        steps_are(monkeypatch, tmp_path, steps)
        await open_and_close(data)
        steps |= {f"{number:04}_more.sql": f"CREATE TABLE more_{number} (x INTEGER);"}
        (data / "animate.db.before-schema-of-mine").touch()
    kept = {f"animate.db.before-schema-{name}" for name in ("9", "10", "11", "of-mine")}
    assert names_in(data) == {"animate.db", "lock"} | kept


async def test_foreign_keys_are_on_again_after_a_step_that_failed_and_was_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old_file: Path
) -> None:
    with monkeypatch.context() as patch:
        steps_are(patch, tmp_path, STEPS | {SECOND: "SYNTAX ERROR;"})
        with pytest.raises(StoreError):
            await open_and_close(old_file)
    async with Database(old_file) as database:
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            await database.run(
                lambda db: db.execute("INSERT INTO clips VALUES ('nobody', 0, 'v', 'u', 1, 1, 0)")
            )


# --- Transactions --------------------------------------------------------------------------------


async def test_a_transaction_returns_its_result(database: Database) -> None:
    assert await database.run(keep("a")) == "a"
    assert await database.run(names) == {"a"}


async def test_transactions_that_wait_are_committed_together(
    database: Database, statements: list[str]
) -> None:
    await asyncio.gather(*(database.run(keep(f"fact {number}")) for number in range(40)))
    assert statements.count("COMMIT") == 1
    assert len(await database.run(names)) == 40


async def test_no_more_than_a_bounded_number_waits_for_one_commit(
    database: Database, statements: list[str]
) -> None:
    await asyncio.gather(*(database.run(keep(f"fact {number}")) for number in range(600)))
    assert statements.count("COMMIT") == 3


async def test_transactions_run_in_the_order_in_which_they_were_handed_over(
    database: Database,
) -> None:
    order: list[int] = []

    def note(_: sqlite3.Connection, number: int) -> None:
        order.append(number)

    await asyncio.gather(*(database.run(partial(note, number=one)) for one in range(300)))
    assert order == list(range(300))


async def test_one_that_fails_takes_back_only_its_own_changes(database: Database) -> None:
    def broken(db: sqlite3.Connection) -> None:
        keep("half done")(db)
        raise LookupError("the reason")

    outcomes = await asyncio.gather(
        database.run(keep("before")),
        database.run(broken),
        database.run(keep("before")),
        database.run(keep("after")),
        return_exceptions=True,
    )
    assert outcomes[0] == "before"
    assert isinstance(outcomes[1], LookupError)
    assert isinstance(outcomes[2], StoreError)
    assert outcomes[3] == "after"
    assert await database.run(names) == {"before", "after"}


async def test_errors_of_sqlite_come_as_errors_of_the_store_with_their_cause(
    database: Database,
) -> None:
    with pytest.raises(StoreError, match="no such table") as error:
        await database.run(lambda db: db.execute("SELECT * FROM absent"))
    assert isinstance(error.value.__cause__, sqlite3.OperationalError)


async def test_where_the_commit_fails_nobody_is_told_that_it_worked(database: Database) -> None:
    def orphan(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.execute("INSERT INTO clips VALUES ('no such job', 0, 'video', 'https://x', 1, 1, 0)")

    outcomes = await asyncio.gather(
        database.run(keep("a")), database.run(orphan), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [StoreError, StoreError]
    assert await database.run(names) == set()
    assert await database.run(keep("b")) == "b"


async def test_where_one_ends_the_common_transaction_nobody_is_told_that_it_worked(
    database: Database,
) -> None:
    outcomes = await asyncio.gather(
        database.run(keep("a")),
        database.run(lambda db: db.execute("ROLLBACK")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [StoreError, StoreError]
    assert await database.run(names) == set()


async def test_the_transaction_of_a_waiter_that_was_cancelled_is_still_carried_out(
    database: Database,
) -> None:
    held = threading.Event()
    first = asyncio.create_task(database.run(lambda _: held.wait(5)))
    await asyncio.sleep(0.02)
    late = asyncio.create_task(database.run(keep("late")))
    await asyncio.sleep(0)
    first.cancel()
    late.cancel()
    held.set()
    outcomes = await asyncio.gather(first, late, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
    assert await database.run(names) == {"late"}


async def test_a_failure_that_nobody_waits_for_any_more_makes_no_noise(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    late = asyncio.create_task(database.run(lambda db: db.execute("nonsense")))
    await asyncio.sleep(0)
    late.cancel()
    with caplog.at_level(logging.DEBUG, "asyncio"):
        await asyncio.gather(late, return_exceptions=True)
        await database.run(names)
    assert not [record for record in caplog.records if record.name == "asyncio"]


# --- Closing -------------------------------------------------------------------------------------


async def test_the_log_is_brought_into_the_file_while_nobody_waits(tmp_path: Path) -> None:
    async with Database(tmp_path, rest_seconds=0.05) as database:
        await database.run(keep("a word of its own"))
        assert b"a word of its own" not in database.path.read_bytes()
        for _ in range(500):
            await asyncio.sleep(0.01)
            if b"a word of its own" in database.path.read_bytes():
                break
        assert b"a word of its own" in database.path.read_bytes()
        await database.run(keep("another word"))
        assert await database.run(names) == {"a word of its own", "another word"}


async def test_what_was_handed_over_is_committed_before_the_file_is_closed(tmp_path: Path) -> None:
    async with Database(tmp_path) as database:
        tasks = [asyncio.create_task(database.run(keep(f"fact {one}"))) for one in range(300)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    async with Database(tmp_path) as database:
        assert len(await database.run(names)) == 300


async def test_a_closed_database_takes_nothing_more(tmp_path: Path) -> None:
    async with Database(tmp_path) as database:
        pass
    with pytest.raises(StoreError, match="closed"):
        await database.run(names)


def test_a_loop_that_is_torn_down_does_not_hang_on_the_database(tmp_path: Path) -> None:
    """What `asyncio.run` does at its end: cancel everything that is left, at once."""
    is_inside = asyncio.Event()

    def slow(db: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon_threadsafe(is_inside.set)
        threading.Event().wait(0.1)
        keep("slow")(db)

    async def left_over() -> None:
        async with Database(tmp_path) as database:
            await database.run(partial(slow, loop=asyncio.get_running_loop()))

    async def main() -> None:
        task = asyncio.create_task(left_over())
        await is_inside.wait()
        assert not task.done()

    asyncio.run(main())

    async def after() -> set[str]:
        async with Database(tmp_path) as database:
            return await database.run(names)

    assert asyncio.run(after()) == {"slow"}


# --- The library ---------------------------------------------------------------------------------


async def test_aiosqlite_still_runs_a_whole_function_in_its_thread(tmp_path: Path) -> None:
    """`Database` relies on a private method; an aiosqlite without it must not go unnoticed."""
    async with aiosqlite.connect(tmp_path / "x.db", isolation_level=None) as connection:

        def inside(db: sqlite3.Connection, number: int) -> tuple[int, int]:
            return threading.get_ident(), db.execute("SELECT ?", (number,)).fetchone()[0]

        raw = connection._conn  # noqa: SLF001 - as database.py does
        assert isinstance(raw, sqlite3.Connection)
        thread, number = await connection._execute(inside, raw, 7)  # type: ignore[no-untyped-call] # noqa: SLF001
        assert number == 7
        assert thread != threading.get_ident()
