"""What members and admins ask of the accounts: rules, credits, statements, usage, the export.

Each method is one durable transaction. Every change leaves an audit row: who, what, before, after,
when, why. Who may ask is decided at the door. The SQL on entries is in `books.py`.
"""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from bot import books
from bot.database import Database
from bot.ledger import UTC_ZONE, Entry, Kind, Statement
from bot.lifecycle import Job
from bot.periods import Period, day_of, first_day
from bot.rules import Limits, Measure, Rule, Target


@dataclass(frozen=True, slots=True)
class Server:
    """How a server keeps its accounts."""

    timezone: str = "UTC"
    receipts: bool = True
    """Whether what a member has left is told under each clip."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which its days begin."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An admin's act: who, on which server, when (Unix milliseconds), and why."""

    guild_id: int
    actor_id: int
    at: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A clip in flight and what is held for it."""

    job_id: str
    held_micro: int
    state: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one member has spent."""

    member_id: int
    spent_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a server has used over some days, both ends included."""

    first: date
    last: date
    spent: dict[date, int]
    """Micro-dollars of the days on which something was spent."""
    shares: tuple[Share, ...]
    """The largest first."""
    held_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One change by an admin."""

    actor_id: int
    action: str
    target: str
    before: str
    after: str
    at: int
    reason: str


