"""The pages of servers' logs: which lines are on the message that is being posted. The SQL on that.

A server has one page at a time. It is begun before it is posted, each try is counted before it is
made, and its lines are done with when it is known to be there; so a crash leaves a page that is
looked for, and none that is lost or doubled. What a page says is worded elsewhere.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bot import lifecycle, rows
from bot.database import Database
from bot.lifecycle import Job
from bot.lines import LAST, Line
from bot.periods import day_of
from bot.policy import Policy

MOST_LINES = 12
"""On a page: an embed takes 4096 characters."""
_DAY = 86_400_000
"""Milliseconds for which a line waits: what is older than that nobody looks for in a log."""
_SECOND = 1000
_LONGEST_PAUSE = 600
"""Seconds between two tries."""

# Of a clip that has been let out or posted meanwhile nobody has to hear that it waits.
_OVER = """
DELETE FROM log_lines WHERE guild_id = ? AND is_posted = 0 AND line IN ('held', 'stuck')
   AND job_id NOT IN (SELECT id FROM jobs WHERE id = job_id AND state = 'rendered')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of a log, with what there is to say."""

    line: Line
    at: int
    job: Job
    spent_micro: int
    clips: int = 1
    """How many were made of the wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One message of a server's log."""

    guild_id: int
    channel_id: int
    at: int
    """Unix milliseconds, whole seconds; no other page of the server has the same."""
    lines: tuple[Told, ...] = ()
    days: tuple[date, date] | None = None
    """What a digest is about, both included."""
    tries: int = 0
    """Those that were made before."""


class Pages:
    """`clock` returns Unix milliseconds; `chance` 0 to 1. Methods raise `StoreError`."""

    def __init__(
        self, database: Database, clock: Callable[[], int], chance: Callable[[], float]
    ) -> None:
        self._database = database
        self._clock = clock
        self._chance = chance

    async def waiting(self) -> list[int]:
        """Return the servers of which something is to be posted."""

        def transaction(db: sqlite3.Connection) -> list[int]:
            found = db.execute(
                "SELECT guild_id FROM log_lines WHERE is_posted = 0"
                " UNION SELECT guild_id FROM logs WHERE channel_id IS NOT NULL"
            )
            return [row["guild_id"] for row in found]

        return await self._database.run(transaction)

    async def digests(self) -> list[tuple[int, date, date]]:
        """Return the servers that are to get a digest now, each with its first and last day.

        It is of the day before, and of those for which there was none while nobody could write
        one. Where it was only just switched on, it begins with today.
        """
        return await self._database.run(lambda db: list(_digests(db, self._clock())))

    async def next(
        self, guild_id: int, channel_id: int, days: tuple[date, date] | None = None
    ) -> Page | None:
        """Return the page that is to be posted now, begun if need be, and count this try.

        None where nothing waits, or not yet. Lines come before a digest.
        """
        now = self._clock()

        def transaction(db: sqlite3.Connection) -> Page | None:
            found = _open(db, guild_id)
            if found is not None and found["channel_id"] != channel_id:
                _move(db, guild_id, channel_id)  # the log has another channel now
                found = _open(db, guild_id)
            if found is None:
                found = _begin(db, guild_id, channel_id, days, now)
            if found is None or found["due_at"] > now:
                return None
            page = _read(db, found)
            if not page.lines and page.days is None:  # its lines were forgotten meanwhile
                _close(db, guild_id)
                return None
            pause = lifecycle.retry_delay(page.tries + 1, self._chance(), _LONGEST_PAUSE)
            db.execute(
                "UPDATE logs SET tries = tries + 1, due_at = ? WHERE guild_id = ?",
                (now + round(pause * 1000), guild_id),
            )
            return page

        return await self._database.run(transaction)

    async def posted(self, page: Page) -> None:
        """Note that a page is there."""

        def transaction(db: sqlite3.Connection) -> None:
            for told in page.lines:
                if told.line in LAST.values():  # nothing more will be told of its job
                    db.execute("DELETE FROM log_lines WHERE job_id = ?", (told.job.id,))
            db.execute(
                "UPDATE log_lines SET is_posted = 1, is_begun = 0"
                " WHERE guild_id = ? AND is_begun = 1 AND is_posted = 0",
                (page.guild_id,),
            )
            db.execute(
                "UPDATE logs SET told_day = last_day WHERE guild_id = ? AND last_day IS NOT NULL",
                (page.guild_id,),
            )
            _close(db, page.guild_id)

        await self._database.run(transaction)

    async def drop(self, guild_id: int) -> None:
        """Forget what waits for the log of a server that has none any more."""

        def transaction(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM log_lines WHERE guild_id = ?", (guild_id,))
            _close(db, guild_id)

        await self._database.run(transaction)

    async def sweep(self) -> int:
        """Forget lines that have waited for a day; return how many there were."""
        since = self._clock() - _DAY

        def transaction(db: sqlite3.Connection) -> int:
            for row in db.execute(
                "SELECT guild_id FROM logs WHERE channel_id IS NOT NULL AND page_at < ?", (since,)
            ).fetchall():
                _close(db, row["guild_id"])
            return db.execute(
                "DELETE FROM log_lines WHERE is_posted = 0 AND at < ?", (since,)
            ).rowcount

        return await self._database.run(transaction)


def _digests(db: sqlite3.Connection, now: int) -> list[tuple[int, date, date]]:
    wanted = db.execute(
        "SELECT policies.guild_id, policy, coalesce(timezone, 'UTC') AS timezone, told_day"
        " FROM policies LEFT JOIN servers USING (guild_id) LEFT JOIN logs USING (guild_id)"
        " WHERE json_extract(policy, '$.has_digest') OR told_day IS NOT NULL"
    ).fetchall()
    due = []
    for row in wanted:
        policy, yesterday = Policy.from_json(row["policy"]), _yesterday(row["timezone"], now)
        if not policy.has_digest:
            _note_told(db, row["guild_id"], None)
        elif row["told_day"] is None:
            _note_told(db, row["guild_id"], yesterday)
        elif (first := date.fromisoformat(row["told_day"]) + timedelta(days=1)) <= yesterday:
            due.append((row["guild_id"], first, yesterday))
    return due


def _yesterday(timezone: str, now: int) -> date:
    return day_of(now, ZoneInfo(timezone)) - timedelta(days=1)


def _note_told(db: sqlite3.Connection, guild_id: int, day: date | None) -> None:
    db.execute(
        "INSERT INTO logs (guild_id, page_at, told_day) VALUES (?, 0, ?)"
        " ON CONFLICT (guild_id) DO UPDATE SET told_day = excluded.told_day",
        (guild_id, None if day is None else day.isoformat()),
    )


def _open(db: sqlite3.Connection, guild_id: int) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM logs WHERE guild_id = ? AND channel_id IS NOT NULL", (guild_id,)
    ).fetchone()
    return found


