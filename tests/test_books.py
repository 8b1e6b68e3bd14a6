"""The books under any order of events: what Hypothesis can think of, restarts and lies included."""

import asyncio
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.database import Database
from bot.errors import LimitReached, StaleJob, StoreError
from bot.ledger import Balance, Limits, Standing, hold, month_of, release, spend
from bot.lifecycle import FINAL, TRANSITIONS, Event, Failure, Job, State, advance, again
from bot.store import Store
from tests.conftest import NOON, make_job

T = TypeVar("T")

MONTH = 30 * 24 * 3600 * 1000
BOUND = st.none() | st.integers(0, 300)
PICK = st.randoms(use_true_random=False)


class Books(RuleBasedStateMachine):
    """A store beside a model of it that is too simple to be wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.jobs: dict[str, Job] = {}
        self.old: list[Job] = []
        self.held: dict[str, int] = {}
        self.spent: dict[str, int] = defaultdict(int)
        self.limits = Limits(member_micro=None, server_micro=None, bot_micro=None)
        self.now = NOON
        self.open()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def open(self) -> None:
        self.database = self.do(Database(self.folder).__aenter__())
        self.store = Store(self.database)

    # --- The model -------------------------------------------------------------------------------

    def expected(self, job: Job) -> Standing:
        def balance(*names: str) -> Balance:
            same = [
                one
                for one in self.jobs.values()
                if month_of(one.created_at) == month_of(job.created_at)
                and all(getattr(one, name) == getattr(job, name) for name in names)
            ]
            return Balance(
                sum(self.spent[one.id] for one in same), sum(self.held[one.id] for one in same)
            )

        return Standing(
            member=balance("guild_id", "member_id"), server=balance("guild_id"), bot=balance()
        )

    def fits(self, job: Job) -> bool:
        standing = self.expected(job)
        return all(
            limit is None or balance.used_micro + job.quote_micro <= limit
            for balance, limit in (
                (standing.member, self.limits.member_micro),
                (standing.server, self.limits.server_micro),
                (standing.bot, self.limits.bot_micro),
            )
        )

    def tick(self) -> int:
        self.now += 1
        return self.now

    # --- What can happen -------------------------------------------------------------------------

    @initialize(member=BOUND, server=BOUND, bot=BOUND)
    def choose_limits(self, member: int | None, server: int | None, bot: int | None) -> None:
        self.limits = Limits(member_micro=member, server_micro=server, bot_micro=bot)

    @rule(member=st.integers(1, 2), guild=st.integers(1, 2), quote=st.integers(1, 120))
    def accept(self, member: int, guild: int, quote: int) -> None:
        job = make_job(member_id=member, guild_id=guild, quote_micro=quote, created_at=self.tick())
        fits = self.fits(job)
        try:
            admitted = self.do(self.store.accept(job, hold(job), self.limits))
        except LimitReached:
            assert not fits
            return
        assert fits
        self.jobs[job.id] = job
        self.held[job.id] = quote
        assert admitted.standing == self.expected(job)

    @rule(chance=PICK, count=st.integers(2, 6))
    def accept_many_at_once(self, chance: Any, count: int) -> None:
        now = self.tick()
        jobs = [
            make_job(member_id=1, guild_id=1, quote_micro=chance.randint(1, 120), created_at=now)
            for _ in range(count)
        ]

        async def together() -> list[object]:
            tasks = (self.store.accept(job, hold(job), self.limits) for job in jobs)
            return list(await asyncio.gather(*tasks, return_exceptions=True))

        for job, outcome in zip(jobs, self.do(together()), strict=True):
            assert isinstance(outcome, LimitReached) is not self.fits(job)
            if not isinstance(outcome, LimitReached):
                self.jobs[job.id] = job
                self.held[job.id] = job.quote_micro

    @precondition(lambda self: self.jobs)
    @rule(chance=PICK)
    def ask_again(self, chance: Any) -> None:
        known = chance.choice(list(self.jobs.values()))
        twin = make_job(source=known.source, quote_micro=1, created_at=self.tick())
        admitted = self.do(self.store.accept(twin, hold(twin), self.limits))
        assert (admitted.job, admitted.is_new) == (known, False)

    @precondition(lambda self: any(job.state not in FINAL for job in self.jobs.values()))
    @rule(chance=PICK, cost=st.integers(0, 200))
    def move(self, chance: Any, cost: int) -> None:
        unfinished = [job for job in self.jobs.values() if job.state not in FINAL]
        job = chance.choice(unfinished)
        self.advance(job, chance.choice(list(TRANSITIONS[job.state])), cost)

    def advance(self, job: Job, event: Event, cost: int) -> None:
        after = TRANSITIONS[job.state][event]
        now = self.tick()
        entry = None
        if after is State.RENDERED:
            entry = spend(job, cost, now)
        elif after is State.FAILED:
            entry = release(job, now)
        moved = advance(
            job,
            event,
            now,
            failure=Failure.REFUSED if after is State.FAILED else None,
            message_id=1 if after is State.DELIVERED else None,
        )
        assert self.do(self.store.move(job, moved, entry=entry)) == moved
        self.old.append(job)
        self.jobs[job.id] = moved
        if entry is not None:
            self.held[job.id] = 0
            self.spent[job.id] = entry.spent_micro

    @precondition(lambda self: any(job.state not in FINAL for job in self.jobs.values()))
    @rule(chance=PICK)
    def try_again(self, chance: Any) -> None:
        job = chance.choice([one for one in self.jobs.values() if one.state not in FINAL])
        now = self.tick()
        tried = self.do(self.store.move(job, again(job, now, now + 5)))
        self.old.append(job)
        self.jobs[job.id] = tried

    @precondition(lambda self: self.old)
    @rule(chance=PICK)
    def move_from_the_past(self, chance: Any) -> None:
        job = chance.choice(self.old)
        now = self.tick()
        with pytest.raises(StaleJob):
            self.do(self.store.move(job, again(job, now, now), entry=spend(job, 1, now)))

    @precondition(lambda self: self.jobs)
    @rule(chance=PICK, is_resolution=st.booleans())
    def book_twice(self, chance: Any, is_resolution: bool) -> None:
        job = chance.choice(list(self.jobs.values()))
        if is_resolution and self.held[job.id]:
            return
        entry = release(job, self.tick()) if is_resolution else hold(job)
        with pytest.raises(StoreError):
            self.do(self.store.move(job, again(job, self.tick(), 0), entry=entry))

    @rule()
    def a_month_goes_by(self) -> None:
        self.now += MONTH

    @rule()
    def restart(self) -> None:
        self.do(self.database.__aexit__())
        self.open()

    # --- What must be true -----------------------------------------------------------------------

    @invariant()
    def the_books_say_what_happened(self) -> None:
        for job in list(self.jobs.values())[-3:]:
            assert self.do(self.store.standing(job)) == self.expected(job)
            assert self.do(self.store.job(job.id)) == job

    def teardown(self) -> None:
        try:
            for job_id in self.jobs:
                while (job := self.jobs[job_id]).state not in FINAL:
                    self.advance(job, next(iter(TRANSITIONS[job.state])), 1)
            assert self.do(self.database.run(held_by_nobody))
            for job in self.jobs.values():
                assert self.do(self.store.standing(job)) == self.expected(job)
            assert self.do(self.store.agenda(self.now + MONTH)).jobs == ()
        finally:
            self.do(self.database.__aexit__())
            self.runner.close()
            shutil.rmtree(self.folder)


def held_by_nobody(db: sqlite3.Connection) -> bool:
    rows = db.execute("SELECT job_id FROM entries GROUP BY job_id HAVING sum(held_micro) <> 0")
    return not rows.fetchall()


TestBooks = Books.TestCase
TestBooks.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
