"""All SQL on the accounts: entries, credits, totals, rules, servers, the audit.

Functions of a connection, to be run inside somebody's transaction: `store.py` books a job's money
with the job, `accounts.py` does what members and admins ask. Decides nothing: `rules.py` says what
is in force, `ledger.py` what may be held.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

from bot import ledger
from bot.ledger import Balance, Credit, Draw, Entry, Kind, Resolution, Statement
from bot.periods import Period, day_of, first_day, last_day
from bot.rules import Account, Limits, Line, Measure, Rule, Target, in_force

_RUNNING = "state IN ('queued', 'submitting', 'rendering')"  # as the index jobs_running has it

_A_WEEK = 7 * 86_400_000
"""Milliseconds."""

_ENTRY = """kind, job_id, member_id, guild_id, day, utc_day, held_micro, spent_micro, excused_micro,
            credit_micro, expires_at, actor_id, at, note"""

_FACTS = f"""
SELECT coalesce((SELECT timezone FROM servers WHERE guild_id = :guild), 'UTC'),
       coalesce((SELECT jobs FROM running WHERE guild_id = :guild), 0),
       coalesce((SELECT jobs FROM running WHERE guild_id = 0), 0),
       (SELECT count(*) FROM jobs INDEXED BY jobs_running
         WHERE guild_id = :guild AND member_id = :member AND {_RUNNING}),
       (SELECT max(created_at) FROM jobs WHERE guild_id = :guild AND member_id = :member)
"""

_RULES = """
SELECT target, target_id, measure, value FROM rules
 WHERE guild_id = :guild AND target IN ('server', 'default', 'role')
UNION ALL
SELECT target, target_id, measure, value FROM rules
 WHERE guild_id = :guild AND target = 'member' AND target_id = :member
"""

_CREDITS = """
SELECT id, left_micro, expires_at FROM (
    SELECT id, expires_at, credit_micro - coalesce(
               (SELECT sum(micro) FROM draws WHERE grant_id = entries.id), 0) AS left_micro
      FROM entries
     WHERE kind = 'grant' AND guild_id = :guild AND member_id = :member
       AND (expires_at IS NULL OR expires_at > :now))
 WHERE left_micro > 0 ORDER BY expires_at IS NULL, expires_at, id
"""


_WHOSE = {
    Account.MEMBER: ("guild_id = :guild AND member_id = :member", "own"),
    Account.SERVER: ("guild_id = :guild AND member_id = 0", "own"),
    Account.BOT: ("guild_id = 0 AND member_id = 0", "utc"),
}
Span = tuple[Account, Period]
_EVERY_SPAN: tuple[Span, ...] = tuple(product(Account, Period))


@lru_cache(maxsize=64)
def _balances(spans: Sequence[Span]) -> str:
    """Write the question for what these accounts have used in these periods, a row for each."""
    sums = ", ".join(
        f"coalesce(sum({column}), 0)" for column in ("spent_micro", "held_micro", "excused_micro")
    )
    rows = []
    for account, period in spans:
        whose, zone = _WHOSE[account]
        when = f"day BETWEEN :{zone}_{period} AND :{zone}_{period}_end"
        rows.append(f"SELECT {sums} FROM totals WHERE {whose} AND {when}")
    return " UNION ALL ".join(rows)


def statement(
    db: sqlite3.Connection,
    limits: Limits,
    *,
    guild_id: int,
    member_id: int,
    role_ids: Collection[int],
    now: int,
    is_whole: bool = True,
) -> Statement:
    """Return all that decides whether this member's next clip is accepted; `now` in Unix ms.

    Where it need not be whole, without the balances that nothing limits.
    """
    who = {"guild": guild_id, "member": member_id, "now": now}
    timezone, server_runs, bot_runs, member_runs, last_at = db.execute(_FACTS, who).fetchone()
    zone = ZoneInfo(timezone)
    lines, spans = _in_force(
        limits,
        tuple(
            (target, target_id, measure, value)
            for target, target_id, measure, value in db.execute(_RULES, who)
            if target != Target.ROLE or target_id in role_ids
        ),
    )
    if is_whole:
        spans = _EVERY_SPAN
    days = {**who, **_days("own", day_of(now, zone)), **_days("utc", day_of(now))}
    sums = db.execute(_balances(spans), days) if spans else ()
    return Statement(
        guild_id=guild_id,
        member_id=member_id,
        now=now,
        zone=zone,
        lines=lines,
        balances={span: Balance(*row) for span, row in zip(spans, sums, strict=True)},
        running={
            Account.MEMBER: member_runs,
            Account.SERVER: server_runs,
            Account.BOT: bot_runs,
        },
        last_at=last_at,
        credits=tuple(Credit(*row) for row in db.execute(_CREDITS, who)),
    )


@lru_cache(maxsize=1024)
def _in_force(
    limits: Limits, rows: Sequence[tuple[str, int, str, int | None]]
) -> tuple[tuple[Line, ...], tuple[Span, ...]]:
    """Return the limits that come of the rules in `rows`, and what has to be known to keep them."""
    rules = [
        Rule(target=Target(target), target_id=target_id, measure=Measure(measure), value=value)
        for target, target_id, measure, value in rows
    ]
    member = next((rule.target_id for rule in rules if rule.target is Target.MEMBER), 0)
    roles = {rule.target_id for rule in rules if rule.target is Target.ROLE}
    lines = in_force(limits, rules, member, roles)
    spans = {
        (line.account, line.measure.period): None
        for line in lines
        if line.value is not None and line.measure.period
    }
    return lines, tuple(spans)


@lru_cache(maxsize=64)
def _days(zone: str, today: date) -> Mapping[str, str]:
    """Return the first and last days of the periods of `today`, as parameters."""
    firsts = {period: first_day(period, today).isoformat() for period in Period}
    ends = {period: last_day(period, today).isoformat() for period in Period}
    days = {f"{zone}_{period}": day for period, day in firsts.items()}
    return days | {f"{zone}_{period}_end": day for period, day in ends.items()}


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
    row = db.execute(
        "SELECT cost_micro FROM prices WHERE clip_kind = ? AND at > ?", (clip_kind, now - _A_WEEK)
    ).fetchone()
    return 0 if row is None else int(row[0])


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
