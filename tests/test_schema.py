"""What the database file itself refuses, whoever writes to it and by whatever way."""

import sqlite3

import pytest

from bot.accounts import Accounts
from bot.database import Database
from bot.errors import StoreError
from bot.ledger import release, spend
from bot.lifecycle import Clip, Event, Failure, Job, advance
from bot.store import Store
from tests.conftest import NOON, UNLIMITED, JobFactory

QUOTE = 184_800
DAY = "'2026-11-07'"
ANOTHER_DAY = "'2026-11-08'"


@pytest.fixture
async def job(store: Store, job_factory: JobFactory) -> Job:
    """A rendering job with an open hold."""
    one = (await store.accept(job_factory(quote_micro=QUOTE), UNLIMITED)).job
    for event in (Event.SUBMIT, Event.ACCEPTED):
        one = await store.move(one, advance(one, event, NOON + 1))
    return one


async def refusal_of(database: Database, job: Job, *statements: str) -> str:
    """Return the reason for which the last of `statements` is refused, and no other."""
    done = []

    def transaction(db: sqlite3.Connection) -> None:
        for statement in statements:
            db.execute(statement, {"id": job.id})
            done.append(statement)

    with pytest.raises(StoreError) as error:
        await database.run(transaction)
    assert len(done) == len(statements) - 1
    return str(error.value)


def insert(table: str, **fields: object) -> str:
    return (
        f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({', '.join(map(str, fields.values()))})"
    )


def entry(kind: str, held: object = 0, spent: object = 0, **changes: object) -> str:
    """Write an INSERT of an entry of the job `:id`."""
    fields = {
        "kind": f"'{kind}'",
        "job_id": ":id",
        "member_id": 3000,
        "guild_id": 1000,
        "day": DAY,
        "utc_day": DAY,
        "held_micro": held,
        "spent_micro": spent,
        "excused_micro": 0,
        "credit_micro": 0,
        "at": 0,
        "note": "'because'",
    }
    return insert("entries", **(fields | changes))


def grant(micro: object = 100, **changes: object) -> str:
    """Write an INSERT of a grant; entry 1 is the hold, so this becomes entry 2."""
    return entry("grant", **({"job_id": "NULL", "credit_micro": micro} | changes))


def reset(micro: object = 100, **changes: object) -> str:
    """Write an INSERT of what an admin excuses."""
    return entry("adjustment", **({"job_id": "NULL", "excused_micro": micro} | changes))


REVOKED = insert("revoked", grant_id=2, at=0)


def draw(micro: object, grant_id: object = 2) -> str:
    return insert("draws", job_id=":id", grant_id=grant_id, micro=micro)


def rule(target: str, target_id: object, measure: str = "'day'", value: object = 5) -> str:
    return insert(
        "rules", guild_id=1000, target=target, target_id=target_id, measure=measure, value=value
    )


def state(name: str, **also: object) -> str:
    changes = {"state": f"'{name}'"} | also
    return f"UPDATE jobs SET {', '.join(f'{k} = {v}' for k, v in changes.items())} WHERE id = :id"


def replacing(statement: str) -> str:
    return statement.replace("INSERT", "INSERT OR REPLACE", 1)


BORN_FAILED = """INSERT INTO jobs (id, source, task_uuid, guild_id, channel_id, member_id, "order",
    quote_micro, state, due_at, attempts, failure, created_at, updated_at)
    SELECT 'x', 'x', 'x', guild_id, channel_id, member_id, "order", 1, 'failed', 0, 0, 'lost', 0, 0
    FROM jobs WHERE id = :id"""
SPEND = entry("spend", -QUOTE, 100)
RELEASE = entry("release", -QUOTE)
FOUND = entry("adjustment", spent=100)
NOTED = insert(
    "audit",
    guild_id=1000,
    actor_id=1,
    action="'rule'",
    target="'server'",
    before="''",
    after="''",
    at=0,
    reason="''",
)

