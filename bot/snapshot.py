"""Whole copies of a database, a file each: written beside, made durable, then given their name.

A copy holds what was committed when it began, and nothing of what came later. It needs no `-wal`
file beside it, so it can be moved and kept like any file. `backup.py` makes and puts back copies
for people, `database.py` one before each migration. Knows no table.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path


def part_of(path: Path) -> Path:
    """Return where a copy is written before it is called `path`."""
    return path.with_name(f"{path.name}.part")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database with no right to write to its file, nor to take over its `-wal` file."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        yield db


def write(source: sqlite3.Connection, part: Path) -> None:
    """Copy a whole database into a new file, which only its owner may read.

    Raises `FileExistsError`; leaves no half of a copy behind.
    """
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")  # `put` syncs once
            source.backup(copy)  # in one step, which is one look at the source
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")
    except BaseException:
        part.unlink()
        raise


def put(part: Path, path: Path) -> None:
    """Give a finished copy its name, in the place of what has it; durable when this returns."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
