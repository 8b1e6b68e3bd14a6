"""What waits for the author of a picture to agree, and what became of it: the SQL on that.

Nothing is held for it, and nothing is believed of a button but its number. A question stays for a
day after its end, so that nobody is asked over and over. `consent.py` asks and answers.
"""

import sqlite3
from dataclasses import asdict, dataclass
from enum import StrEnum

from bot.database import Database
from bot.errors import Bar, Barred, CoolingDown

_DAY = 86_400_000
"""Milliseconds."""
MOST_OPEN = 3
"""Questions of one member in a server that wait for an answer."""
MOST_TO_AUTHOR = 5
"""Questions of everybody to one author there."""
MOST_A_DAY = 10
"""Questions of one member in a server."""


class Outcome(StrEnum):
    """What became of a question."""

    AGREED = "agreed"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """By who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One question to the author of a picture."""

    id: int = 0
    guild_id: int
    channel_id: int
    message_id: int | None = None
    """The question's own; None while it is not known to be posted."""
    member_id: int
    """Who asks."""
    author_id: int
    picture: str
    """Which picture: its message and its key."""
    ask: str
    """The wish, as JSON."""
    asked_at: int
    expires_at: int
    outcome: Outcome | None = None


class Approvals:
    """Each method is one durable transaction. They raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, approval: Approval) -> tuple[Approval, bool]:
        """Keep a question and return it as it is kept, and whether it is a new one.

        One about the same picture that still waits is returned in its place. Raises `Barred` where
        this author has said no to this member today, and `CoolingDown`.
        """

        def transaction(db: sqlite3.Connection) -> tuple[Approval, bool]:
            row = db.execute(
                f"SELECT * FROM approvals WHERE picture = ? AND member_id = ? AND {_WAITS}",
                (approval.picture, approval.member_id, approval.asked_at),
            ).fetchone()
            if row is not None:
                return _approval(row), False
            _check_manners(db, approval)
            # One whose time is over, and that was not swept yet, makes room.
            db.execute(_EXPIRE, (approval.asked_at,))
            fields = asdict(approval) | {"id": None}
            row = db.execute(
                f"INSERT INTO approvals ({', '.join(fields)})"
                f" VALUES ({', '.join(f':{name}' for name in fields)}) RETURNING *",
                fields,
            ).fetchone()
            return _approval(row), True

        return await self._database.run(transaction)

    async def get(self, approval_id: int) -> Approval | None:
        """Return a question, if it is still known."""

        def transaction(db: sqlite3.Connection) -> Approval | None:
            row = db.execute("SELECT * FROM approvals WHERE id = ?", (approval_id,)).fetchone()
            return None if row is None else _approval(row)

        return await self._database.run(transaction)

    async def posted(self, approval_id: int, message_id: int) -> None:
        """Keep which message the question is."""
        update = "UPDATE approvals SET message_id = ? WHERE id = ?"
        await self._database.run(lambda db: db.execute(update, (message_id, approval_id)))

    async def drop(self, approval_id: int) -> None:
        """Forget a question that was not asked."""
        delete = "DELETE FROM approvals WHERE id = ?"
        await self._database.run(lambda db: db.execute(delete, (approval_id,)))

    async def end(
        self, approval_id: int, outcome: Outcome, now: int, message_id: int | None = None
    ) -> Approval | None:
        """Note what became of a question, once; None where it waits no more.

        `message_id` is the question's, of which its answer may tell before its posting does.
        """

        def transaction(db: sqlite3.Connection) -> Approval | None:
            row = db.execute(
                "UPDATE approvals SET outcome = ?, message_id = coalesce(message_id, ?)"
                f" WHERE id = ? AND {_WAITS} RETURNING *",
                (outcome, message_id, approval_id, now),
            ).fetchone()
            return None if row is None else _approval(row)

        return await self._database.run(transaction)

    async def withdraw(self, message_id: int, member_id: int, now: int) -> int:
        """Take back what a member has asked about a message's pictures by a reaction.

        What they had asked by another door before stays. Returns how many that were.
        """

        def transaction(db: sqlite3.Connection) -> int:
            return db.execute(
                "UPDATE approvals SET outcome = 'withdrawn' WHERE picture GLOB ? AND member_id = ?"
                f" AND json_extract(ask, '$.door') = 'reaction' AND {_WAITS}",
                (f"{message_id} *", member_id, now),
            ).rowcount

        return await self._database.run(transaction)

    async def ended(self, now: int) -> list[Approval]:
        """Return those at their end of which nobody was told yet; forget what is a day old."""

        def transaction(db: sqlite3.Connection) -> list[Approval]:
            db.execute(_EXPIRE, (now,))
            db.execute("DELETE FROM approvals WHERE expires_at < ?", (now - _DAY,))
            rows = db.execute(
                "SELECT * FROM approvals WHERE outcome IS NOT NULL AND is_told = 0 ORDER BY id"
            )
            return list(map(_approval, rows.fetchall()))

        return await self._database.run(transaction)

    async def told(self, approval_id: int) -> None:
        """Note that what became of a question was done and said."""
        update = "UPDATE approvals SET is_told = 1 WHERE id = ?"
        await self._database.run(lambda db: db.execute(update, (approval_id,)))


_WAITS = "outcome IS NULL AND expires_at > ?"
_EXPIRE = "UPDATE approvals SET outcome = 'expired' WHERE outcome IS NULL AND expires_at <= ?"

_MANNERS = """
SELECT count(*) FILTER (WHERE outcome = 'declined' AND member_id = :member_id
                          AND author_id = :author_id) AS declined,
       count(*) FILTER (WHERE member_id = :member_id) AS today,
       min(asked_at) FILTER (WHERE member_id = :member_id) AS first_at,
       count(*) FILTER (WHERE member_id = :member_id AND outcome IS NULL) AS waiting,
       min(expires_at) FILTER (WHERE member_id = :member_id AND outcome IS NULL) AS free_at,
       count(*) FILTER (WHERE author_id = :author_id AND outcome IS NULL) AS theirs,
       min(expires_at) FILTER (WHERE author_id = :author_id AND outcome IS NULL) AS theirs_free_at
  FROM approvals
 WHERE guild_id = :guild_id AND asked_at > :since
   AND (outcome IS NOT NULL OR expires_at > :asked_at)
"""


def _check_manners(db: sqlite3.Connection, approval: Approval) -> None:
    found = db.execute(_MANNERS, asdict(approval) | {"since": approval.asked_at - _DAY}).fetchone()
    if found["declined"]:
        raise Barred(Bar.DECLINED)
    if found["today"] >= MOST_A_DAY:
        raise CoolingDown((found["first_at"] + _DAY) // 1000, is_of_questions=True)
    if found["waiting"] >= MOST_OPEN:
        raise CoolingDown(found["free_at"] // 1000, is_of_questions=True)
    if found["theirs"] >= MOST_TO_AUTHOR:
        raise CoolingDown(found["theirs_free_at"] // 1000, is_of_questions=True)


def _approval(row: sqlite3.Row) -> Approval:
    fields = dict(row)
    del fields["is_told"]
    outcome = fields["outcome"]
    return Approval(**fields | {"outcome": None if outcome is None else Outcome(outcome)})
