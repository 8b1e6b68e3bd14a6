"""What members wish for themselves, in whichever server: kept by member, unset is off.

The SQL on it is here too. Knows no Discord; `handover.py` asks before it posts.
"""

import sqlite3
from dataclasses import asdict, dataclass

from bot.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSettings:
    """Nobody gets a direct message who has not asked for it."""

    dm_copies: bool = False
    """Each clip comes as a direct message too."""
    dm_when_lost: bool = False
    """A clip that can be posted nowhere else comes as a direct message."""


class Members:
    """Each method is one durable transaction. They raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self, member_id: int) -> MemberSettings:
        """Return a member's settings."""

        def transaction(db: sqlite3.Connection) -> MemberSettings:
            row = db.execute(
                "SELECT dm_copies, dm_when_lost FROM member_settings WHERE member_id = ?",
                (member_id,),
            ).fetchone()
            if row is None:
                return MemberSettings()
            return MemberSettings(dm_copies=bool(row[0]), dm_when_lost=bool(row[1]))

        return await self._database.run(transaction)

    async def set(self, member_id: int, settings: MemberSettings) -> None:
        """Keep a member's settings."""

        def transaction(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT OR REPLACE INTO member_settings (member_id, dm_copies, dm_when_lost)"
                " VALUES (:member_id, :dm_copies, :dm_when_lost)",
                {"member_id": member_id} | asdict(settings),
            )

        await self._database.run(transaction)
