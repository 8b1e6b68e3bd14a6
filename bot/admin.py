"""What a server's admins change: rules, credits, the time zone, a member's used-up limit.

Each method is one durable transaction and leaves an audit row: who, what, before, after, when, why.
Who may is decided at the door.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from bot import books, standing
from bot.accounts import Server, server_of
from bot.database import Database
from bot.errors import ZoneSetLately
from bot.ledger import UTC_ZONE, Entry, Kind
from bot.periods import Period, day_of, first_day, last_day
from bot.rules import Rule

_BETWEEN_ZONES = 7 * 86_400_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An admin's act: who, on which server, when (Unix milliseconds), and why."""

    guild_id: int
    actor_id: int
    at: int
    reason: str = ""


class Admin:
    """Changes to the accounts of all servers."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
            row = db.execute(f"SELECT value FROM rules WHERE {where}", key).fetchone()
            db.execute(f"DELETE FROM rules WHERE {where}", key)
            if is_kept:
                db.execute(
                    "INSERT INTO rules (guild_id, target, target_id, measure, value)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (*key, rule.value),
                )
            about = f"{rule.target} {rule.target_id} {rule.measure}"
            before = "inherit" if row is None else _plain(row[0])
            after = _plain(rule.value) if is_kept else "inherit"
            leave_note(db, change, ("rule", about, before, after))
            if row is None:
                return None
            return Rule(
                target=rule.target, target_id=rule.target_id, measure=rule.measure, value=row[0]
            )

        return await self._database.run(transaction)

    async def set_server(
        self, change: Change, edit: Callable[[Server], Server]
    ) -> tuple[Server, Server]:
        """Have `edit` make anew how a server keeps its accounts; return the way before, and this.

        So nothing is lost that another admin changes at the same time. Days that have entries stay
        the days that they were. Raises `ZoneSetLately`; KeyError for a zone that nobody knows.
        """

        def transaction(db: sqlite3.Connection) -> tuple[Server, Server]:
            before = server_of(db, change.guild_id)
            after = edit(before)
            # Looked up before it is kept: with an unknown zone, no account can be read.
            zone = after.zone
            if after.timezone != before.timezone:
                _check_zone_may_change(db, change)
            db.execute(
                "INSERT INTO servers (guild_id, timezone, receipts) VALUES (?, ?, ?)"
                " ON CONFLICT (guild_id) DO UPDATE"
                " SET timezone = excluded.timezone, receipts = excluded.receipts",
                (change.guild_id, zone.key, after.receipts),
            )
            leave_note(db, change, ("server", "", _settings(before), _settings(after)))
            return before, after

        return await self._database.run(transaction)

    async def grant(
        self, change: Change, member_id: int, micro: int, expires_at: int | None
    ) -> None:
        """Give a member credit, until `expires_at` (Unix milliseconds) or for good.

        It pays where the member's own limits do not, and no further than the server's. The reason
        is not optional.
        """

        def transaction(db: sqlite3.Connection) -> None:
            zone = server_of(db, change.guild_id).zone
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
            after = f"{micro}" if expires_at is None else f"{micro} {expires_at}"
            leave_note(db, change, ("grant", f"member {member_id}", "", after))

        await self._database.run(transaction)

    async def revoke(self, change: Change, member_id: int) -> int:
        """End all open credits of a member; return what was left of them, micro-dollars.

        Clips in flight keep what they have drawn; what they give back is gone like the rest.
        """

        def transaction(db: sqlite3.Connection) -> int:
            who = {"guild_id": change.guild_id, "member_id": member_id, "now": change.at}
            left = standing.credit_micro(db, **who)
            db.execute(
                "INSERT INTO revoked (grant_id, at) SELECT id, :now FROM entries"
                " WHERE kind = 'grant' AND guild_id = :guild_id AND member_id = :member_id"
                " AND (expires_at IS NULL OR expires_at > :now)"
                " AND NOT EXISTS (SELECT 1 FROM revoked WHERE grant_id = entries.id)",
                who,
            )
            leave_note(db, change, ("revoke", f"member {member_id}", f"{left}", "0"))
            return left

        return await self._database.run(transaction)

    async def reset(self, change: Change, member_id: int) -> int:
        """Excuse what a member has spent in the current periods; return it, micro-dollars.

        What is held by clips in flight stays, and the server's and the bot's money stays spent.
        """

        def transaction(db: sqlite3.Connection) -> int:
            zone = server_of(db, change.guild_id).zone
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
            leave_note(db, change, ("reset", f"member {member_id}", f"{total}", "0"))
            return total

        return await self._database.run(transaction)


def _check_zone_may_change(db: sqlite3.Connection, change: Change) -> None:
    """Refuse to move a server's days twice within a week. Raises `ZoneSetLately`.

    Each move can bring another day's budget forward, and that is the bot's owner's money.
    """
    rows = db.execute(
        "SELECT before, after, at FROM audit WHERE guild_id = ? AND action = 'server' AND at > ?"
        " ORDER BY at DESC",
        (change.guild_id, change.at - _BETWEEN_ZONES),
    )
    for before, after, at in rows:
        if before.split(",")[0] != after.split(",")[0]:  # as `_settings` has them
            raise ZoneSetLately(-(-(at + _BETWEEN_ZONES) // 1000))


def _counted(
    db: sqlite3.Connection, change: Change, member_id: int, zone: ZoneInfo
) -> list[tuple[date, int]]:
    """Return the spending that counts against the member now, per day, beside what is held."""
    today = day_of(change.at, zone)
    since = min(first_day(period, today) for period in Period)
    until = max(last_day(period, today) for period in Period)
    rows = db.execute(
        "SELECT day, spent_micro + held_micro - excused_micro - coalesce((SELECT"
        "   sum(hold.held_micro - hold.excused_micro)"
        "   FROM jobs INDEXED BY jobs_running"
        "   JOIN entries AS hold ON hold.job_id = jobs.id AND hold.kind = 'hold'"
        "  WHERE jobs.guild_id = totals.guild_id AND jobs.member_id = totals.member_id"
        "    AND jobs.state IN ('queued', 'submitting', 'rendering')"
        "    AND hold.day = totals.day), 0) AS counted"
        " FROM totals WHERE guild_id = ? AND member_id = ? AND day BETWEEN ? AND ?",
        (change.guild_id, member_id, since.isoformat(), until.isoformat()),
    ).fetchall()
    return [(date.fromisoformat(day), counted) for day, counted in rows if counted > 0]


def leave_note(db: sqlite3.Connection, change: Change, what: tuple[str, str, str, str]) -> None:
    """Leave an audit row; `what` is the action, its target, before and after."""
    db.execute(
        "INSERT INTO audit (guild_id, actor_id, action, target, before, after, at, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (change.guild_id, change.actor_id, *what, change.at, change.reason),
    )


def _plain(value: int | None) -> str:
    return "unlimited" if value is None else str(value)


def _settings(server: Server) -> str:
    return f"{server.timezone}, receipts {'on' if server.receipts else 'off'}"
