"""`python -m bot backup` and `restore`: copies of the database, made and put back by hand.

A backup is safe beside a running bot. SQLite before 3.51.3 can lose commits when two connections
write or checkpoint at once, and this one does neither: it is opened read-only, so it may not take
the lock on the file that a checkpoint needs, not even as the last one to close. It takes all pages
in one step, which is one look at what is committed; the bot writes on beside it.

A restore needs the bot stopped, and holds its lock. What an old copy does not know is assumed: its
open jobs may have been sent, paid and posted since, so they go on as after an answer that was lost.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot import books, facts, lifecycle, migration, snapshot
from bot.database import database_in, locked
from bot.diagnosis import diagnosis
from bot.errors import BackupRefused, Locked, Unusable
from bot.lifecycle import State

_TABLES = {"jobs", "entries", "clips", "facts"}


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a sound database holds; times are Unix milliseconds."""

    size: int
    entries: int
    last_at: int | None
    open_jobs: int
    doubts: tuple[str, ...] = ()
    """What does not add up in its accounts."""

    def __str__(self) -> str:
        last = "" if self.last_at is None else f", the last of {_moment(self.last_at)}"
        return f"{self.size / 1e6:.1f} MB, {self.entries} entries{last}"


def backup(folder: Path, target: Path) -> list[str]:
    """Copy the database of a data folder to `target`; return lines that say what was written.

    Raises `BackupRefused` where `target` exists, or a sound copy cannot be made.
    """
    path = database_in(folder)
    if not path.exists():
        raise BackupRefused(f"there is no {path.absolute()}. Is ANIMATE_DATA_DIR right?")
    if target.exists():
        raise BackupRefused(f"{target} exists, and is left as it is. Choose another name.")
    if not target.parent.is_dir():
        raise BackupRefused(f"there is no folder {target.parent.absolute()}. Make it first.")
    with _copied(path, snapshot.part_of(target)) as part:
        contents = _examined(part)
        snapshot.put(part, target)
    return [f"written to {target}: {contents}", *contents.doubts]


