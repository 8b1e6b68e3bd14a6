"""What can be read from the accounts: statements, rules, usage, entries, the audit, the proof.

Each method is one transaction that changes nothing. What admins change is in `admin.py`, the SQL
on entries in `books.py`, that on limits in `standing.py`. Who may ask is decided at the door.
"""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from bot import books, standing
from bot.database import Database
from bot.ledger import Entry, Statement
from bot.lifecycle import Job
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

    async def statement(
        self, guild_id: int, member_id: int, role_ids: Collection[int], now: int
    ) -> Statement:
        """Return where a member stands at `now`, Unix milliseconds."""
        return await self._database.run(
            lambda db: standing.statement(
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
        return await self._database.run(lambda db: server_of(db, guild_id))

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
                "SELECT id, quote_micro, state FROM jobs INDEXED BY jobs_running"
                " WHERE guild_id = ? AND member_id = ?"
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

    async def entries(self, guild_id: int, first: date, last: date, most: int) -> list[Entry]:
        """Return a server's entries of these days, the oldest first, and few more than `most`.

        A transaction for each day: whoever waits to be accepted is not kept waiting.
        """
        found: list[Entry] = []
        day = first
        while day <= last and len(found) <= most:
            found += await self._entries_of(guild_id, day, most + 1)
            day += timedelta(days=1)
        return found

    async def _entries_of(self, guild_id: int, day: date, most: int) -> list[Entry]:
        def transaction(db: sqlite3.Connection) -> list[Entry]:
            found = books.entries_of(db, "guild_id = ? AND day = ?", guild_id, day.isoformat())
            return list(islice(found, most))

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

    async def discrepancies(self) -> tuple[str, ...]:
        """Return where a total is not the sum of its entries, or a credit not that of its draws."""
        return await self._database.run(books.discrepancies)


def server_of(db: sqlite3.Connection, guild_id: int) -> Server:
    """Return how a server keeps its accounts, inside a transaction."""
    row = db.execute(
        "SELECT timezone, receipts FROM servers WHERE guild_id = ?", (guild_id,)
    ).fetchone()
    return Server() if row is None else Server(row[0], bool(row[1]))
