"""All SQL on entries: holds and what became of them, draws, the last prices, the proof.

Functions of a connection, to be run inside somebody's transaction: `store.py` books a job's money
with the job, `admin.py` what admins change. Decides nothing: `ledger.py` says what may be held,
which it does by what `standing.py` reads.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date

from bot import ledger, memory
from bot.ledger import Draw, Entry, Kind, Resolution
from bot.lifecycle import Order

_RUNNING = "state IN ('queued', 'submitting', 'rendering')"  # as the index jobs_running has it

_A_WEEK = 7 * 86_400_000
"""Milliseconds."""

_ENTRY = """kind, job_id, member_id, guild_id, day, utc_day, held_micro, spent_micro, excused_micro,
            credit_micro, expires_at, actor_id, at, note"""

# --- Entries -------------------------------------------------------------------------------------


def book_hold(db: sqlite3.Connection, entry: Entry, draws: Sequence[Draw]) -> None:
    """Book a hold and what it draws from credits."""
    book(db, entry)
    _draw(db, entry, draws)


def resolve(db: sqlite3.Connection, resolution: Resolution) -> None:
    """Book what became of a job's hold, and give credits back what was not needed of them."""
    row = db.execute(
        f"SELECT {_ENTRY} FROM entries WHERE job_id = ? AND kind = 'hold'", (resolution.job_id,)
    ).fetchone()
    if row is None:
        raise sqlite3.IntegrityError("this job has no hold to resolve")
    entry = ledger.resolved(_entry(row), resolution)
    book(db, entry)
    if entry.excused_micro:
        drawn = db.execute(
            "SELECT grant_id, micro FROM draws WHERE job_id = ? AND micro > 0 ORDER BY id",
            (resolution.job_id,),
        )
        draws = [Draw(*row) for row in drawn]
        _draw(db, entry, ledger.given_back(draws, -entry.excused_micro))


def book(db: sqlite3.Connection, entry: Entry) -> None:
    """Add an entry."""
    db.execute(
        f"INSERT INTO entries ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(entry.kind, entry.job_id, entry.member_id, entry.guild_id),
            *(entry.day.isoformat(), entry.utc_day.isoformat()),
            *(entry.held_micro, entry.spent_micro, entry.excused_micro, entry.credit_micro),
            *(entry.expires_at, entry.actor_id, entry.at, entry.note),
        ),
    )


def _draw(db: sqlite3.Connection, entry: Entry, draws: Sequence[Draw]) -> None:
    if draws:
        db.executemany(
            "INSERT INTO draws (job_id, grant_id, micro) VALUES (?, ?, ?)",
            [(entry.job_id, draw.grant_id, draw.micro) for draw in draws],
        )


def entries_of(db: sqlite3.Connection, where: str, *values: object) -> Iterator[Entry]:
    """Return the entries that `where` picks, oldest first; `where` is a constant of the caller."""
    rows = db.execute(f"SELECT {_ENTRY} FROM entries WHERE {where} ORDER BY id", values)
    return map(_entry, rows)


def _entry(row: sqlite3.Row) -> Entry:
    fields = dict(row)
    fields["kind"] = Kind(fields["kind"])
    fields["day"] = date.fromisoformat(fields["day"])
    fields["utc_day"] = date.fromisoformat(fields["utc_day"])
    return Entry(**fields)


# --- Prices --------------------------------------------------------------------------------------


def last_price(db: sqlite3.Connection, clip_kind: str, now: int) -> int:
    """Return what the service last charged for one such clip, 0 where it is not known.

    After a week it is forgotten: a price so high that no clip fits a limit would never be mended by
    the next one.
    """
    known = memory.known(db)
    key = ("price", clip_kind)
    if key not in known:
        row = db.execute("SELECT cost_micro, at FROM prices WHERE clip_kind = ?", (clip_kind,))
        known[key] = row.fetchone() or (0, now)
    cost_micro, at = known[key]
    return int(cost_micro) if at > now - _A_WEEK else 0


def price(db: sqlite3.Connection, order: Order, quote_micro: int, now: int) -> int:
    """Return what is to be held for an order: what it should cost, or by the last price more."""
    return max(quote_micro, last_price(db, order.clip_kind, now) * order.results)


def note_price(db: sqlite3.Connection, clip_kind: str, cost_micro: int, at: int) -> None:
    """Keep what the service charged for one such clip."""
    db.execute(
        "INSERT INTO prices (clip_kind, cost_micro, at) VALUES (?, ?, ?)"
        " ON CONFLICT (clip_kind) DO UPDATE SET cost_micro = excluded.cost_micro, at = excluded.at",
        (clip_kind, cost_micro, at),
    )


# --- Proof ---------------------------------------------------------------------------------------

_SUMS = """
SELECT guild_id, member_id, day FROM (
    SELECT guild_id, member_id, day, spent_micro, held_micro, excused_micro
      FROM entries WHERE kind <> 'grant'
    UNION ALL
    SELECT guild_id, 0, day, spent_micro, held_micro, 0 FROM entries WHERE kind <> 'grant'
    UNION ALL
    SELECT 0, 0, utc_day, spent_micro, held_micro, 0 FROM entries WHERE kind <> 'grant'
    UNION ALL
    SELECT guild_id, member_id, day, -spent_micro, -held_micro, -excused_micro FROM totals)
 GROUP BY guild_id, member_id, day
HAVING sum(spent_micro) <> 0 OR sum(held_micro) <> 0 OR sum(excused_micro) <> 0
"""

_DRAWN = """
SELECT job_id FROM (
    SELECT job_id, excused_micro AS micro FROM entries WHERE job_id IS NOT NULL
    UNION ALL SELECT job_id, -micro FROM draws)
 GROUP BY job_id HAVING sum(micro) <> 0
"""

_COUNTED = f"""
SELECT guild_id FROM (
    SELECT guild_id, 1 AS jobs FROM jobs WHERE {_RUNNING}
    UNION ALL SELECT 0, 1 FROM jobs WHERE {_RUNNING}
    UNION ALL SELECT guild_id, -jobs FROM running)
 GROUP BY guild_id HAVING sum(jobs) <> 0
"""

_HELD = f"""
SELECT jobs.id FROM jobs LEFT JOIN entries ON entries.job_id = jobs.id
 GROUP BY jobs.id
HAVING (sum(entries.held_micro) IS NOT (CASE WHEN jobs.{_RUNNING} THEN jobs.quote_micro ELSE 0 END))
"""


def discrepancies(db: sqlite3.Connection) -> tuple[str, ...]:
    """Prove the accounts: return a line for each total that is not the sum of what it counts."""
    found = [
        f"the total of server {guild_id}, member {member_id}, day {day} is not its entries' sum"
        for guild_id, member_id, day in db.execute(_SUMS)
    ]
    found += [f"job {row[0]} draws another credit than was booked" for row in db.execute(_DRAWN)]
    found += [
        f"the clips in flight of server {row[0]} are miscounted" for row in db.execute(_COUNTED)
    ]
    found += [f"job {row[0]} holds what it should not" for row in db.execute(_HELD)]
    return tuple(found)