JOBS = {
    "a deleted job": (["DELETE FROM jobs WHERE id = :id"], "FOREIGN KEY"),
    "a job that begins at its end": ([BORN_FAILED], "a new job is queued"),
    "rendered with an open hold": ([state("rendered")], "still open"),
    "lost with an open hold": ([state("lost")], "still open"),
    "delivered with an open hold": ([state("delivered", message_id=1)], "still open"),
    "failed with an open hold": ([state("failed", failure="'lost'")], "still open"),
    "rendered without a booked cost": ([RELEASE, state("rendered")], "did cost is not booked"),
    "delivered without a booked cost": (
        [RELEASE, state("lost"), state("delivered", message_id=1)],
        "did cost is not booked",
    ),
    "delivered without a message": ([SPEND, state("delivered")], "delivered_has_a_message"),
    "a message before delivery": ([state("rendering", message_id=1)], "delivered_has_a_message"),
    "failed without a reason": ([RELEASE, state("failed")], "failed_has_a_reason"),
    "a reason without failure": ([state("rendering", failure="'lost'")], "failed_has_a_reason"),
    "an unknown state": ([state("dreaming")], "CHECK"),
    "a job for nothing": ([state("rendering", quote_micro=0)], "CHECK"),
    "a fraction quoted": ([state("rendering", quote_micro=0.5)], "REAL"),
    "negative tries": ([state("rendering", attempts=-1)], "CHECK"),
    "an order that is no JSON": ([state("rendering", **{'"order"': "'{'"})], "CHECK"),
    "roles that are no JSON": ([state("rendering", role_ids="'['")], "CHECK"),
}
ENTRIES = {
    "a second hold": ([entry("hold", QUOTE)], "UNIQUE"),
    "a second spend": ([SPEND, SPEND], "UNIQUE"),
    "a release after a spend": ([SPEND, RELEASE], "UNIQUE"),
    "a spend after a release": ([RELEASE, SPEND], "UNIQUE"),
    "an edited amount": (["UPDATE entries SET held_micro = 1 WHERE job_id = :id"], "append-only"),
    "an edited note": (["UPDATE entries SET note = 'x' WHERE job_id = :id"], "append-only"),
    "a deleted entry": (["DELETE FROM entries WHERE job_id = :id"], "append-only"),
    "a replaced hold": ([replacing(entry("hold", 1))], "append-only"),
    "a replaced resolution": ([SPEND, replacing(SPEND)], "append-only"),
    "an edited grant": ([grant(), "UPDATE entries SET credit_micro = 200"], "append-only"),
    "a deleted adjustment": (
        [reset(), "DELETE FROM entries WHERE kind = 'adjustment'"],
        "append-only",
    ),
    "a fraction held": ([entry("spend", -QUOTE + 0.5)], "cannot store REAL"),
    "a fraction spent": ([entry("spend", -QUOTE, 0.5)], "cannot store REAL"),
    "a fraction excused": ([reset(0.5)], "cannot store REAL"),
    "a fraction granted": ([grant(0.5)], "cannot store REAL"),
    "an amount in words": ([entry("spend", -QUOTE, "'much'")], "cannot store TEXT"),
    "a negative cost": ([entry("spend", -QUOTE, -1)], "CHECK|exactly"),
    "a release that costs": ([entry("release", -QUOTE, 1)], "a_release_costs_nothing"),
    "a resolution of another amount": ([entry("spend", -QUOTE + 1)], "gives back exactly"),
    "a resolution that gives nothing back": ([entry("spend", 0, 1)], "exactly|gives_back"),
    "a resolution for another member": ([entry("spend", -QUOTE, member_id=1)], "exactly"),
    "a resolution for another server": ([entry("spend", -QUOTE, guild_id=1)], "exactly"),
    "a resolution on another day": ([entry("spend", -QUOTE, day=ANOTHER_DAY)], "exactly"),
    "a resolution on another day of the bot": (
        [entry("spend", -QUOTE, utc_day=ANOTHER_DAY)],
        "exactly",
    ),
    "a resolution that excuses": ([entry("spend", -QUOTE, 9, excused_micro=1)], "gives|exactly"),
    "a resolution that excuses less than nothing": (
        [entry("spend", -QUOTE, 9, excused_micro=-1)],
        "exactly",
    ),
    "an unknown kind": ([entry("gift", -QUOTE)], "CHECK"),
    "a day that is none": ([entry("spend", -QUOTE, day="'November'")], "exactly|CHECK"),
    "the 30th of February": ([grant(day="'2027-02-30'")], "CHECK"),
    "a day of the bot that is none": ([grant(utc_day="'2026-11-7'")], "CHECK"),
    "a hold for a job that is not there": (
        [entry("hold", 1, job_id="'nobody'")],
        "FOREIGN KEY",
    ),
    "a hold without a job": ([entry("hold", 1, job_id="NULL")], "a_hold_holds"),
    "a hold that excuses more than it holds": (
        [entry("hold", 1, excused_micro=2)],
        "a_hold_holds",
    ),
    "a resolution without a hold": ([entry("release", -QUOTE, job_id="'nobody'")], "exactly"),
    "a resolution without a job": ([entry("release", -QUOTE, job_id="NULL")], "exactly"),
    "a find of what is still held": ([FOUND], "only a released job"),
    "a find of what was paid": ([SPEND, FOUND], "only a released job"),
    "a second find": ([RELEASE, FOUND, FOUND], "UNIQUE"),
    "a find for another member": (
        [RELEASE, entry("adjustment", spent=1, member_id=1)],
        "only a released job",
    ),
    "a find on another day": (
        [RELEASE, entry("adjustment", spent=1, day=ANOTHER_DAY)],
        "own period",
    ),
    "a find on another day of the bot": (
        [RELEASE, entry("adjustment", spent=1, utc_day=ANOTHER_DAY)],
        "own period",
    ),
    "a find that excuses": (
        [RELEASE, entry("adjustment", spent=1, excused_micro=1)],
        "an_adjustment_holds_nothing",
    ),
    "a find without a reason": ([RELEASE, entry("adjustment", note="''")], "people_say_why"),
    "an adjustment that holds": ([reset(held_micro=1)], "an_adjustment_holds_nothing"),
    "an adjustment that spends": ([reset(spent_micro=1)], "an_adjustment_holds_nothing"),
    "an adjustment of nothing": ([reset(0)], "an_adjustment_holds_nothing"),
    "an adjustment that takes an excuse back": ([reset(-1)], "an_adjustment_holds_nothing"),
    "an adjustment without a reason": ([reset(note="''")], "people_say_why"),
    "a grant of nothing": ([grant(0)], "only_a_grant_grants"),
    "a grant of less than nothing": ([grant(-1)], "CHECK"),
    "a grant without a reason": ([grant(note="''")], "people_say_why"),
    "a grant that holds": ([grant(held_micro=1)], "a_grant_moves_no_money"),
    "a grant that spends": ([grant(spent_micro=1)], "a_grant_moves_no_money"),
    "a grant that excuses": ([grant(excused_micro=1)], "a_grant_moves_no_money"),
    "a grant for one job": ([grant(job_id=":id")], "a_grant_moves_no_money"),
    "a spend that grants": ([entry("spend", -QUOTE, credit_micro=1)], "only_a_grant_grants"),
}
DRAWS = {
    "an overdrawn grant": ([grant(100), draw(101)], "more would be drawn than was granted"),
    "a grant that is drawn on twice for one job": ([grant(), draw(1), draw(1)], "UNIQUE"),
    "more given back than was drawn": ([grant(), draw(60), draw(-61)], "given back than was drawn"),
    "something given back that was never drawn": ([grant(), draw(-1)], "given back than was drawn"),
    "something given back twice": ([grant(), draw(60), draw(-10), draw(-10)], "UNIQUE"),
    "a draw of nothing": ([grant(), draw(0)], "CHECK"),
    "a fraction drawn": ([grant(), draw(0.5)], "cannot store REAL"),
    "a draw on what is no grant": ([draw(1, grant_id=1)], "grants of its own member"),
    "a draw on what is not there": ([draw(1, grant_id=99)], "grants of its own member"),
    "a draw on another member's grant": ([grant(member_id=1), draw(1)], "of its own member"),
    "a draw on a grant of another server": ([grant(guild_id=1), draw(1)], "of its own member"),
    "a hold that is revoked": ([insert("revoked", grant_id=1, at=0)], "only a grant is revoked"),
    "a grant of nowhere that is revoked": ([insert("revoked", grant_id=9, at=0)], "only a grant"),
    "a grant that is revoked twice": ([grant(), REVOKED, REVOKED], "only once"),
    "a grant that is revoked anew": ([grant(), REVOKED, replacing(REVOKED)], "only once"),
    "a draw on a revoked grant": ([grant(), REVOKED, draw(1)], "this grant was revoked"),
    "a revocation that is edited": ([grant(), REVOKED, "UPDATE revoked SET at = 1"], "stays so"),
    "a revocation that is undone": ([grant(), REVOKED, "DELETE FROM revoked"], "stays so"),
    "an edited draw": ([grant(), draw(1), "UPDATE draws SET micro = 2"], "append-only"),
    "a deleted draw": ([grant(), draw(1), "DELETE FROM draws"], "append-only"),
    "a replaced draw": ([grant(), draw(1), replacing(draw(2))], "append-only"),
}
ADMIN = {
    "a server's rule with a target": ([rule("'server'", 5)], "CHECK"),
    "a default with a target": ([rule("'default'", 5)], "CHECK"),
    "a role's rule without a role": ([rule("'role'", 0)], "CHECK"),
    "a member's rule without a member": ([rule("'member'", 0)], "CHECK"),
    "a rule for an unknown target": ([rule("'channel'", 5)], "CHECK"),
    "a rule for an unknown measure": ([rule("'role'", 5, "'year'")], "CHECK"),
    "a negative limit": ([rule("'role'", 5, value=-1)], "CHECK"),
    "a fraction as a limit": ([rule("'role'", 5, value=0.5)], "cannot store REAL"),
    "a second rule of a target and measure": ([rule("'role'", 5), rule("'role'", 5)], "UNIQUE"),
    "an edited audit row": ([NOTED, "UPDATE audit SET reason = 'x'"], "append-only"),
    "a deleted audit row": ([NOTED, "DELETE FROM audit"], "append-only"),
    "a replaced audit row": (
        [
            NOTED,
            replacing(NOTED).replace("(guild_id", "(id, guild_id").replace("(1000", "(1, 1000"),
        ],
        "append-only",
    ),
    "receipts neither on nor off": ([insert("servers", guild_id=1, receipts=2)], "CHECK"),
    "fewer clips in flight than none": (["UPDATE running SET jobs = -1"], "CHECK"),
    "a clip that took less than no time": (
        [insert("renders", clip_kind="'x'", took_ms=-1)],
        "CHECK",
    ),
    "a negative price": ([insert("prices", clip_kind="'x'", cost_micro=-1, at=0)], "CHECK"),
}
LINE = insert("log_lines", guild_id=1000, job_id=":id", line="'held'", at=0)
LOGS = {
    "a line of no clip": ([LINE.replace(":id", "'nobody'")], "FOREIGN KEY"),
    "a line that nobody knows": ([LINE.replace("held", "hold")], "CHECK"),
    "the same line twice": ([LINE, LINE], "UNIQUE"),
    "a second page of a server": ([insert("logs", guild_id=1, page_at=0)] * 2, "UNIQUE"),
    "a digest without an end": (
        [insert("logs", guild_id=1, page_at=0, first_day=DAY)],
        "a_digest_has_both_days",
    ),
}
REFUSED = JOBS | ENTRIES | DRAWS | ADMIN | LOGS


