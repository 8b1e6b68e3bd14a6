"""What became of wishes: a member's clips page by page, what waits in a server, where clips are.

Each method is one transaction; all but those that note a post or a deletion change nothing. Who may
see what is decided at the door. The steps of jobs are in `store.py`.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from bot import ahead, rows
from bot.database import Database
from bot.ladder import Posted
from bot.lifecycle import FORGOTTEN, Job

PAGE = 10
"""Clips on a page; a select of Discord's takes 25."""
_MOST_OFFERED = 25
"""What Discord offers for an option while one types."""
_MOST_OPEN = 50
_RUNNING = "state IN ('queued', 'submitting', 'rendering')"  # as the index jobs_running has it


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a member's jobs in a server: what waits to be posted first, then the newest."""

    jobs: tuple[Job, ...]
    number: int
    """Counted from 0."""
    of: int
    """How many pages there are, at least one."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that is not at its end."""

    job: Job
    ahead: int | None
    """How many go before it while it is queued; None where too many wait, or it is no longer."""


@dataclass(frozen=True, slots=True)
class Record:
    """One job, and what was booked for it."""

    job: Job
    spent_micro: int
    held_micro: int
    clips: int
    """How many were made."""


class History:
    """Jobs of all servers. Methods raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def job(self, job_id: str) -> Job | None:
        """Return a job by its whole id; None where there is none, or its person took it out."""
        return await self._database.run(lambda db: rows.one(db, _KNOWN, job_id))

    async def record(self, job_id: str) -> Record | None:
        """Return a job with its money."""

        def transaction(db: sqlite3.Connection) -> Record | None:
            job = rows.one(db, _KNOWN, job_id)
            if job is None:
                return None
            spent, held = db.execute(
                "SELECT coalesce(sum(spent_micro), 0), coalesce(sum(held_micro), 0)"
                " FROM entries WHERE job_id = ?",
                (job_id,),
            ).fetchone()
            clips = db.execute("SELECT count(*) FROM clips WHERE job_id = ?", (job_id,)).fetchone()
            return Record(job, spent, held, clips[0])

        return await self._database.run(transaction)

    async def page(self, guild_id: int, member_id: int, number: int) -> Page:
        """Return a page of a member's jobs in a server; the last one where there are fewer."""
        who = (guild_id, member_id)

        def transaction(db: sqlite3.Connection) -> Page:
            kept = list(rows.find(db, f"{_KEPT} ORDER BY created_at", *who))
            every = db.execute(f"SELECT count(*) FROM jobs WHERE {_MINE}", who).fetchone()[0]
            pages = max(1, -(-every // PAGE))
            page = max(0, min(number, pages - 1))
            found = kept[page * PAGE : (page + 1) * PAGE]
            skipped = max(0, page * PAGE - len(kept))
            newest = f"{_NOT_KEPT} ORDER BY created_at DESC LIMIT ? OFFSET ?"
            found += rows.find(db, newest, *who, PAGE - len(found), skipped)
            return Page(tuple(found), page, pages)

        return await self._database.run(transaction)

    async def waiting(self, guild_id: int, member_id: int | None = None) -> tuple[Waiting, ...]:
        """Return what is in the making in a server, or of one member there, the oldest first."""

        def transaction(db: sqlite3.Connection) -> tuple[Waiting, ...]:
            found: list[Job] = []
            for state in (_RUNNING, "state = 'rendered'"):
                where = f"guild_id = ? AND member_id = coalesce(?, member_id) AND {state}"
                some = f"{where} ORDER BY created_at LIMIT {_MOST_OPEN}"
                found += rows.find(db, some, guild_id, member_id)
            found.sort(key=lambda job: job.created_at)
            return tuple(
                Waiting(job, ahead.count(db, job) if job.state == "queued" else None)
                for job in found[:_MOST_OPEN]
            )

        return await self._database.run(transaction)

    async def shown(self, guild_id: int, member_id: int, typed: str) -> Sequence[Job]:
        """Return a member's newest clips that can be shown; those whose id begins as typed."""
        return await self._like(
            f"{_MINE} AND state IN ('rendered', 'delivered') AND deleted_at IS NULL",
            (guild_id, member_id),
            typed,
        )

    async def queued(self, guild_id: int, member_id: int | None, typed: str) -> Sequence[Job]:
        """Return what can be taken back in a server, or of one member there."""
        return await self._like(
            "guild_id = ? AND member_id = coalesce(?, member_id) AND state = 'queued'",
            (guild_id, member_id),
            typed,
        )

    async def _like(self, where: str, values: tuple[object, ...], typed: str) -> Sequence[Job]:
        start = typed.strip().lower()
        like = (*values, start, len(start), start)
        wanted = f"{where} AND {_LIKE} ORDER BY created_at DESC LIMIT {_MOST_OFFERED}"
        return await self._database.run(lambda db: list(rows.find(db, wanted, *like)))

    async def meant(self, guild_id: int, member_id: int, typed: str) -> str | None:
        """Return the id of the job that a member has typed: all of it, or what people see of it.

        Looked for among their own, and what waits in line: nobody means another one.
        """
        start = typed.strip().lower()
        ways = (
            (f"{_KNOWN} AND guild_id = ?", (start, guild_id)),
            (f"{_MINE} AND {rows.SHORT} = ?", (guild_id, member_id, start)),
            (f"guild_id = ? AND {_RUNNING} AND {rows.SHORT} = ?", (guild_id, start)),
        )

        def transaction(db: sqlite3.Connection) -> str | None:
            for where, values in ways:
                found = db.execute(f"SELECT id FROM jobs WHERE {where} LIMIT 2", values).fetchall()
                if len(found) == 1:
                    return str(found[0]["id"])
            return None

        return await self._database.run(transaction)

    async def delete(self, job: Job, now: int) -> bool:
        """Note that the clips of a delivered job are deleted; tell whether they were not before."""

        def transaction(db: sqlite3.Connection) -> bool:
            return bool(
                db.execute(
                    "UPDATE jobs SET deleted_at = ?"
                    " WHERE id = ? AND state = 'delivered' AND deleted_at IS NULL",
                    (now, job.id),
                ).rowcount
            )

        return await self._database.run(transaction)

    async def note_post(self, job_id: str, post: Posted) -> None:
        """Keep where clips of a job are too, besides the message that its row names."""

        def transaction(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT OR IGNORE INTO posts (job_id, channel_id, message_id) VALUES (?, ?, ?)",
                (job_id, post.channel_id, post.message_id),
            )

        await self._database.run(transaction)

    async def posts(self, job: Job) -> tuple[Posted, ...]:
        """Return every message that is known to carry clips of a job, the first one first."""

        def transaction(db: sqlite3.Connection) -> tuple[Posted, ...]:
            first = [Posted(job.message_channel_id or job.channel_id, job.message_id or 0)]
            found = db.execute(
                "SELECT channel_id, message_id FROM posts WHERE job_id = ? ORDER BY message_id",
                (job.id,),
            )
            # The first one may be noted as well.
            every = (*(first if job.message_id else ()), *(Posted(*row) for row in found))
            return tuple(dict.fromkeys(every))

        return await self._database.run(transaction)


_LIKE = f"(id = ? OR substr({rows.SHORT}, 1, ?) = ?)"
# A job whose person had it forgotten has no channel any more: `privacy.py`.
_KNOWN = "id = ? AND channel_id <> 0"
_MINE = f"guild_id = ? AND member_id = ? AND channel_id <> 0 AND source NOT GLOB '{FORGOTTEN}*'"
_KEPT = f"{_MINE} AND state = 'rendered'"
_NOT_KEPT = f"{_MINE} AND state <> 'rendered'"
