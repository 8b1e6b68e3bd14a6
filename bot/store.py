"""All SQL on jobs, clips and facts. Each public method is one durable transaction.

A change of a job is guarded by the state that it was read in: a slow writer cannot undo a fast one.
What a job's step does to the accounts is booked in the same transaction, by `books.py`.
Decides nothing: `lifecycle.py` says what a job becomes, `ledger.py` what may be held.
"""

import json
import sqlite3
from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from bot import (
    ahead,
    answers,
    books,
    due,
    facts,
    ledger,
    lines,
    made,
    pace,
    renders,
    rows,
    standing,
)
from bot.answers import Answer
from bot.database import Database
from bot.errors import StaleJob
from bot.ledger import Entry, Resolution
from bot.lifecycle import LOOKED_AT, UNSENT, Clip, Job, Order, State
from bot.lines import Line
from bot.made import Made
from bot.rows import COLUMNS
from bot.rules import Limits
from bot.wish import Door


@dataclass(frozen=True, slots=True)
class Admitted:
    """A job in the books, with what was known in that transaction."""

    job: Job
    is_new: bool
    """False where the same request had been accepted before."""
    ahead: int | None
    """How many jobs go before it in the line as it stands; None where too many wait."""


@dataclass(frozen=True, slots=True)
class Agenda:
    """What the worker should do: the jobs that are due, and when the next one will be."""

    jobs: tuple[Job, ...]
    next_at: int | None
    """Unix milliseconds; None where no other job is open."""