class Accounts:
    """The accounts of all servers, under the operator's `limits`."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    # --- Looking ---------------------------------------------------------------------------------

    async def statement(
        self, guild_id: int, member_id: int, role_ids: Collection[int], now: int
    ) -> Statement:
        """Return where a member stands at `now`, Unix milliseconds."""
        return await self._database.run(
            lambda db: books.statement(
                db,
                self._limits,
                guild_id=guild_id,
                member_id=member_id,
                role_ids=role_ids,
                now=now,
            )
        )

    async def receipt(self, job: Job, now: int) -> Statement | None:
        """Return where the member of a job stands, None where the server wants no receipts."""
        if not (await self.server(job.guild_id)).receipts:
            return None
        return await self.statement(job.guild_id, job.member_id, job.role_ids, now)

    async def server(self, guild_id: int) -> Server:
        """Return how a server keeps its accounts."""
        return await self._database.run(lambda db: _server(db, guild_id))

    async def rules(self, guild_id: int) -> tuple[Rule, ...]:
        """Return all rules of a server, the widest first."""

        def transaction(db: sqlite3.Connection) -> tuple[Rule, ...]:
            rows = db.execute(
                "SELECT target, target_id, measure, value FROM rules WHERE guild_id = ?",
                (guild_id,),
            )
            order = (list(Target), list(Measure))
            found = [
                Rule(target=Target(kind), target_id=about, measure=Measure(what), value=value)
                for kind, about, what, value in rows
            ]
            return tuple(
                sorted(
                    found,
                    key=lambda rule: (
                        order[0].index(rule.target),
                        rule.target_id,
                        order[1].index(rule.measure),
                    ),
                )
            )

        return await self._database.run(transaction)

    async def open_holds(self, guild_id: int, member_id: int) -> tuple[OpenHold, ...]:
        """Return the member's clips in flight, the oldest first."""

        def transaction(db: sqlite3.Connection) -> tuple[OpenHold, ...]:
            rows = db.execute(
                "SELECT id, quote_micro, state FROM jobs WHERE guild_id = ? AND member_id = ?"
                " AND state IN ('queued', 'submitting', 'rendering') ORDER BY created_at",
                (guild_id, member_id),
            )
            return tuple(OpenHold(*row) for row in rows)

        return await self._database.run(transaction)

    async def usage(self, guild_id: int, first: date, last: date) -> Usage:
        """Return what a server has used from `first` to `last`, by day and by member."""
        span = (guild_id, first.isoformat(), last.isoformat())

        def transaction(db: sqlite3.Connection) -> Usage:
            days = db.execute(
                "SELECT day, spent_micro, held_micro FROM totals"
                " WHERE guild_id = ? AND member_id = 0 AND day BETWEEN ? AND ?",
                span,
            ).fetchall()
            shares = db.execute(
                "SELECT member_id, sum(spent_micro) AS spent FROM totals"
                " WHERE guild_id = ? AND day BETWEEN ? AND ? AND member_id > 0"
                " GROUP BY member_id HAVING spent > 0 ORDER BY spent DESC, member_id",
                span,
            ).fetchall()
            return Usage(
                first=first,
                last=last,
                spent={date.fromisoformat(row[0]): row[1] for row in days if row[1]},
                shares=tuple(Share(*row) for row in shares),
                held_micro=sum(row[2] for row in days),
            )

        return await self._database.run(transaction)

    async def entries(self, guild_id: int, first: date, last: date) -> list[Entry]:
        """Return a server's entries of these days, the oldest first."""

        def transaction(db: sqlite3.Connection) -> list[Entry]:
            where = "guild_id = ? AND day BETWEEN ? AND ?"
            return list(
                books.entries_of(db, where, guild_id, first.isoformat(), last.isoformat())
            )

        return await self._database.run(transaction)

    async def audit(self, guild_id: int, most: int = 10) -> tuple[AuditRow, ...]:
        """Return the last changes by admins, the newest first."""

        def transaction(db: sqlite3.Connection) -> tuple[AuditRow, ...]:
            rows = db.execute(
                "SELECT actor_id, action, target, before, after, at, reason FROM audit"
                " WHERE guild_id = ? ORDER BY id DESC LIMIT ?",
                (guild_id, most),
            )
            return tuple(AuditRow(**row) for row in rows)

        return await self._database.run(transaction)

    # --- Changing --------------------------------------------------------------------------------

    async def set_rule(self, change: Change, rule: Rule) -> Rule | None:
        """Put a rule in force and return the one that it replaces."""
        return await self._replace(change, rule, is_kept=True)

    async def drop_rule(self, change: Change, rule: Rule) -> Rule | None:
        """Take a rule's target and measure back to what it inherits; return what was there."""
        return await self._replace(change, rule, is_kept=False)

    async def _replace(self, change: Change, rule: Rule, *, is_kept: bool) -> Rule | None:
        key = (change.guild_id, rule.target, rule.target_id, rule.measure)

        def transaction(db: sqlite3.Connection) -> Rule | None:
            where = "guild_id = ? AND target = ? AND target_id = ? AND measure = ?"
            row = db.execute(f"SELECT value FROM rules WHERE {where}", key).fetchone()  # noqa: S608 - a constant
            db.execute(f"DELETE FROM rules WHERE {where}", key)  # noqa: S608 - a constant
            if is_kept:
                db.execute(
                    "INSERT INTO rules (guild_id, target, target_id, measure, value)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (*key, rule.value),
                )
            about = f"{rule.target} {rule.target_id} {rule.measure}"
            before = "inherit" if row is None else _plain(row[0])
            after = _plain(rule.value) if is_kept else "inherit"
            _note(db, change, "rule", about, before, after)
            if row is None:
                return None
            return Rule(
                target=rule.target, target_id=rule.target_id, measure=rule.measure, value=row[0]
            )

        return await self._database.run(transaction)

    async def set_server(self, change: Change, server: Server) -> Server:
        """Have a server keep its accounts in another way, and return the way before.

        Days that have entries stay the days that they were.
        """

        def transaction(db: sqlite3.Connection) -> Server:
            before = _server(db, change.guild_id)
            db.execute(
                "INSERT INTO servers (guild_id, timezone, receipts) VALUES (?, ?, ?)"
                " ON CONFLICT (guild_id) DO UPDATE"
                " SET timezone = excluded.timezone, receipts = excluded.receipts",
                (change.guild_id, server.timezone, server.receipts),
            )
            _note(db, change, "server", "", _settings(before), _settings(server))
            return before

        return await self._database.run(transaction)

    async def grant(
        self, change: Change, member_id: int, micro: int, expires_at: int | None
    ) -> None:
        """Give a member credit, until `expires_at` (Unix milliseconds) or for good.

        It pays where the member's own limits do not, and no further than the server's. The reason
        is not optional.
        """

        def transaction(db: sqlite3.Connection) -> None:
            zone = _server(db, change.guild_id).zone
            books.book(
                db,
                Entry(
                    kind=Kind.GRANT,
                    member_id=member_id,
                    guild_id=change.guild_id,
                    day=day_of(change.at, zone),
                    utc_day=day_of(change.at, UTC_ZONE),
                    credit_micro=micro,
                    expires_at=expires_at,
                    actor_id=change.actor_id,
                    at=change.at,
                    note=change.reason,
                ),
            )
            until = "" if expires_at is None else f" until {expires_at}"
            _note(db, change, "grant", f"member {member_id}", "", f"{micro}{until}")

        await self._database.run(transaction)

    async def reset(self, change: Change, member_id: int) -> int:
        """Excuse what a member has spent in the current periods; return it, micro-dollars.

        What is held by clips in flight stays, and the server's and the bot's money stays spent.
        """

        def transaction(db: sqlite3.Connection) -> int:
            zone = _server(db, change.guild_id).zone
            total = 0
            for day, counted in _counted(db, change, member_id, zone):
                total += counted
                books.book(
                    db,
                    Entry(
                        kind=Kind.ADJUSTMENT,
                        member_id=member_id,
                        guild_id=change.guild_id,
                        day=day,
                        utc_day=day,
                        excused_micro=counted,
                        actor_id=change.actor_id,
                        at=change.at,
                        note=change.reason,
                    ),
                )
            _note(db, change, "reset", f"member {member_id}", f"{total}", "0")
            return total

        return await self._database.run(transaction)

    # --- Proof -----------------------------------------------------------------------------------

    async def discrepancies(self) -> tuple[str, ...]:
        """Return where a total is not the sum of its entries, or a credit not that of its draws."""
        return await self._database.run(books.discrepancies)


