"""Copies of the database: made beside a running bot, put back, and what that means for its jobs."""

import asyncio
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import books
from bot.accounts import Accounts
from bot.backup import backup, restore
from bot.database import Database
from bot.errors import BackupRefused
from bot.lifecycle import Event, Failure, Job, State, advance
from bot.provider import Progress
from bot.store import Store
from tests.conftest import NOON, ROOT, UNLIMITED, make_job
from tests.corridor import NOTHING_KNOWN, WHERE, World, world
from tests.town import Town, command, photo_file, told, town, until

NOW = datetime.fromtimestamp(NOON / 1000, UTC) + timedelta(hours=1)


async def fill(folder: Path, jobs: int = 3) -> list[Job]:
    """Have a bot accept jobs, and stop."""
    async with Database(folder) as database:
        store = Store(database)
        return [(await store.accept(make_job(), UNLIMITED)).job for _ in range(jobs)]


def held(path: Path) -> set[str]:
    """The jobs that a database file holds; asked of the file alone."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        return {row[0] for row in db.execute("SELECT id FROM jobs")}


def assert_sound(path: Path) -> None:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert books.discrepancies(db) == ()


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def names_in(folder: Path, pattern: str = "*") -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


# --- Making a copy -------------------------------------------------------------------------------


async def test_a_copy_of_a_stopped_bot_is_whole_and_says_what_it_holds(tmp_path: Path) -> None:
    jobs = await fill(tmp_path / "data")
    target = tmp_path / "copy.db"
    (line,) = backup(tmp_path / "data", target)
    assert held(target) == {job.id for job in jobs}
    assert_sound(target)
    assert line.startswith(f"written to {target}: ")
    assert line.endswith(" MB, 3 entries, the last of 2026-11-07 12:00:00 UTC")
    assert target.stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == ["copy.db", "data"]


async def test_what_is_only_in_the_log_of_a_bot_that_crashed_is_in_the_copy(
    tmp_path: Path,
) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    async with Database(tmp_path / "data") as database:
        job = (await Store(database).accept(make_job(), UNLIMITED)).job
        for path in database.path.parent.glob("animate.db*"):
            shutil.copy(path, crashed)
    before = files_in(crashed)
    backup(crashed, tmp_path / "copy.db")
    assert held(tmp_path / "copy.db") == {job.id}
    after = files_in(crashed)
    for name in ("animate.db", "animate.db-wal"):
        assert after[name] == before[name]  # a reader brings nothing forward


LOADED = """
import asyncio, os, sys
from pathlib import Path
from bot.database import Database
from bot.store import Store
from tests.conftest import UNLIMITED, make_job

async def main():
    async with Database(Path(sys.argv[1])) as database:
        store = Store(database)
        async def member(number):
            for _ in range(1_000_000):
                job = make_job(member_id=number)
                await store.accept(job, UNLIMITED)
                print(job.id)  # acknowledged: it is durable
        async def flush():
            while True:
                sys.stdout.flush()
                await asyncio.sleep(0.001)
        await asyncio.gather(flush(), *(member(number) for number in range(1, 17)))

asyncio.run(main())
"""


@pytest.fixture
def busy_bot(tmp_path: Path) -> Iterator[Path]:
    """A process that accepts jobs as fast as it can; the file names those it acknowledged."""
    acknowledged = tmp_path / "acknowledged"
    with acknowledged.open("w") as out:
        command = [sys.executable, "-c", LOADED, str(tmp_path / "data")]
        process = subprocess.Popen(command, stdout=out, cwd=ROOT)
        yield acknowledged
        process.send_signal(signal.SIGKILL)
        process.wait()


def lines_of(path: Path) -> set[str]:
    text = path.read_text()
    return set(text[: text.rfind("\n") + 1].split())


async def test_twenty_copies_beside_a_bot_under_load_miss_nothing_that_was_acknowledged(
    tmp_path: Path, busy_bot: Path
) -> None:
    await until(lambda: len(lines_of(busy_bot)) > 200, within=20)
    first = len(lines_of(busy_bot))
    for number in range(20):
        acknowledged = lines_of(busy_bot)
        target = tmp_path / f"copy-{number}.db"
        await asyncio.to_thread(backup, tmp_path / "data", target)
        assert held(target) >= acknowledged
        assert_sound(target)
    assert len(lines_of(busy_bot)) - first > 500  # it really was beside a bot at work


async def test_a_copy_never_takes_the_place_of_a_file(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    target = tmp_path / "copy.db"
    target.write_text("dear to somebody")
    with pytest.raises(BackupRefused, match="exists, and is left as it is"):
        backup(tmp_path / "data", target)
    assert target.read_text() == "dear to somebody"


async def test_two_copies_under_one_name_are_not_written_into_each_other(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    part = tmp_path / "copy.db.part"
    part.write_text("another backup is at it")
    with pytest.raises(BackupRefused, match="another backup writes it"):
        backup(tmp_path / "data", tmp_path / "copy.db")
    assert part.read_text() == "another backup is at it"


@pytest.mark.parametrize("target", ["no/such/folder/copy.db", "data/animate.db/copy.db"])
async def test_a_folder_that_is_not_there_is_named(tmp_path: Path, target: str) -> None:
    await fill(tmp_path / "data")
    folder = (tmp_path / target).parent
    with pytest.raises(BackupRefused, match=f"there is no folder {folder}. Make it first"):
        backup(tmp_path / "data", tmp_path / target)


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    with pytest.raises(BackupRefused, match=r"cannot be copied to /proc/copy\.db\.part"):
        backup(tmp_path / "data", Path("/proc/copy.db"))  # where nobody makes a file


async def test_where_there_is_no_database_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="ANIMATE_DATA_DIR"):
        backup(tmp_path / "data", tmp_path / "copy.db")
    assert names_in(tmp_path) == []


def damage(path: Path) -> None:
    """Overwrite a good part of the middle of a file."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 8000 : middle + 8000] = os.urandom(16000)
    path.write_bytes(content)


