"""Where a member stands: the rules, balances and credits that decide on the next clip.

Functions of a connection, to be run inside somebody's transaction. What is the same for all members
of a server is read once for all accepts that are committed together, and kept in step with the
holds that they book. Decides nothing: `rules.py` says what is in force, `ledger.py` what is held.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

from bot import memory
from bot.ledger import Balance, Credit, Entry, Statement
from bot.memory import Known
from bot.periods import Period, day_of, first_day, last_day
from bot.rules import LONGEST_COOLDOWN, Account, Limits, Line, Measure, Rule, Target, in_force

_RUNNING = "state IN ('queued', 'submitting', 'rendering')"  # as the index jobs_running has it

# Who asks for what is not shown waits as with a clip, or nothing would slow down their attempts.
_STARTS_A_PAUSE = "(state <> 'failed' OR failure = 'declined')"

_SERVER = """
SELECT coalesce((SELECT timezone FROM servers WHERE guild_id = :guild), 'UTC'),
       coalesce((SELECT jobs FROM running WHERE guild_id = :guild), 0),
       coalesce((SELECT jobs FROM running WHERE guild_id = 0), 0)
"""

_RULES = """
SELECT target, target_id, measure, value FROM rules
 WHERE guild_id = :guild AND target IN ('server', 'default', 'role')
"""

_MEMBER = f"""
SELECT (SELECT count(*) FROM jobs INDEXED BY jobs_running
         WHERE guild_id = :guild AND member_id = :member AND {_RUNNING}),
       EXISTS (SELECT 1 FROM rules
                WHERE guild_id = :guild AND target = 'member' AND target_id = :member),
       EXISTS (SELECT 1 FROM entries
                WHERE kind = 'grant' AND guild_id = :guild AND member_id = :member)
"""

# Reads rows of jobs that nothing else touches, so it is asked where there is a pause at all.
_LAST = f"""
SELECT created_at FROM jobs INDEXED BY jobs_by_member
 WHERE guild_id = :guild AND member_id = :member AND {_STARTS_A_PAUSE}
   AND created_at > :now - {LONGEST_COOLDOWN * 1000}
 ORDER BY created_at DESC LIMIT 1
"""

_OWN_RULES = """
SELECT target, target_id, measure, value FROM rules
 WHERE guild_id = :guild AND target = 'member' AND target_id = :member
"""

_CREDITS = """
SELECT id, left_micro, expires_at FROM (
    SELECT id, expires_at, credit_micro - coalesce(
               (SELECT sum(micro) FROM draws WHERE grant_id = entries.id), 0) AS left_micro
      FROM entries
     WHERE kind = 'grant' AND guild_id = :guild AND member_id = :member
       AND (expires_at IS NULL OR expires_at > :now)
       AND NOT EXISTS (SELECT 1 FROM revoked WHERE grant_id = entries.id))
 WHERE left_micro > 0 ORDER BY expires_at IS NULL, expires_at, id
"""

_WHOSE = {
    Account.MEMBER: ("guild_id = :guild AND member_id = :member", "own"),
    Account.SERVER: ("guild_id = :guild AND member_id = 0", "own"),
    Account.BOT: ("guild_id = 0 AND member_id = 0", "utc"),
}
Span = tuple[Account, Period]
Term = tuple[Period, str]
"""A period by its first day."""
_EVERY_SPAN: tuple[Span, ...] = tuple(product(Account, Period))
_RuleRow = tuple[str, int, str, int | None]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which balances are read, and the days that they are sums of, as parameters."""

    terms: tuple[tuple[Span, Term], ...]
    days: Mapping[str, str]


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

    Where it need not be whole, without what is unlimited, the balances that nothing limits, and
    the last clip where no pause follows it.
    """
    who = {"guild": guild_id, "member": member_id, "now": now}
    known = memory.known(db)
    zone, rules = _server(db, known, who)
    runs, has_rules, has_credits = db.execute(_MEMBER, who).fetchone()
    mine = [row for row in rules if row[0] != Target.ROLE or row[1] in role_ids]
    if has_rules:
        mine += map(tuple, db.execute(_OWN_RULES, who))
    lines, limited, spans = _in_force(limits, tuple(mine))
    if is_whole:
        spans = _EVERY_SPAN
    plan = _plan(spans, day_of(now, zone), day_of(now))
    return Statement(
        guild_id=guild_id,
        member_id=member_id,
        now=now,
        zone=zone,
        lines=lines if is_whole else limited,
        balances=_balances(db, known, plan, who),
        running={
            Account.MEMBER: runs,
            Account.SERVER: known["running", guild_id],
            Account.BOT: known["running", 0],
        },
        last_at=_last_at(db, who) if is_whole or _has_pause(limited) else None,
        credits=_credits(db, who) if has_credits else (),
    )


def _has_pause(limited: Sequence[Line]) -> bool:
    return any(line.measure is Measure.COOLDOWN and line.value for line in limited)


def _last_at(db: sqlite3.Connection, who: Mapping[str, int]) -> int | None:
    row = db.execute(_LAST, who).fetchone()
    return None if row is None else int(row[0])


def credit_micro(db: sqlite3.Connection, *, guild_id: int, member_id: int, now: int) -> int:
    """Return what is left of a member's credits; `now` in Unix ms."""
    who = {"guild": guild_id, "member": member_id, "now": now}
    return sum(credit.left_micro for credit in _credits(db, who))


