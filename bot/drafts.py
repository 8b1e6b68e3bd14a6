"""What somebody is still choosing: which of several pictures, and how it is cut. Nothing is held.

Kept for as long as Discord's addresses of the pictures live, so that buttons work after a restart.
A button's id is believed in one thing only: which draft it is about. The SQL on it is here too.
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.database import Database
from bot.options import Options
from bot.wish import Door, Fit, Origin, Picture

_LIFE = 24 * 3600 * 1000
"""Milliseconds; Discord's addresses of pictures live for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A wish in the making; its options are filled in with the member's own settings."""

    door: Door
    pictures: tuple[Picture, ...]
    options: Options

    def to_json(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Draft":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        options = fields["options"]
        fit = options["fit"]
        return Draft(
            door=Door(fields["door"]),
            pictures=tuple(map(_picture, fields["pictures"])),
            options=Options(**options | {"fit": fit if fit is None else Fit(fit)}),
        )


class Drafts:
    """`clock` returns Unix milliseconds. Each method is a transaction; they raise `StoreError`."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def keep(self, member_id: int, draft: Draft) -> int:
        """Keep a new draft, forget those that nobody can use any more, and return its id."""
        now = self._clock()

        def transaction(db: sqlite3.Connection) -> int:
            db.execute("DELETE FROM drafts WHERE expires_at <= ?", (now,))
            made = db.execute(
                "INSERT INTO drafts (member_id, draft, expires_at) VALUES (?, ?, ?) RETURNING id",
                (member_id, draft.to_json(), now + _LIFE),
            )
            return int(made.fetchone()[0])

        return await self._database.run(transaction)

    async def of(self, draft_id: int, member_id: int) -> Draft | None:
        """Return a member's own draft while it lives."""
        return await self._database.run(lambda db: self._read(db, draft_id, member_id))

    async def change(self, draft_id: int, member_id: int, **options: Any) -> Draft | None:
        """Change some options of a member's draft, and return it; None where it lives no more."""

        def transaction(db: sqlite3.Connection) -> Draft | None:
            draft = self._read(db, draft_id, member_id)
            if draft is None:
                return None
            changed = replace(draft, options=replace(draft.options, **options))
            query = "UPDATE drafts SET draft = ? WHERE id = ?"
            db.execute(query, (changed.to_json(), draft_id))
            return changed

        return await self._database.run(transaction)

    def _read(self, db: sqlite3.Connection, draft_id: int, member_id: int) -> Draft | None:
        row = db.execute(
            "SELECT draft FROM drafts WHERE id = ? AND member_id = ? AND expires_at > ?",
            (draft_id, member_id, self._clock()),
        ).fetchone()
        return None if row is None else Draft.from_json(row[0])

    async def drop(self, draft_id: int, member_id: int) -> None:
        """Forget a member's draft."""
        query = "DELETE FROM drafts WHERE id = ? AND member_id = ?"
        await self._database.run(lambda db: db.execute(query, (draft_id, member_id)))


def _picture(fields: dict[str, Any]) -> Picture:
    where = fields["origin"]
    return Picture(**fields | {"origin": where if where is None else Origin(**where)})