@pytest.mark.parametrize("what", REFUSED)
async def test_the_file_refuses(
    database: Database, store: Store, accounts: Accounts, job: Job, what: str
) -> None:
    statements, reason = REFUSED[what]
    before = await store.entries(job.id)
    told = await refusal_of(database, job, *statements)
    assert any(part in told for part in reason.split("|")), told
    assert await store.job(job.id) == job
    assert await store.entries(job.id) == before
    assert await accounts.discrepancies() == ()


async def test_the_statements_that_are_refused_are_taken_where_they_belong(
    database: Database, accounts: Accounts, job: Job
) -> None:
    taken = [grant(100), reset(100), RELEASE, FOUND, state("lost"), state("rendered"), NOTED]
    taken += [rule("'server'", 0), rule("'role'", 5, value="NULL"), rule("'member'", 5, value=0)]

    def transaction(db: sqlite3.Connection) -> None:
        for statement in taken:
            db.execute(statement, {"id": job.id})

    await database.run(transaction)
    assert await accounts.discrepancies() == ()


async def test_no_job_is_resolved_twice_through_the_store_either(store: Store, job: Job) -> None:
    done = advance(job, Event.FINISHED, NOON + 2)
    rendered = await store.move(job, done, resolution=spend(job, 1, NOON))
    posted = advance(rendered, Event.POSTED, NOON + 3, message_id=1)
    with pytest.raises(StoreError, match="UNIQUE"):
        await store.move(rendered, posted, resolution=release(job, NOON))
    assert await store.job(job.id) == rendered