class Store:
    """The bot's memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._restored_at: int | None = None
        """Once it is known; that is done while no bot runs."""

    async def accept(self, job: Job, limits: Limits, answer: Answer | None = None) -> Admitted:
        """Book the job, its hold and its answer, or none. Raises what `ledger.draws_for` does.

        The hold is the quote, or what the service last charged for such clips if that was more.
        A job from the same source, or from a reaction to the same picture that is still open, is
        returned as it is, and nothing is booked.
        """

        def transaction(db: sqlite3.Connection) -> Admitted:
            known = _known(db, job)
            admitted = known or _admit(db, job, limits, answer)
            return Admitted(admitted, known is None, ahead.count(db, admitted))

        return await self._database.run(transaction)

    async def move(
        self,
        before: Job,
        after: Job,
        *,
        resolution: Resolution | None = None,
        clips: Iterable[Clip] = (),
        posts: Iterable[tuple[int, int]] = (),
    ) -> Job:
        """Make `before` into `after` and resolve its hold in one step. Raises `StaleJob`.

        `posts` are further messages with its clips, each as its channel and its id.
        """

        def transaction(db: sqlite3.Connection) -> Job:
            guard = (before.id, before.state, before.updated_at)
            found = db.execute(
                "SELECT 1 FROM jobs WHERE id = ? AND state = ? AND updated_at = ?", guard
            ).fetchone()
            if found is None:
                raise StaleJob(f"job {before.short_id} is no longer {before.state}")
            if resolution is not None:
                books.resolve(db, resolution)
            db.execute(
                "UPDATE jobs SET state = ?, due_at = ?, attempts = ?, sent_at = ?, failure = ?,"
                " message_id = ?, message_channel_id = ?, updated_at = ? WHERE id = ?",
                (
                    *(after.state, after.due_at, after.attempts, after.sent_at, after.failure),
                    *(after.message_id, after.message_channel_id, after.updated_at, before.id),
                ),
            )
            db.executemany(
                "INSERT OR IGNORE INTO posts (job_id, channel_id, message_id) VALUES (?, ?, ?)",
                [(before.id, *post) for post in posts],
            )
            finished = list(clips)
            db.executemany(
                "INSERT INTO clips (job_id, ordinal, video_uuid, url, seed, cost_micro, is_flagged)"
                " VALUES (:job_id, :ordinal, :video_uuid, :url, :seed, :cost_micro, :is_flagged)",
                [asdict(clip) for clip in finished],
            )
            costs = [clip.cost_micro for clip in finished if clip.cost_micro is not None]
            if costs:
                books.note_price(db, after.order.clip_kind, max(costs), after.updated_at)
            if (took_ms := pace.took(before, after)) is not None:
                renders.note(db, after.order.clip_kind, took_ms)
            lines.note_end(db, after)
            return after

        return await self._database.run(transaction)

    async def agenda(self, now: int, but_not: Container[str] = (), limit: int = 500) -> Agenda:
        """Return what is due, longest due first, and when to ask again; leaves out `but_not`."""

        def transaction(db: sqlite3.Connection) -> Agenda:
            jobs: list[Job] = []
            # Read row by row in the order of the index, no further than to the first to come.
            for row in db.execute(f"SELECT {COLUMNS} FROM jobs WHERE {due.OPEN} ORDER BY due_at"):
                if row["id"] in but_not:
                    continue
                if row["due_at"] > now:
                    return Agenda(tuple(jobs), row["due_at"])
                jobs.append(rows.job_of(row))
                if len(jobs) == limit:
                    return Agenda(tuple(jobs), now)
            return Agenda(tuple(jobs), None)

        return await self._database.run(transaction)

    async def postpone(self, jobs: Iterable[Job], due_at: dict[str, int]) -> None:
        """Set the next step of jobs that stay as they are.

        A job that was nudged since it was read stays due: what was learnt may be older than that.
        """
        await self._database.run(lambda db: due.postpone(db, jobs, due_at))

    async def nudge(self, task_uuid: str, now: int) -> State | None:
        """Have a job looked at now that renders or is lost, and return its state.

        In any other state nothing changes. None if there is no such task.
        """
        return await self._database.run(lambda db: due.nudge(db, task_uuid, now))

    async def tell(self, job: Job, line: Line) -> None:
        """Note for the log of a job's server what happened to its clips, once."""
        await self._database.run(lambda db: lines.note(db, job, line))

    async def recall(self, now: int) -> None:
        """Have looked at now what `due.recall` says; what is due for longer stays so."""
        await self._database.run(lambda db: due.recall(db, now))

    async def job(self, job_id: str) -> Job | None:
        """Return one job."""
        return await self._database.run(lambda db: rows.one(db, "id = ?", job_id))

    async def by_reaction(self, message_id: int, member_id: int) -> list[Job]:
        """Return the open jobs that a member's reaction to a message has asked for."""

        def transaction(db: sqlite3.Connection) -> list[Job]:
            where = f"picture_message_id = ? AND member_id = ? AND door = 'reaction' AND {due.OPEN}"
            return list(rows.find(db, where, message_id, member_id))

        return await self._database.run(transaction)

    async def ended(self, since: int, last: int, among: int = 1000) -> list[Job]:
        """Return the jobs that ended lately, among the newest `among`.

        Those that were lost or have failed since then, and those that were delivered in the `last`
        milliseconds before anything was last written.
        """

        def transaction(db: sqlite3.Connection) -> list[Job]:
            found = db.execute(
                f"WITH newest AS (SELECT * FROM jobs ORDER BY rowid DESC LIMIT ?)"
                f" SELECT {COLUMNS} FROM newest"
                " WHERE (state IN ('lost', 'failed') AND updated_at >= ?) OR (state = 'delivered'"
                " AND updated_at >= (SELECT max(updated_at) FROM newest) - ?)",
                (among, since, last),
            )
            return list(map(rows.job_of, found))

        return await self._database.run(transaction)

    async def waiting(self) -> int:
        """Return how many jobs wait to be taken by the service."""
        return len(await self.open_jobs(UNSENT))

    async def open_jobs(self, among: Iterable[State] = tuple(State)) -> frozenset[str]:
        """Return the ids of all jobs that are not final, or of those in some states."""

        def transaction(db: sqlite3.Connection) -> frozenset[str]:
            found = db.execute(
                f"SELECT id FROM jobs WHERE {due.OPEN}"
                " AND state IN (SELECT value FROM json_each(?))",
                (json.dumps(list(among)),),
            )
            return frozenset(row["id"] for row in found)

        return await self._database.run(transaction)

    async def made(self, job_id: str) -> Made:
        """Return all that a job's delivery has to know, as of one moment."""
        return await self._database.run(lambda db: made.of(db, job_id))

    async def clips(self, job_id: str) -> list[Clip]:
        """Return the finished clips of a job in their order."""
        return await self._database.run(lambda db: list(made.clips(db, job_id)))

    async def entries(self, job_id: str) -> list[Entry]:
        """Return what was booked for a job, oldest first."""

        def transaction(db: sqlite3.Connection) -> list[Entry]:
            return list(books.entries_of(db, "job_id = ?", job_id))

        return await self._database.run(transaction)

    async def fact_or(self, name: str, value: str) -> str:
        """Return the fact kept under `name`, which is `value` from now on if there was none."""
        return await self._database.run(lambda db: facts.get_or(db, name, value))

    async def touch(self) -> None:
        """Ask the database for a word, and have it write one where it is in trouble.

        Raises `StoreError` where it cannot.
        """
        if self._database.is_in_trouble:
            await self._database.run(lambda db: facts.put(db, "in trouble", ""))
        else:
            await self._database.run(lambda db: facts.get(db, ""))

    async def restored_at(self) -> int:
        """Return when a backup was put in the place of this database, 0 if it never was."""
        if self._restored_at is None:
            self._restored_at = await self._database.run(facts.restored_at)
        return self._restored_at

    async def to_ask_about(self) -> frozenset[str]:
        """Return the jobs of a restored copy whose next word is the service's.

        None where no copy was restored, or once `note_reconciled` was called since.
        """
        if await self._database.run(facts.is_reconciled):
            return frozenset()
        return await self.open_jobs((State.SUBMITTING, *LOOKED_AT))

    async def note_reconciled(self) -> None:
        """Keep that the service was asked about all that a restored copy has open."""
        await self._database.run(facts.note_reconciled)

    async def prices(self, quoted: Sequence[tuple[Order, int]], now: int) -> list[int]:
        """Return what `accept` would hold for each of these orders, with what it should cost."""
        return await self._database.run(
            lambda db: [books.price(db, order, micro, now) for order, micro in quoted]
        )

    async def renders(self) -> list[tuple[str, int]]:
        """Return the kinds of the last clips and the milliseconds that each took, oldest first."""
        return await self._database.run(lambda db: list(renders.of_all_kinds(db)))

    async def refresh_clips(self, clips: Iterable[Clip]) -> None:
        """Keep the newer addresses of clips; nothing else about a clip ever changes."""

        def transaction(db: sqlite3.Connection) -> None:
            db.executemany(
                "UPDATE clips SET url = ? WHERE job_id = ? AND ordinal = ?",
                [(clip.url, clip.job_id, clip.ordinal) for clip in clips],
            )

        await self._database.run(transaction)


