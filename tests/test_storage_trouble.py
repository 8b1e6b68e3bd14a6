"""The disk is full, the file locked, damaged or not ours to write: what people and the owner see.

Whatever it is, nothing is accepted meanwhile, nothing is lost, it is said once, and what passes by
itself needs no restart.
"""

import asyncio
import errno
import logging
import os
import resource
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiohttp
import pytest

from bot import migration
from bot.accounts import Accounts
from bot.database import Database
from bot.diagnosis import diagnosis
from bot.errors import NotAccepting, StoreError, StoreTrouble, Unusable
from bot.lifecycle import State
from bot.store import Store
from tests.conftest import UNLIMITED, make_job
from tests.corridor import World, assert_paid_once, world
from tests.test_backup import names_in
from tests.town import PRICE, Town, command, photo_file, told, town, until

TROUBLE = "Nothing is accepted meanwhile, and nothing is lost."
WELL = "the database can be written again"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


def pages(most: int) -> Callable[[sqlite3.Connection], None]:
    """Have SQLite find its disk full beyond so many pages."""

    def transaction(db: sqlite3.Connection) -> None:
        db.execute(f"PRAGMA max_page_count = {most}")

    return transaction


def accept_many(store: Store, count: int) -> list[asyncio.Task[object]]:
    return [asyncio.create_task(store.accept(make_job(), UNLIMITED)) for _ in range(count)]


LOCKER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def foreign_lock(path: Path) -> Iterator[None]:
    """Have another program hold the database for itself."""
    program = [sys.executable, "-c", LOCKER, str(path)]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        yield
        other.communicate()


# --- What ails the file --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_FULL, "Free some space"),
        (sqlite3.SQLITE_BUSY, "Another program has locked it"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "Another program has locked it"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "must be allowed to write"),
        (sqlite3.SQLITE_CANTOPEN, "must be allowed to write"),
        (sqlite3.SQLITE_IOERR_FSYNC, "Look at the system's log"),
    ],
)
def test_what_may_pass_is_told_with_what_to_do(code: int, words: str) -> None:
    error = sqlite3.OperationalError("the reason")
    error.sqlite_errorcode = code
    found = diagnosis(error, Path("animate.db"))
    assert type(found) is StoreTrouble
    assert str(found).startswith("animate.db cannot be used (the reason). ")
    assert words in str(found)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_CORRUPT_INDEX, sqlite3.SQLITE_NOTADB])
def test_damage_does_not_pass_and_a_backup_is_the_way_out(code: int) -> None:
    error = sqlite3.DatabaseError("the reason")
    error.sqlite_errorcode = code
    found = diagnosis(error, Path("animate.db"))
    assert isinstance(found, Unusable)
    assert "python -m bot restore FILE" in str(found)


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "Free some space"), (errno.EACCES, "allowed"), (errno.EROFS, "allowed")],
)
def test_errors_of_the_system_are_told_alike(number: int, words: str) -> None:
    found = diagnosis(OSError(number, os.strerror(number)), Path("animate.db"))
    assert type(found) is StoreTrouble
    assert words in str(found)


def test_a_mistake_of_ours_is_no_trouble_with_the_file() -> None:
    error = sqlite3.IntegrityError("CHECK constraint failed")
    error.sqlite_errorcode = sqlite3.SQLITE_CONSTRAINT_CHECK
    found = diagnosis(error, Path("animate.db"))
    assert type(found) is StoreError
    assert str(found) == "CHECK constraint failed"
    assert type(diagnosis(sqlite3.ProgrammingError("closed"), Path())) is StoreError


# --- The one connection --------------------------------------------------------------------------


async def test_a_full_disk_takes_nothing_by_halves_is_told_once_and_passes(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(database)
    await database.run(pages(1))  # as few as there are
    accepted = 0
    for _ in range(2):
        outcomes = await asyncio.gather(*accept_many(store, 300), return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, StoreTrouble)]
        assert all("Its disk is full. Free some space." in str(error) for error in refused)
        accepted += len(outcomes) - len(refused)
        assert refused
        assert len(await store.open_jobs()) == accepted
    told_once = [record for record in caplog.records if TROUBLE in record.getMessage()]
    assert [record.levelno for record in told_once] == [logging.CRITICAL]
    assert WELL not in caplog.text

    await database.run(pages(1 << 30))
    await asyncio.gather(*accept_many(store, 300))
    assert caplog.text.count(WELL) == 1
    assert await Accounts(database, UNLIMITED).discrepancies() == ()
    assert await database.integrity() == ""