def restore(folder: Path, source: Path, now: datetime) -> list[str]:
    """Put the copy `source` in the place of the database, which is kept; return what to say of it.

    A crash leaves the one or the other. Raises `BackupRefused`, with nothing changed.
    """
    path = database_in(folder)
    if not source.exists():
        raise BackupRefused(f"there is no {source.absolute()}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = locked(folder)
    except Locked:
        raise BackupRefused(f"a bot runs on {folder}. Stop it, then restore.") from None
    except OSError as error:
        raise BackupRefused(str(error)) from error
    with lock:
        part = snapshot.part_of(path)
        part.unlink(missing_ok=True)  # of a restore that was cut off; nobody else writes here
        with _copied(source, part):
            contents = _examined(part)
            _doubt_open_jobs(part, now)
            aside = _kept_aside(path, now)
            snapshot.put(part, path)
    was_there = [] if aside is None else [f"what was there is kept as {aside}: {_described(aside)}"]
    return [
        f"restored from {source}: {contents}",
        *contents.doubts,
        *was_there,
        *_to_know(contents),
    ]


def _to_know(contents: _Contents) -> tuple[str, str]:
    gap = (
        "What came after that last entry is not in these accounts, nor what it cost. The video"
        " service has no list of tasks to learn it from: compare with its bill."
    )
    going_on = (
        f"{contents.open_jobs} clip(s) were in the making. The next start asks the video service"
        " about them before it accepts new ones, and looks before it posts."
    )
    return gap, going_on


@contextmanager
def _copied(source: Path, part: Path) -> Iterator[Path]:
    """Copy `source` to `part`, which is gone afterwards unless it was given another name."""
    try:
        with snapshot.reading(source) as db:
            snapshot.write(db, part)
    except FileExistsError:
        raise BackupRefused(
            f"{part} exists: another backup writes it, or one was cut off. Then remove it."
        ) from None
    except (sqlite3.Error, OSError) as error:
        raise BackupRefused(f"{source} cannot be copied to {part} ({error})") from error
    try:
        yield part
    except (sqlite3.Error, OSError) as error:
        raise BackupRefused(f"{part}: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _examined(copy: Path) -> _Contents:
    """Return what a copy holds. Raises `BackupRefused` where it is no sound database of ours."""
    with closing(sqlite3.connect(copy)) as db:
        verdict = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if verdict != "ok":
            raise BackupRefused(f"the database is damaged ({verdict}), so there is no copy of it")
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_schema")}
        version, newest = migration.version_of(db), migration.newest()
        if version == 0 or not tables >= _TABLES:
            raise BackupRefused("this is not a database of this bot")
        if version > newest:
            raise BackupRefused(
                f"the copy is from a newer release (schema {version}, this release knows"
                f" {newest}); install that release"
            )
        return _contents(db, copy, _doubts(db) if version == newest else ())


def _doubts(db: sqlite3.Connection) -> tuple[str, ...]:
    found = [f"a row of {row[0]} has no owner" for row in db.execute("PRAGMA foreign_key_check")]
    found += books.discrepancies(db)
    return (f"But {len(found)} thing(s) do not add up in it: {found[0]}",) if found else ()


def _contents(db: sqlite3.Connection, path: Path, doubts: tuple[str, ...] = ()) -> _Contents:
    entries, last_at = db.execute("SELECT count(*), max(at) FROM entries").fetchone()
    (open_jobs,) = db.execute(
        "SELECT count(*) FROM jobs WHERE state NOT IN (?, ?)", (State.DELIVERED, State.FAILED)
    ).fetchone()
    return _Contents(path.stat().st_size, entries, last_at, open_jobs, doubts)


def _described(path: Path) -> str:
    try:
        with snapshot.reading(path) as db:
            return str(_contents(db, path))
    except (sqlite3.Error, OSError) as error:
        return f"it cannot be read ({error})"


def _doubt_open_jobs(copy: Path, now: datetime) -> None:
    """Have each open job of a copy asked about; the copy cannot know what has become of it.

    What was not sent yet may have been, so it is sent again with its own UUID, which buys nothing
    twice. What the service may have forgotten by now is only asked about.
    """
    moment = round(now.timestamp() * 1000)
    since = moment - lifecycle.REMEMBERED * 1000
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute(
            "UPDATE jobs SET attempts = 0, state = CASE WHEN created_at < ? THEN ? ELSE ? END"
            " WHERE state IN (?, ?)",
            (since, State.RENDERING, State.SUBMITTING, State.QUEUED, State.SUBMITTING),
        )
        db.execute(
            "UPDATE jobs SET due_at = ? WHERE state NOT IN (?, ?)",
            (moment, State.DELIVERED, State.FAILED),
        )
        facts.put(db, facts.RESTORED_AT, str(moment))


def _kept_aside(path: Path, now: datetime) -> Path | None:
    """Give the present database a second, dated name, and take its `-wal` file out of the way.

    SQLite would write that file into whatever stands beside it. So its content goes into the
    database first, and until the copy takes its place the database is there, and whole.
    """
    aside = path.with_name(f"{path.name}.before-restore-{now:%Y%m%d-%H%M%S}")
    is_there = path.exists()
    if is_there:
        _write_back(path)
        _name_twice(path, aside)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():  # where the database cannot even be opened, or is gone
            beside.replace(aside.with_name(aside.name + suffix))
    snapshot.sync_folder(path.parent)
    return aside if is_there else None


def _name_twice(path: Path, aside: Path) -> None:
    """Give a file a second name; where the disk knows no such thing (exFAT, SMB), a twin."""
    try:
        os.link(path, aside)
    except FileExistsError:
        raise
    except OSError:
        part = snapshot.part_of(aside)
        try:
            part.touch(0o600)
            shutil.copyfile(path, part)  # also where SQLite could not read it
            snapshot.put(part, aside)
        finally:
            part.unlink(missing_ok=True)


def _write_back(path: Path) -> None:
    """Bring what is only in the `-wal` file into the database, so that it needs no such file."""
    try:
        with snapshot.reading(path) as db:
            migration.version_of(db)  # or the log of what cannot be read would be thrown away
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode = DELETE")  # the next start sets it to WAL again
    except sqlite3.Error as error:
        problem = diagnosis(error, path)
        if not isinstance(problem, Unusable):
            raise BackupRefused(str(problem)) from error


def _moment(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