def _known(db: sqlite3.Connection, job: Job) -> Job | None:
    """Return the job that this one would be a second of."""
    if db.execute("SELECT 1 FROM jobs WHERE source = ?", (job.source,)).fetchone() is not None:
        return rows.one(db, "source = ?", job.source)
    if job.door is Door.REACTION and job.picture is not None:
        return rows.one(
            db,
            "picture_message_id = ? AND picture_key = ? AND member_id = ?"
            f" AND door = 'reaction' AND {due.OPEN}",
            *(job.picture.message_id, job.picture.key, job.member_id),
        )
    return None


def _admit(db: sqlite3.Connection, job: Job, limits: Limits, answer: Answer | None) -> Job:
    price = books.price(db, job.order, job.quote_micro, job.created_at)
    if price > job.quote_micro:
        job = replace(job, quote_micro=price)
    view = standing.statement(
        db,
        limits,
        guild_id=job.guild_id,
        member_id=job.member_id,
        role_ids=job.role_ids,
        now=job.created_at,
        is_whole=False,
    )
    draws = ledger.draws_for(view, job.quote_micro)
    rows.insert(db, job)
    if answer is not None:
        answers.keep(db, job.id, answer)
    entry = ledger.hold(job, view.zone, draws)
    books.book_hold(db, entry, draws)
    standing.note_hold(db, entry)
    return job