async def test_a_foreign_lock_passes(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    await database.run(lambda db: db.execute("PRAGMA busy_timeout = 50"))
    store = Store(database)
    with foreign_lock(database.path):
        for _ in range(2):
            with pytest.raises(StoreTrouble, match="Another program has locked it"):
                await store.accept(make_job(), UNLIMITED)
    await store.accept(make_job(), UNLIMITED)
    assert caplog.text.count(TROUBLE) == caplog.text.count(WELL) == 1


def damage_the_end(path: Path) -> None:
    """Overwrite the second half, where what is written next belongs."""
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + os.urandom(len(content) - middle))


async def test_a_damaged_file_is_not_written_any_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Database(tmp_path) as database:
        await asyncio.gather(*accept_many(Store(database), 600))  # more than the schema's own pages
    damage_the_end(tmp_path / "animate.db")
    async with Database(tmp_path) as database:
        outcomes = await asyncio.gather(*accept_many(Store(database), 200), return_exceptions=True)
        assert any(isinstance(outcome, Unusable) for outcome in outcomes)
        before = (tmp_path / "animate.db").read_bytes()
        for _ in range(3):
            with pytest.raises(Unusable, match="python -m bot restore FILE"):
                await Store(database).accept(make_job(), UNLIMITED)
        assert (tmp_path / "animate.db").read_bytes() == before
    assert caplog.text.count(TROUBLE) == 1


