"""What servers have set for themselves, and whom they have blocked; whether a wish passes.

The SQL on policies and blocks. Each method is one durable transaction; a change leaves an audit
row. What a policy lets pass is `policy.py`'s, who may change one is decided at the door.
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from bot import policy
from bot.admin import Change, leave_note
from bot.database import Database
from bot.policy import DEFAULT, Asker, Policy

_STANDING = """
SELECT (SELECT policy FROM policies WHERE guild_id = :guild),
       EXISTS (SELECT 1 FROM blocks WHERE guild_id = :guild AND member_id = :member),
       coalesce((SELECT has_opted_out FROM member_settings WHERE member_id = :author), 0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A member who gets no clips in a server."""

    member_id: int
    actor_id: int
    at: int
    reason: str


class Policies:
    """The policies of all servers. Methods raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def policy(self, guild_id: int) -> Policy:
        """Return what a server has set."""
        return await self._database.run(lambda db: _policy(db, guild_id))

    async def admit(self, guild_id: int, asker: Asker) -> None:
        """Let a wish pass by the rules of this moment. Raises `Barred` or `ConsentNeeded`."""
        who = {"guild": guild_id, "member": asker.member_id, "author": asker.author_id}
        text, is_blocked, has_opted_out = await self._database.run(
            lambda db: tuple(db.execute(_STANDING, who).fetchone())
        )
        rules = DEFAULT if text is None else Policy.from_json(text)
        policy.check(rules, asker, is_blocked=bool(is_blocked), has_opted_out=bool(has_opted_out))

    async def change(
        self, change: Change, edit: Callable[[Policy], Policy]
    ) -> tuple[Policy, Policy]:
        """Have `edit` make a server's policy anew; return what it was and what it is now.

        So nothing is lost that another admin changes at the same time. Raises what `edit` does.
        """

        def transaction(db: sqlite3.Connection) -> tuple[Policy, Policy]:
            before = _policy(db, change.guild_id)
            after = edit(before)
            db.execute(
                "INSERT OR REPLACE INTO policies (guild_id, policy) VALUES (?, ?)",
                (change.guild_id, after.to_json()),
            )
            was, now = before.told_from(after), after.told_from(before)
            if was != now:
                leave_note(db, change, ("policy", "", _written(was), _written(now)))
            return before, after

        return await self._database.run(transaction)

    async def note(self, change: Change, what: tuple[str, str, str, str]) -> None:
        """Leave an audit row of what an admin did that is kept elsewhere."""
        await self._database.run(lambda db: leave_note(db, change, what))

    async def block(self, change: Change, member_id: int) -> bool:
        """Let a member have no clips any more; return whether they could until now."""

        def transaction(db: sqlite3.Connection) -> bool:
            new = db.execute(
                "INSERT OR IGNORE INTO blocks (guild_id, member_id, actor_id, at, reason)"
                " VALUES (?, ?, ?, ?, ?)",
                (change.guild_id, member_id, change.actor_id, change.at, change.reason),
            )
            if new.rowcount:
                leave_note(db, change, ("block", f"member {member_id}", "", "blocked"))
            return new.rowcount == 1

        return await self._database.run(transaction)

    async def unblock(self, change: Change, member_id: int) -> bool:
        """Let a member have clips again; return whether they could not."""

        def transaction(db: sqlite3.Connection) -> bool:
            gone = db.execute(
                "DELETE FROM blocks WHERE guild_id = ? AND member_id = ?",
                (change.guild_id, member_id),
            )
            if gone.rowcount:
                leave_note(db, change, ("block", f"member {member_id}", "blocked", ""))
            return gone.rowcount == 1

        return await self._database.run(transaction)

    async def blocks(self, guild_id: int) -> tuple[Block, ...]:
        """Return who is blocked in a server, the last one first."""

        def transaction(db: sqlite3.Connection) -> tuple[Block, ...]:
            rows = db.execute(
                "SELECT member_id, actor_id, at, reason FROM blocks WHERE guild_id = ?"
                " ORDER BY at DESC, member_id",
                (guild_id,),
            )
            return tuple(Block(**row) for row in rows)

        return await self._database.run(transaction)


def _policy(db: sqlite3.Connection, guild_id: int) -> Policy:
    row = db.execute("SELECT policy FROM policies WHERE guild_id = ?", (guild_id,)).fetchone()
    return DEFAULT if row is None else Policy.from_json(row[0])


def _written(fields: dict[str, object]) -> str:
    return json.dumps(fields, default=sorted, sort_keys=True)
