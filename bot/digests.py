"""What a server's daily digest tells: figures from the accounts and the jobs. The SQL on that.

A clip counts in the day on which it was accepted, as it does in the accounts, so the figures are
those of `/usage server`.
"""

import sqlite3
from dataclasses import dataclass
from datetime import date

from bot.accounts import Accounts, Usage
from bot.database import Database
from bot.ledger import Statement
from bot.lifecycle import Failure, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The figures of some days; `held` is of now."""

    usage: Usage
    asked: int
    delivered: int
    failures: dict[Failure, int]
    """Those that nobody took back, by why."""
    held: int
    """Clips that wait for a moderator."""
    statement: Statement
    """What is left."""

    @property
    def failed(self) -> int:
        """How many there were no clips of."""
        return sum(self.failures.values())


class Digests:
    """Methods raise `StoreError`."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    async def digest(self, guild_id: int, days: tuple[date, date], now: int) -> Digest:
        """Return the figures of a server from the first to the last of `days`."""
        first, last = days

        def transaction(db: sqlite3.Connection) -> tuple[dict[tuple[str, str | None], int], int]:
            counted = db.execute(
                "SELECT state, failure, count(*) FROM entries JOIN jobs ON jobs.id = job_id"
                " WHERE entries.guild_id = ? AND day BETWEEN ? AND ? AND kind = 'hold'"
                " GROUP BY state, failure",
                (guild_id, first.isoformat(), last.isoformat()),
            )
            held = db.execute(
                "SELECT count(*) FROM jobs JOIN reviews ON job_id = jobs.id"
                " WHERE guild_id = ? AND state = 'rendered' AND let_out_at IS NULL",
                (guild_id,),
            )
            return {(row[0], row[1]): row[2] for row in counted}, held.fetchone()[0]

        counts, held = await self._database.run(transaction)
        return Digest(
            usage=await self._accounts.usage(guild_id, first, last),
            asked=sum(counts.values()),
            delivered=counts.get((State.DELIVERED, None), 0),
            failures={
                Failure(failure): count
                for (_, failure), count in counts.items()
                if failure is not None and failure != Failure.CANCELLED
            },
            held=held,
            statement=await self._accounts.statement(guild_id, 0, (), now),
        )