def note_hold(db: sqlite3.Connection, entry: Entry) -> None:
    """Bring what is known in step with a new job and its hold, once all of it is written."""
    known = memory.kept(db)
    for guild_id, day in ((entry.guild_id, entry.day), (0, entry.utc_day)):
        if ("running", guild_id) in known:
            known["running", guild_id] += 1
        balances = known.get(("balances", guild_id), {})
        for term in _terms(day):
            if term in balances:
                was = balances[term]
                held = was.held_micro + entry.held_micro
                balances[term] = Balance(was.spent_micro, held, was.excused_micro)


def _credits(db: sqlite3.Connection, who: Mapping[str, int]) -> tuple[Credit, ...]:
    return tuple(Credit(*row) for row in db.execute(_CREDITS, who))


def _server(
    db: sqlite3.Connection, known: Known, who: Mapping[str, int]
) -> tuple[ZoneInfo, Sequence[_RuleRow]]:
    """Return a server's zone and its rules for more than one member; know how much runs."""
    key = ("server", who["guild"])
    if key not in known:
        timezone, server_runs, bot_runs = db.execute(_SERVER, who).fetchone()
        known["running", who["guild"]], known["running", 0] = server_runs, bot_runs
        known[key] = (ZoneInfo(timezone), [tuple(row) for row in db.execute(_RULES, who)])
    found: tuple[ZoneInfo, Sequence[_RuleRow]] = known[key]
    return found


def _balances(
    db: sqlite3.Connection, known: Known, plan: _Plan, who: Mapping[str, int]
) -> dict[Span, Balance]:
    """Return what the accounts have used, read where it is not known."""
    shared = {
        Account.MEMBER: {},  # not kept: who asks for two clips at once is rare
        Account.SERVER: known.setdefault(("balances", who["guild"]), {}),
        Account.BOT: known.setdefault(("balances", 0), {}),
    }
    found = {span: shared[span[0]][term] for span, term in plan.terms if term in shared[span[0]]}
    unread = tuple((span, term) for span, term in plan.terms if span not in found)
    if unread:
        sums = db.execute(_sums(tuple(span for span, _ in unread)), {**who, **plan.days})
        for (span, term), row in zip(unread, sums, strict=True):
            found[span] = shared[span[0]][term] = Balance(*row)
    return found


@lru_cache(maxsize=256)
def _plan(spans: Sequence[Span], own_today: date, utc_today: date) -> _Plan:
    """Return what to read on a server's day, and on the bot's."""
    of_zone = {"own": dict(_terms(own_today)), "utc": dict(_terms(utc_today))}
    terms = tuple((span, (span[1], of_zone[_WHOSE[span[0]][1]][span[1]])) for span in spans)
    return _Plan(terms, {**_days("own", own_today), **_days("utc", utc_today)})


@lru_cache(maxsize=64)
def _terms(today: date) -> tuple[Term, ...]:
    """Return the periods that a day is in, each with its first day."""
    return tuple((period, first_day(period, today).isoformat()) for period in Period)


@lru_cache(maxsize=64)
def _sums(spans: Sequence[Span]) -> str:
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


@lru_cache(maxsize=1024)
def _in_force(
    limits: Limits, rows: Sequence[_RuleRow]
) -> tuple[tuple[Line, ...], tuple[Line, ...], tuple[Span, ...]]:
    """Return the limits that come of `rows`, those with a value, and what these count."""
    rules = [
        Rule(target=Target(target), target_id=target_id, measure=Measure(measure), value=value)
        for target, target_id, measure, value in rows
    ]
    member = next((rule.target_id for rule in rules if rule.target is Target.MEMBER), 0)
    roles = {rule.target_id for rule in rules if rule.target is Target.ROLE}
    lines = in_force(limits, rules, member, roles)
    limited = tuple(line for line in lines if line.value is not None)
    spans = {(line.account, line.measure.period): None for line in limited if line.measure.period}
    return lines, limited, tuple(spans)


def _days(zone: str, today: date) -> Mapping[str, str]:
    firsts = {f"{zone}_{period}": first for period, first in _terms(today)}
    ends = {f"{zone}_{period}_end": last_day(period, today).isoformat() for period in Period}
    return firsts | ends