def _counted(
    db: sqlite3.Connection, change: Change, member_id: int, zone: ZoneInfo
) -> list[tuple[date, int]]:
    """Return the spending that counts against the member now, per day, beside what is held."""
    today = day_of(change.at, zone)
    since = min(first_day(period, today) for period in Period)
    rows = db.execute(
        "SELECT day, spent_micro + held_micro - excused_micro - coalesce((SELECT"
        "   sum(hold.held_micro - hold.excused_micro)"
        "   FROM jobs JOIN entries AS hold ON hold.job_id = jobs.id AND hold.kind = 'hold'"
        "  WHERE jobs.guild_id = totals.guild_id AND jobs.member_id = totals.member_id"
        "    AND jobs.state IN ('queued', 'submitting', 'rendering')"
        "    AND hold.day = totals.day), 0) AS counted"
        " FROM totals WHERE guild_id = ? AND member_id = ? AND day >= ?",
        (change.guild_id, member_id, since.isoformat()),
    ).fetchall()
    return [(date.fromisoformat(day), counted) for day, counted in rows if counted > 0]


def _server(db: sqlite3.Connection, guild_id: int) -> Server:
    row = db.execute(
        "SELECT timezone, receipts FROM servers WHERE guild_id = ?", (guild_id,)
    ).fetchone()
    return Server() if row is None else Server(row[0], bool(row[1]))


def _note(
    db: sqlite3.Connection, change: Change, action: str, target: str, before: str, after: str
) -> None:
    db.execute(
        "INSERT INTO audit (guild_id, actor_id, action, target, before, after, at, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(change.guild_id, change.actor_id, action, target),
            *(before, after, change.at, change.reason),
        ),
    )


def _plain(value: int | None) -> str:
    return "unlimited" if value is None else str(value)


def _settings(server: Server) -> str:
    return f"{server.timezone}, receipts {'on' if server.receipts else 'off'}"
