"""What members wish for themselves, in whichever server: kept by member, unset is off.

The SQL on it is here too. Knows no Discord; `handover.py` asks before it posts.
"""

import sqlite3
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from bot.database import Database
from bot.wish import Fit


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSettings:
    """Nobody gets a direct message who has not asked for it."""

    dm_copies: bool = False
    """Each clip comes as a direct message too."""
    dm_when_lost: bool = False
    """A clip that can be posted nowhere else comes as a direct message."""
    has_opted_out: bool = False
    """Nobody else has their pictures animated."""
    duration: float | None = None
    """What this and the next are where a wish leaves them open; None: the model's own default."""
    shape: str | None = None
    fit: Fit | None = None
    is_private: bool = False


class Members:
    """Each method is one durable transaction. They raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self, member_id: int) -> MemberSettings:
        """Return a member's settings."""

        def transaction(db: sqlite3.Connection) -> MemberSettings:
            row = db.execute(_READ, (member_id,)).fetchone()
            return MemberSettings() if row is None else _settings(row)

        return await self._database.run(transaction)

    async def set(self, member_id: int, settings: MemberSettings) -> None:
        """Keep a member's settings."""

        def transaction(db: sqlite3.Connection) -> None:
            db.execute(_WRITE, {"member_id": member_id} | asdict(settings))

        await self._database.run(transaction)

    async def change(self, member_id: int, **changes: Any) -> MemberSettings:
        """Change some of a member's settings, and return them all."""

        def transaction(db: sqlite3.Connection) -> MemberSettings:
            row = db.execute(_READ, (member_id,)).fetchone()
            settings = replace(MemberSettings() if row is None else _settings(row), **changes)
            db.execute(_WRITE, {"member_id": member_id} | asdict(settings))
            return settings

        return await self._database.run(transaction)


_NAMES = [field.name for field in fields(MemberSettings)]
_READ = f"SELECT {', '.join(_NAMES)} FROM member_settings WHERE member_id = ?"
_WRITE = (
    f"INSERT OR REPLACE INTO member_settings (member_id, {', '.join(_NAMES)})"
    f" VALUES (:member_id, {', '.join(f':{name}' for name in _NAMES)})"
)


def _settings(row: sqlite3.Row) -> MemberSettings:
    found: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    for name in ("dm_copies", "dm_when_lost", "has_opted_out", "is_private"):
        found[name] = bool(found[name])
    found["fit"] = None if found["fit"] is None else Fit(found["fit"])
    return MemberSettings(**found)
