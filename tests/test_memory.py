"""What accepts that are committed together know of each other, never out of step."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import memory
from bot.accounts import Accounts
from bot.admin import Admin, Change
from bot.database import Database
from bot.errors import AnimateError
from bot.ledger import release
from bot.lifecycle import Event, Failure, Job, advance
from bot.memory import Remembering
from bot.rules import Limits, Measure, Rule, Target, Values
from bot.store import Admitted, Store
from tests.conftest import NOON, UNLIMITED, JobFactory, make_job, monthly

QUOTE = 184_800
HERE = Change(guild_id=1000, actor_id=9, at=NOON, reason="the party")


@pytest.fixture
def db() -> Remembering:
    made = sqlite3.connect(":memory:", isolation_level=None, factory=Remembering)
    made.execute("CREATE TABLE words (word TEXT UNIQUE)")
    return made


# --- The memory itself ---------------------------------------------------------------------------


def test_what_was_read_is_known_until_somebody_writes(db: Remembering) -> None:
    memory.known(db)["words"] = 0
    assert memory.known(db) == {"words": 0}
    db.execute("INSERT INTO words VALUES ('one')")
    assert memory.known(db) == {}


def test_who_writes_may_bring_it_in_step(db: Remembering) -> None:
    memory.known(db)["words"] = 0
    db.execute("INSERT INTO words VALUES ('one')")
    memory.kept(db)["words"] += 1
    assert memory.known(db) == {"words": 1}


def test_what_was_taken_back_is_not_known_either(db: Remembering) -> None:
    db.execute("BEGIN")
    memory.known(db)["words"] = 0
    db.execute("INSERT INTO words VALUES ('one')")
    db.execute("ROLLBACK")
    assert memory.known(db) == {}


def test_a_connection_without_a_memory_knows_nothing() -> None:
    db = sqlite3.connect(":memory:")
    memory.known(db)["words"] = 0
    memory.forget(db)
    assert memory.known(db) == memory.kept(db) == {}


# --- In a group ----------------------------------------------------------------------------------


async def test_what_a_group_knew_the_next_one_reads_again(database: Database) -> None:
    def learn(db: sqlite3.Connection) -> None:
        memory.known(db)["words"] = 0

    await database.run(learn)
    assert await database.run(memory.known) == {}


async def test_one_that_fails_leaves_nothing_known_to_those_after_it(database: Database) -> None:
    def wrong(db: sqlite3.Connection) -> None:
        memory.known(db)
        db.execute("INSERT INTO facts VALUES ('half', 'done')")
        memory.kept(db)["words"] = 1
        raise LookupError

    found = await asyncio.gather(
        database.run(wrong), database.run(lambda db: dict(memory.known(db))), return_exceptions=True
    )
    assert found[1] == {}


async def test_accepts_of_one_server_read_what_it_has_used_once(
    database: Database, store: Store, job_factory: JobFactory
) -> None:
    asked: list[str] = []
    await database.run(lambda db: db.set_trace_callback(asked.append))
    jobs = [job_factory(member_id=number) for number in range(1, 11)]
    limits = monthly(server=100 * QUOTE)
    await asyncio.gather(*(store.accept(job, limits) for job in jobs))
    await database.run(lambda db: db.set_trace_callback(None))
    assert sum("FROM totals" in one for one in asked if one.startswith("SELECT")) == 1


@pytest.mark.parametrize("account", ["server", "bot"])
@pytest.mark.parametrize("limit", [{Measure.MONTH: 7 * QUOTE}, {Measure.CLIPS: 7}])
async def test_fifty_at_once_of_as_many_members_at_a_limit_of_seven_are_seven(
    store: Store, accounts: Accounts, job_factory: JobFactory, account: str, limit: Values
) -> None:
    limits = Limits(**{account: limit})
    jobs = [job_factory(member_id=number) for number in range(1, 51)]
    found = await asyncio.gather(
        *(store.accept(job, limits) for job in jobs), return_exceptions=True
    )
    assert [isinstance(one, Admitted) for one in found] == [True] * 7 + [False] * 43
    assert await accounts.discrepancies() == ()


async def test_a_rule_that_is_set_between_two_accepts_holds_for_the_second(
    database: Database, store: Store, job_factory: JobFactory
) -> None:
    nothing = Rule(target=Target.SERVER, measure=Measure.MONTH, value=0)
    found = await asyncio.gather(
        store.accept(job_factory(), monthly(server=100 * QUOTE)),
        Admin(database).set_rule(HERE, nothing),
        store.accept(job_factory(), monthly(server=100 * QUOTE)),
        return_exceptions=True,
    )
    assert [isinstance(one, AnimateError) for one in found] == [False, False, True]


# --- Together as one by one ----------------------------------------------------------------------

Act = Callable[[Database], Awaitable[object]]


async def accept(database: Database, job: Job, limits: Limits) -> object:
    try:
        return (await Store(database).accept(job, limits)).ahead
    except AnimateError as error:
        return f"{type(error).__name__} {error}"


async def give_up(database: Database, job: Job) -> object:
    gone = advance(job, Event.GIVE_UP, NOON, failure=Failure.LOST)
    try:
        await Store(database).move(job, gone, resolution=release(job, NOON))
    except AnimateError as error:
        return type(error).__name__
    return ""


async def rule(database: Database, target: Target, measure: Measure, clips: int) -> object:
    value = clips if measure is Measure.CLIPS else clips * QUOTE
    about = 0 if target in (Target.SERVER, Target.DEFAULT) else 1
    made = Rule(target=target, target_id=about, measure=measure, value=value)
    return await Admin(database).set_rule(HERE, made)


async def grant(database: Database, member: int) -> object:
    await Admin(database).grant(HERE, member, QUOTE, None)
    return ""


ACCEPT = st.tuples(
    st.just("accept"), st.integers(1, 3), st.sampled_from([1000, 1001]), st.integers(0, 2)
)
ACTS = st.one_of(
    *[ACCEPT] * 8,  # most follow upon each other, or nothing would be known
    st.tuples(st.just("give up"), st.integers(0, 20)),
    st.tuples(
        st.just("rule"),
        st.sampled_from(Target),
        st.sampled_from([Measure.DAY, Measure.MONTH, Measure.CLIPS]),
        st.integers(0, 6),
    ),
    st.tuples(st.just("grant"), st.integers(1, 3)),
)
LIMITS = Limits(
    member={Measure.DAY: 3 * QUOTE},
    server={Measure.DAY: 3 * QUOTE, Measure.CLIPS: 4},
    bot={Measure.WEEK: 6 * QUOTE, Measure.CLIPS: 5},
)
A_DAY = 86_400_000


def acts_of(plan: list[tuple[object, ...]]) -> list[Act]:
    acts: list[Act] = []
    jobs: list[Job] = []
    for number, (what, *about) in enumerate(plan):
        match what, about:
            case "accept", [int(member), int(guild), int(days)]:
                at = NOON + number + days * A_DAY
                job = make_job(member_id=member, guild_id=guild, role_ids=(1,), created_at=at)
                jobs.append(job)
                acts.append(partial(accept, job=job, limits=LIMITS))
            case "give up", [int(place)] if jobs:
                acts.append(partial(give_up, job=jobs[place % len(jobs)]))
            case "rule", [Target() as target, Measure() as measure, int(clips)]:
                acts.append(partial(rule, target=target, measure=measure, clips=clips))
            case "grant", [int(member)]:
                acts.append(partial(grant, member=member))
    return acts


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(plan=st.lists(ACTS, min_size=4, max_size=30))
async def test_what_is_done_together_ends_as_if_done_one_by_one(
    plan: list[tuple[object, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    acts = acts_of(plan)
    folder: Path = tmp_path_factory.mktemp("accounts")
    async with Database(folder / "together") as together, Database(folder / "apart") as apart:
        in_turn = [await act(apart) for act in acts]
        at_once = await asyncio.gather(*(act(together) for act in acts))
        assert at_once == in_turn
        assert await Accounts(together, UNLIMITED).discrepancies() == ()