def _move(db: sqlite3.Connection, guild_id: int, channel_id: int) -> None:
    db.execute(
        "UPDATE logs SET channel_id = ?, tries = 0, due_at = 0 WHERE guild_id = ?",
        (channel_id, guild_id),
    )


def _close(db: sqlite3.Connection, guild_id: int) -> None:
    db.execute(
        "UPDATE logs SET channel_id = NULL, first_day = NULL, last_day = NULL WHERE guild_id = ?",
        (guild_id,),
    )
    db.execute("UPDATE log_lines SET is_begun = 0 WHERE guild_id = ? AND is_begun = 1", (guild_id,))


def _begin(
    db: sqlite3.Connection,
    guild_id: int,
    channel_id: int,
    days: tuple[date, date] | None,
    now: int,
) -> sqlite3.Row | None:
    """Begin the next page: of lines, a clip that is held alone, for it has buttons; or a digest."""
    db.execute(_OVER, (guild_id,))
    found = db.execute(
        "SELECT id, line FROM log_lines WHERE guild_id = ? AND is_posted = 0 ORDER BY id LIMIT ?",
        (guild_id, MOST_LINES),
    ).fetchall()
    held = [place for place, row in enumerate(found) if row["line"] == Line.HELD]
    taken = found[: max(1, min(held))] if held else found
    if not taken and days is None:
        return None
    db.executemany(
        "UPDATE log_lines SET is_begun = 1 WHERE id = ?", [(row["id"],) for row in taken]
    )
    first, last = (None, None) if taken or days is None else (day.isoformat() for day in days)
    db.execute(
        "INSERT INTO logs (guild_id, page_at, channel_id, first_day, last_day)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (guild_id) DO UPDATE SET"
        " page_at = max(excluded.page_at, page_at + 1000), channel_id = excluded.channel_id,"
        " first_day = excluded.first_day, last_day = excluded.last_day, tries = 0, due_at = 0",
        (guild_id, now // _SECOND * _SECOND, channel_id, first, last),
    )
    return _open(db, guild_id)


def _read(db: sqlite3.Connection, row: sqlite3.Row) -> Page:
    found = db.execute(
        "SELECT log_lines.line, log_lines.at, job_id, (SELECT coalesce(sum(spent_micro), 0)"
        " FROM entries WHERE entries.job_id = log_lines.job_id) AS spent_micro, (SELECT count(*)"
        " FROM clips WHERE clips.job_id = log_lines.job_id) AS clips FROM log_lines"
        " WHERE guild_id = ? AND is_posted = 0 AND is_begun = 1 ORDER BY id",
        (row["guild_id"],),
    ).fetchall()
    jobs = [rows.one(db, "id = ? AND channel_id <> 0", line["job_id"]) for line in found]
    first, last = row["first_day"], row["last_day"]
    return Page(
        guild_id=row["guild_id"],
        channel_id=row["channel_id"],
        at=row["page_at"],
        lines=tuple(
            Told(
                line=Line(line["line"]),
                at=line["at"],
                job=job,
                spent_micro=line["spent_micro"],
                clips=line["clips"],
            )
            for line, job in zip(found, jobs, strict=True)
            if job is not None
        ),
        days=(date.fromisoformat(first), date.fromisoformat(last)) if first and last else None,
        tries=row["tries"],
    )