async def test_a_damaged_database_gives_no_copy_and_leaves_no_file(tmp_path: Path) -> None:
    await fill(tmp_path / "data", 100)
    damage(tmp_path / "data" / "animate.db")
    with pytest.raises(BackupRefused, match=r"damaged|malformed"):
        backup(tmp_path / "data", tmp_path / "copy.db")
    assert names_in(tmp_path) == ["data"]


async def test_accounts_that_do_not_add_up_are_copied_all_the_same_and_said(
    tmp_path: Path,
) -> None:
    await fill(tmp_path / "data")
    async with Database(tmp_path / "data") as database:
        await database.run(lambda db: db.execute("UPDATE totals SET held_micro = 7"))
    _, doubt = backup(tmp_path / "data", tmp_path / "copy.db")
    assert doubt.startswith("But 3 thing(s) do not add up in it: the total of server 0")
    assert (tmp_path / "copy.db").exists()


# --- Putting a copy back -------------------------------------------------------------------------


async def test_a_restored_copy_takes_the_place_of_the_database_which_is_kept(
    tmp_path: Path,
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    old = await fill(data)
    backup(data, copy)
    new = await fill(data)
    lines = restore(data, copy, NOW)
    assert held(data / "animate.db") == {job.id for job in old}
    assert_sound(data / "animate.db")
    aside = data / "animate.db.before-restore-20261107-130000"
    assert held(aside) == {job.id for job in old + new}
    assert names_in(data) == ["animate.db", aside.name, "lock"]
    assert lines[0].startswith(f"restored from {copy}: ")
    assert f"kept as {aside}: " in lines[1]
    assert " 6 entries" in lines[1]
    assert "no list of tasks" in lines[2]
    assert lines[3].startswith("3 clip(s) were in the making.")
    async with Database(data) as database:
        assert await Accounts(database, UNLIMITED).discrepancies() == ()


@pytest.mark.parametrize("is_sound", [True, False])
async def test_what_was_there_is_kept_also_on_a_disk_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_sound: bool
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    data, copy = tmp_path / "data", tmp_path / "copy.db"
    old = await fill(data)
    backup(data, copy)
    if not is_sound:
        (data / "animate.db").write_bytes(b"no database")
    before = (data / "animate.db").read_bytes()
    monkeypatch.setattr("bot.backup.os.link", refused)
    restore(data, copy, NOW)

    aside = data / "animate.db.before-restore-20261107-130000"
    assert held(data / "animate.db") == {job.id for job in old}
    assert len(aside.read_bytes()) == len(before)
    assert aside.stat().st_mode & 0o777 == 0o600
    assert not list(data.glob("*.part"))


async def test_a_copy_is_restored_where_nothing_is_yet(tmp_path: Path) -> None:
    (job,) = await fill(tmp_path / "data", 1)
    backup(tmp_path / "data", tmp_path / "copy.db")
    lines = restore(tmp_path / "new" / "data", tmp_path / "copy.db", NOW)
    assert held(tmp_path / "new" / "data" / "animate.db") == {job.id}
    assert "is kept as" not in "".join(lines)


async def test_nothing_is_restored_under_a_running_bot(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    backup(tmp_path / "data", tmp_path / "copy.db")
    async with Database(tmp_path / "data"):
        before = files_in(tmp_path / "data")
        with pytest.raises(BackupRefused, match=r"a bot runs on .*Stop it, then restore"):
            restore(tmp_path / "data", tmp_path / "copy.db", NOW)
        assert files_in(tmp_path / "data").keys() == before.keys()


async def test_nothing_is_restored_under_a_program_that_has_the_database_open(
    tmp_path: Path,
) -> None:
    await fill(tmp_path / "data")
    backup(tmp_path / "data", tmp_path / "copy.db")
    path = tmp_path / "data" / "animate.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("INSERT INTO facts VALUES ('not', 'committed')")
        with pytest.raises(BackupRefused, match=r"another program has|locked"):
            restore(tmp_path / "data", tmp_path / "copy.db", NOW)
    assert not list(path.parent.glob("*before-restore*"))


def not_a_database(copy: Path) -> None:
    copy.write_bytes(b"this is no database " * 400)


def somebody_elses(copy: Path) -> None:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")


def newer(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as db:
        db.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(Path.unlink, r"there is no .*copy\.db", id="missing"),
        pytest.param(not_a_database, "not a database", id="no database"),
        pytest.param(somebody_elses, "not a database of this bot", id="another program's"),
        pytest.param(newer, "newer release", id="newer"),
        pytest.param(damage, "damaged|malformed", id="damaged"),
    ],
)
async def test_what_cannot_be_restored_changes_nothing(
    tmp_path: Path, spoil: "object", words: str
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    await fill(data, 100)
    backup(data, copy)
    before = files_in(data)
    assert callable(spoil)
    spoil(copy)
    with pytest.raises(BackupRefused, match=words):
        restore(data, copy, NOW)
    assert files_in(data) == before


async def test_a_database_that_cannot_even_be_opened_is_kept_with_its_log(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    (job,) = await fill(data, 1)
    backup(data, copy)
    (data / "animate.db").write_bytes(b"\xff" * 50_000)
    (data / "animate.db-wal").write_bytes(b"what is left")
    (data / "animate.db-shm").write_bytes(b"")
    lines = restore(data, copy, NOW)
    assert held(data / "animate.db") == {job.id}
    aside = "animate.db.before-restore-20261107-130000"
    assert (data / aside).read_bytes() == b"\xff" * 50_000
    assert (data / f"{aside}-wal").read_bytes() == b"what is left"
    assert "it cannot be read (" in lines[1]
    async with Database(data) as database:
        assert await database.integrity() == ""


async def test_the_log_of_a_bot_that_crashed_is_not_played_into_the_restored_copy(
    tmp_path: Path,
) -> None:
    data, copy, crashed = tmp_path / "data", tmp_path / "copy.db", tmp_path / "crashed"
    (old,) = await fill(data, 1)
    backup(data, copy)
    crashed.mkdir()
    async with Database(data) as database:
        new = (await Store(database).accept(make_job(), UNLIMITED)).job
        for path in data.glob("animate.db*"):
            shutil.copy(path, crashed)
    restore(crashed, copy, NOW)
    assert held(crashed / "animate.db") == {old.id}
    (aside,) = crashed.glob("*before-restore*")
    assert held(aside) == {old.id, new.id}


KILLED = """
import os, shutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from bot.backup import restore

data, copy = Path(sys.argv[1]), Path(sys.argv[2])
left = 0

def count(event, arguments):
    global left
    if event in ("open", "os.rename", "os.link", "os.remove", "sqlite3.connect"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

for moment in range(1, 100):
    victim = data.with_name(f"victim {moment:02}")
    shutil.copytree(data, victim)
    child = os.fork()
    if not child:
        left = moment
        sys.addaudithook(count)
        restore(victim, copy, datetime.now(UTC))
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


async def test_a_restore_that_is_killed_at_any_moment_leaves_the_one_or_the_other(
    tmp_path: Path,
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    old = {job.id for job in await fill(data)}
    backup(data, copy)
    both = old | {job.id for job in await fill(data)}
    program = [sys.executable, "-c", KILLED, str(data), str(copy)]
    await asyncio.to_thread(subprocess.run, program, cwd=ROOT, check=True)
    seen = []
    for name in names_in(tmp_path, "victim *"):
        async with Database(tmp_path / name) as database:
            assert await database.integrity() == ""
        seen.append(held(database.path))
    assert seen[0] == both
    assert seen[-1] == old
    assert len(seen) > 10
    assert all(ids in (old, both) for ids in seen)
    assert seen == sorted(seen, key=len, reverse=True)  # once, and for good


# --- What a restored copy means for its jobs -----------------------------------------------------


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


def put_back(here: World, copy: Path, *, after: timedelta = timedelta(0)) -> None:
    """Restore a copy into a world, some time later."""
    here.clock.forward(seconds=after.total_seconds())
    restore(here.folder, copy, datetime.fromtimestamp(here.clock() / 1000, UTC))
    here.clock.forward(seconds=1)


async def test_what_an_old_copy_has_in_line_is_neither_paid_nor_posted_again(
    here: World, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    async with here.bot() as bot:
        job = await bot.accept()
        backup(here.folder, copy)
        await bot.finished(job)
    assert here.leftovers == []  # its picture is gone, too
    put_back(here, copy)
    async with here.bot() as bot:
        assert (await bot.reread(job)).state is State.SUBMITTING
        done = await bot.finished(job)
        assert done.state is State.DELIVERED
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro > 0
        assert await bot.accounts.discrepancies() == ()
    assert here.runware.ledger.accepted == 1
    assert len(here.channel.posts) == 1


async def test_what_was_in_line_and_never_sent_is_sent_after_a_restore(
    here: World, tmp_path: Path
) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
    backup(here.folder, tmp_path / "copy.db")
    put_back(here, tmp_path / "copy.db")
    async with here.bot() as bot:
        assert (await bot.finished(job)).state is State.DELIVERED
    assert here.runware.ledger.accepted == 1


async def test_what_the_service_may_have_forgotten_is_asked_about_and_never_sent_again(
    here: World, tmp_path: Path
) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
    backup(here.folder, tmp_path / "copy.db")
    put_back(here, tmp_path / "copy.db", after=timedelta(days=2))
    async with here.bot() as bot:
        assert (await bot.reread(job)).state is State.RENDERING
        ended = await bot.finished(job)
        assert (ended.state, ended.failure) == (State.FAILED, Failure.LOST)
        assert await bot.held_micro(job) == await bot.spent_micro(job) == 0
    assert here.runware.ledger.accepted == 0


async def test_every_open_job_of_a_copy_is_due_and_nothing_else_of_it_changes(
    tmp_path: Path,
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    (job,) = await fill(data, 1)
    async with Database(data) as database:
        rendering = advance(advance(job, Event.SUBMIT, NOON), Event.ACCEPTED, NOON, due_at=10**15)
        await Store(database).move(job, rendering)
    backup(data, copy)
    restore(data, copy, NOW)
    async with Database(data) as database:
        store = Store(database)
        moment = round(NOW.timestamp() * 1000)
        assert await store.restored_at() == moment
        assert await store.to_ask_about() == {job.id}
        restored = await store.job(job.id)
        await store.note_reconciled()
        assert await store.to_ask_about() == frozenset()
    assert restored is not None
    assert restored.due_at == moment
    assert (restored.state, restored.updated_at) == (rendering.state, rendering.updated_at)


async def test_a_copy_is_reconciled_when_the_service_has_answered_and_not_before(
    here: World, tmp_path: Path
) -> None:
    async with here.bot() as bot:
        rendering = await bot.until(await bot.accept(), [State.RENDERING])
    backup(here.folder, tmp_path / "copy.db")
    put_back(here, tmp_path / "copy.db", after=timedelta(hours=1))
    here.trouble(match=WHERE["look"], do="drop", times=None)
    for _ in range(2):  # a start does not make up for an answer
        async with here.bot() as bot:
            await bot.pipeline.recover()
            await bot.work()
            assert not await bot.pipeline.reconcile()
    here.runware.faults.clear()
    async with here.bot() as bot:
        await bot.pipeline.recover()
        assert not await bot.pipeline.reconcile()
        await bot.finished(rendering)
        assert await bot.pipeline.reconcile()
    assert here.runware.ledger.accepted == 1


async def test_a_lost_job_of_a_copy_keeps_nobody_waiting_for_an_hour(
    here: World, tmp_path: Path
) -> None:
    here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    async with here.bot(give_up_after=1800) as bot:
        lost = await bot.until(await bot.accept(), [State.LOST])
    backup(here.folder, tmp_path / "copy.db")
    put_back(here, tmp_path / "copy.db")
    here.runware.faults.clear()
    here.trouble(match=WHERE["look"], do="drop")
    here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    async with here.bot(give_up_after=1800) as bot:
        await bot.pipeline.recover()
        await bot.work()
        assert not await bot.pipeline.reconcile()
        assert await bot.next_at() - here.clock() < 60_000
        await bot.work()
        assert await bot.pipeline.reconcile()
        assert await bot.next_at() - here.clock() > 3_000_000
    async with here.bot(give_up_after=1800) as bot:
        await bot.pipeline.recover()
        assert await bot.pipeline.reconcile()
        assert (await bot.reread(lost)).state is State.LOST


async def test_a_second_start_asks_at_once_about_a_lost_job_of_a_copy(
    here: World, tmp_path: Path
) -> None:
    here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    async with here.bot(give_up_after=1800) as bot:
        await bot.until(await bot.accept(), [State.LOST])
    backup(here.folder, tmp_path / "copy.db")
    put_back(here, tmp_path / "copy.db")
    for _ in range(2):
        async with here.bot(give_up_after=1800) as bot:
            await bot.pipeline.recover()
            asked_at = here.clock()
            await bot.work()
            assert here.clock() - asked_at < 60_000


async def test_a_picture_that_is_gone_with_a_copy_keeps_nobody_waiting(
    here: World, tmp_path: Path
) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
    backup(here.folder, tmp_path / "copy.db")
    async with here.bot() as bot:
        bot.pictures.drop(job.id)
    put_back(here, tmp_path / "copy.db")
    restored_at = here.clock()
    async with here.bot() as bot:
        await bot.pipeline.recover()
        while not await bot.pipeline.reconcile():
            await bot.work()
        assert here.clock() - restored_at < 60_000
        assert (await bot.reread(job)).state is State.LOST


async def test_a_job_of_which_an_answer_tells_nothing_was_not_asked_about(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERING])
    backup(here.folder, tmp_path / "copy.db")
    put_back(here, tmp_path / "copy.db")
    async with here.bot() as bot:
        await bot.pipeline.recover()

        async def nothing(task_uuids: Sequence[str]) -> dict[str, Progress]:
            del task_uuids
            return {}

        with monkeypatch.context() as patch:
            patch.setattr(bot.provider, "look", nothing)
            await bot.work()
            assert not await bot.pipeline.reconcile()
        await bot.finished(job)
        assert await bot.pipeline.reconcile()


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("step", "state"), [("videoInference", "submitting"), ("getResponse", "rendering")]
)
async def test_from_the_command_line_a_clip_that_was_posted_after_the_copy_is_not_posted_again(
    street: Town, step: str, state: str
) -> None:
    street.discord.set_limits({"nonce_window_s": 0.0})
    copy = street.folder / "copy.db"
    async with street.bot():
        rule = street.trouble_at_runware(do="stall", match={"label": step}, seconds=6)
        started = await street.animate(photo_file())
        await until(lambda: street.runware.faults.hits(rule))
        backed_up = await command("backup", copy, settings=street.settings, folder=street.folder)
        assert backed_up.code == 0, backed_up.text
        refused = await command("restore", copy, settings=street.settings, folder=street.folder)
        assert refused.code == 1
        assert "a bot runs on" in refused.err
        await street.clip(started)
        await street.settled()

    restored = await command("restore", copy, settings=street.settings, folder=street.folder)
    assert restored.code == 0, restored.text
    assert "1 clip(s) were in the making." in restored.out
    assert street.books().states == [state]
    async with street.bot():
        books_now = await street.settled()
    assert books_now.states == ["delivered"]
    assert books_now.spent_micro == street.runware.ledger.billed_micro
    assert books_now.held_micro == 0
    assert street.runware.ledger.accepted == 1
    assert len(street.posts) == 1


async def test_after_a_restore_nothing_new_is_accepted_until_the_service_was_asked(
    street: Town,
) -> None:
    copy = street.folder / "copy.db"
    async with street.bot() as process:
        rule = street.trouble_at_runware(do="stall", match={"label": "videoInference"}, seconds=60)
        await street.animate(photo_file())
        await until(lambda: street.runware.faults.hits(rule))
        await command("backup", copy, settings=street.settings, folder=street.folder)
        await street.crash(process)
    await command("restore", copy, settings=street.settings, folder=street.folder)
    street.runware.faults.clear()
    slow = street.trouble_at_runware(do="stall", match={"label": "videoInference"}, seconds=2)
    async with street.bot():
        await until(lambda: street.runware.faults.hits(slow))
        refused = told(await street.refusal(await street.animate(photo_file())))
        assert "Not taking new clips right now" in refused
        await until(lambda: "asked about every open job" in street.log)
        await street.clip(await street.animate(photo_file()))
        await street.settled()
    assert street.runware.ledger.accepted == 2
    assert len(street.posts) == 2