async def test_an_error_of_one_transaction_is_no_trouble(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StoreError, match="no such table") as error:
        await database.run(lambda db: db.execute("SELECT * FROM absent"))
    assert not isinstance(error.value, StoreTrouble)
    assert caplog.records == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill_up(disk: Path) -> Path:
    """Write a file until not a byte more fits, and return it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"\0" * 4096)
            except OSError:
                return filler


async def test_a_disk_that_is_really_full_is_told_once_and_passes(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Database(small_disk) as database:
        store = Store(database)
        first = (await store.accept(make_job(), UNLIMITED)).job
        filler = fill_up(small_disk)
        for _ in range(3):
            outcomes = await asyncio.gather(*accept_many(store, 50), return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {StoreTrouble}
            assert await store.open_jobs() == {first.id}  # what is there can still be read
        filler.unlink()
        await asyncio.gather(*accept_many(store, 50))
        assert len(await store.open_jobs()) == 51
        assert await database.integrity() == ""
    assert caplog.text.count(TROUBLE) == caplog.text.count(WELL) == 1


async def test_a_migration_that_the_disk_has_no_room_for_changes_nothing(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database(small_disk) as database:
        await asyncio.gather(*accept_many(Store(database), 200))
    steps = migration._steps()  # noqa: SLF001 - one more than there are
    monkeypatch.setattr(migration, "_steps", lambda: [*steps, steps[-1]])
    before = (small_disk / "animate.db").read_bytes()
    filler = fill_up(small_disk)
    with pytest.raises(StoreTrouble, match="full"):
        await Database(small_disk).__aenter__()
    filler.unlink()
    assert (small_disk / "animate.db").read_bytes() == before
    assert names_in(small_disk, "*schema*") == []


# --- The corridor --------------------------------------------------------------------------------


async def test_what_runs_while_the_file_is_locked_rests_and_goes_on_by_itself(
    here: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.worker._BREATH", 0.05)
    opened: list[Database] = []

    def store_type(database: Database) -> Store:
        opened.append(database)
        return Store(database)

    async with here.bot(store_type=store_type, look_every=0.05) as bot:
        (database,) = opened
        await database.run(lambda db: db.execute("PRAGMA busy_timeout = 20"))
        job = await bot.accept()
        with foreign_lock(database.path):
            bot.worker.start()
            with pytest.raises(NotAccepting):
                await bot.accept()
            for _ in range(20):
                await asyncio.sleep(0.02)
                here.clock.forward(seconds=1)
            assert here.runware.ledger.accepted == 0
            assert here.channel.posts == {}
        while (await bot.reread(job)).state is not State.DELIVERED:
            await asyncio.sleep(0.02)
            here.clock.forward(seconds=1)
        await assert_paid_once(bot, job)
        await bot.worker.stop()
    assert caplog.text.count(TROUBLE) == caplog.text.count(WELL) == 1
    assert "Traceback" not in caplog.text


# --- The bot from outside ------------------------------------------------------------------------


async def what_keeps(port: int) -> str:
    """Why the bot is not ready, "" where it is."""
    url = f"http://127.0.0.1:{port}/readyz"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return str((await response.json()).get("reason", ""))


async def test_a_bot_that_cannot_write_refuses_kindly_and_needs_no_restart(street: Town) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with street.bot(ANIMATE_WEB_PORT=str(port)) as process:
        await until(lambda: "ready as" in street.log)
        assert await what_keeps(port) == ""
        stall = {"do": "stall", "match": {"label": "videoInference"}, "seconds": 1, "when": "after"}
        rule = street.trouble_at_runware(**stall)
        early = await street.animate(photo_file())
        await until(lambda: street.runware.faults.hits(rule))
        # From here on no file of the bot's may be written beyond what one page in the log takes,
        # which begins anew once it was emptied.
        unlimited = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4000, unlimited[1]))
        refused = told(await street.refusal(await street.animate(photo_file())))
        assert "Not taking new clips right now" in refused
        await until(lambda: TROUBLE in street.log)
        await asyncio.sleep(0.5)
        assert street.posts == []
        assert await what_keeps(port) == "the store does not answer"

        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
        assert await what_keeps(port) == ""  # whether or not anything is to be written
        await street.clip(early)
        await street.clip(await street.animate(photo_file()))
        books = await street.settled()
    assert books.spent_micro == street.runware.ledger.billed_micro == 2 * PRICE
    assert len(street.posts) == 2
    assert street.log.count(TROUBLE) == street.log.count(WELL) == 1
    assert "Traceback" not in street.log


def noise(path: Path) -> None:
    path.write_bytes(b"this was a database once " * 400)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(noise, "python -m bot restore FILE", id="damaged"),
        pytest.param(newer, "install that release", id="newer"),
    ],
)
async def test_a_start_on_a_database_that_no_start_can_use_ends_for_good(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    async with Database(tmp_path / "data"):
        pass
    spoil(tmp_path / "data" / "animate.db")
    ended = await command("run", settings=settings(tmp_path / "data"), folder=tmp_path)
    assert ended.code == 2
    assert words in ended.err
    assert "Traceback" not in ended.err


async def test_a_start_under_a_foreign_lock_says_so_and_a_later_one_may_work(
    tmp_path: Path,
) -> None:
    async with Database(tmp_path / "data") as database:
        path = database.path
    with foreign_lock(path):
        ended = await command("run", settings=settings(tmp_path / "data"), folder=tmp_path)
    assert ended.code == 1
    assert "Another program has locked it" in ended.err


async def test_a_start_on_a_full_disk_says_so_and_a_later_one_may_work(small_disk: Path) -> None:
    fill_up(small_disk)
    ended = await command("run", settings=settings(small_disk), folder=small_disk)
    assert ended.code == 1
    assert "disk" in ended.err
    assert "Traceback" not in ended.err


async def test_a_start_in_a_folder_that_is_only_to_be_read_says_so(small_disk: Path) -> None:
    async with Database(small_disk):
        pass
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    await asyncio.to_thread(subprocess.run, remount, check=True)
    ended = await command("run", settings=settings(small_disk), folder=small_disk)
    assert ended.code == 1
    assert "must be allowed to write" in ended.err


def settings(folder: Path) -> dict[str, str]:
    return {
        "DISCORD_TOKEN": "a-token",
        "RUNWARE_API_KEY": "a-key",
        "ANIMATE_DATA_DIR": str(folder),
        "ANIMATE_DISCORD_API": "http://127.0.0.1:9/api/v10",
    }
