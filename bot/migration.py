"""Brings the schema of a database forward: by all the steps that it lacks, or by none.

What is brought forward is copied first, and the last few copies are kept: each is the way back to
the release before. The steps are the files in `schema/`. `database.py` calls it at each start.
"""

import logging
import sqlite3
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from bot import snapshot
from bot.diagnosis import diagnosis
from bot.errors import StoreTrouble, Unusable

log = logging.getLogger(__name__)

_KEPT = 3
"""Copies of databases as they were before a migration."""
_BEFORE = ".before-schema-"


def newest() -> int:
    """Return the number of the schema that this release works with."""
    return len(_steps())


def version_of(db: sqlite3.Connection) -> int:
    """Return the number of a database's schema, 0 for a new file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def bring_forward(db: sqlite3.Connection, path: Path) -> None:
    """Bring the database at `path` to the newest schema. Raises `Unusable` where that cannot be."""
    version, steps = version_of(db), _steps()
    if version > len(steps):
        raise Unusable(
            f"{path} is from a newer release (schema {version}, this release knows"
            f" {len(steps)}); install that release, or restore an older backup"
        )
    if version == len(steps):
        return
    if version:
        _copy(db, path, len(steps))
    try:
        _apply(db, steps, version)
    except sqlite3.Error as error:
        if isinstance(diagnosis(error, path), StoreTrouble):
            raise
        raise Unusable(
            f"{path} cannot be brought to schema {len(steps)} ({error}); it is as it was:"
            " go on with the release before this one, and report this"
        ) from error
    log.info("schema is now at %s", steps[-1].name)


def _steps() -> list[Traversable]:
    folder = files("bot").joinpath("schema").iterdir()
    return sorted((file for file in folder if file.name.endswith(".sql")), key=lambda f: f.name)


def _copy(db: sqlite3.Connection, path: Path, version: int) -> None:
    """Keep the database as it is before it is brought to `version`, and forget the oldest copies.

    A copy that an earlier attempt left is replaced: the database may have been in use since.
    """
    copy = path.with_name(f"{path.name}{_BEFORE}{version}")
    part = snapshot.part_of(copy)
    part.unlink(missing_ok=True)
    snapshot.write(db, part)
    snapshot.put(part, copy)
    log.info("the database as it was before schema %d is kept as %s", version, copy)
    copies = path.parent.glob(f"{path.name}{_BEFORE}*")
    numbers = [one.suffix.removeprefix(_BEFORE) for one in copies]
    for number in sorted(int(one) for one in numbers if one.isdecimal())[:-_KEPT]:
        path.with_name(f"{path.name}{_BEFORE}{number}").unlink()


def _apply(db: sqlite3.Connection, steps: list[Traversable], version: int) -> None:
    """Run the steps after `version` in one transaction.

    Without foreign keys, so that a step may put a new table in the place of an old one; they are
    looked at together before the commit, which is the way that SQLite's own documentation gives.
    """
    scripts = [step.read_text("utf-8") for step in steps[version:]]
    script = "\n".join(["BEGIN IMMEDIATE;", *scripts, f"PRAGMA user_version = {len(steps)};"])
    db.execute("PRAGMA foreign_keys = OFF")
    try:
        db.executescript(script)
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