@pytest.mark.parametrize(
    ("event", "failure"),
    [
        (Event.FINISHED, None),
        (Event.GIVE_UP, Failure.LOST),
        (Event.REFUSED, Failure.DECLINED),
    ],
)
async def test_no_job_leaves_rendering_with_its_hold_open(
    store: Store, job: Job, event: Event, failure: Failure | None
) -> None:
    with pytest.raises(StoreError, match="still open"):
        await store.move(job, advance(job, event, NOON + 2, failure=failure))
    assert await store.job(job.id) == job


async def test_two_jobs_never_share_a_task_uuid(
    store: Store, job: Job, job_factory: JobFactory
) -> None:
    twin = job_factory(task_uuid=job.task_uuid)
    with pytest.raises(StoreError, match="task_uuid"):
        await store.accept(twin, UNLIMITED)


async def test_a_clip_counts_once_per_job(store: Store, job: Job) -> None:
    clips = [
        Clip(job_id=job.id, ordinal=ordinal, video_uuid="same", url="u", seed=None, cost_micro=None)
        for ordinal in range(2)
    ]
    done = advance(job, Event.FINISHED, NOON + 2)
    with pytest.raises(StoreError, match="video_uuid"):
        await store.move(job, done, resolution=spend(job, 1, NOON), clips=clips)
