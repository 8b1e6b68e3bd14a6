"""What the database file itself refuses, whoever writes to it and by whatever way."""

import sqlite3

import pytest

from bot.database import Database
from bot.errors import StoreError
from bot.ledger import Limits, hold, release, spend
from bot.lifecycle import Clip, Event, Failure, Job, advance, again
from bot.store import Store
from tests.conftest import NOON, JobFactory

UNLIMITED = Limits(member_micro=None, server_micro=None, bot_micro=None)
QUOTE = 184_800

ENTRY = (
    "INSERT INTO entries"
    " (job_id, kind, member_id, guild_id, month, held_micro, spent_micro, at, note)"
)


@pytest.fixture
async def job(store: Store, job_factory: JobFactory) -> Job:
    """A rendering job with an open hold."""
    one = job_factory(quote_micro=QUOTE)
    await store.accept(one, hold(one), UNLIMITED)
    for event in (Event.SUBMIT, Event.ACCEPTED):
        one = await store.move(one, advance(one, event, NOON + 1))
    return one


async def refusal_of(database: Database, job: Job, *statements: str) -> str:
    """Return the reason for which the last of `statements` is refused."""

    def transaction(db: sqlite3.Connection) -> None:
        for statement in statements:
            db.execute(statement, {"id": job.id})

    with pytest.raises(StoreError) as error:
        await database.run(transaction)
    return str(error.value)


def entry(kind: str, held: object, spent: object, **changes: object) -> str:
    """Write an INSERT of an entry for the job `:id`."""
    fields = {"member": 3000, "guild": 1000, "month": "'2026-11'"} | changes
    values = f"{fields['member']}, {fields['guild']}, {fields['month']}, {held}, {spent}, 0, ''"
    return f"{ENTRY} VALUES (:id, '{kind}', {values})"


BORN_FAILED = """INSERT INTO jobs SELECT 'x', 'x', 'x', guild_id, channel_id, member_id, NULL,
    "order", 1, 'failed', 0, 0, 'lost', NULL, 0, 0 FROM jobs WHERE id = :id"""
SPEND = entry("spend", -QUOTE, 100)
RELEASE = entry("release", -QUOTE, 0)
REFUSED = {
    "a second hold": ([entry("hold", QUOTE, 0)], "UNIQUE"),
    "a second spend": ([SPEND, SPEND], "UNIQUE"),
    "a release after a spend": ([SPEND, RELEASE], "UNIQUE"),
    "a spend after a release": ([RELEASE, SPEND], "UNIQUE"),
    "an edited amount": (["UPDATE entries SET held_micro = 1 WHERE job_id = :id"], "append-only"),
    "an edited note": (["UPDATE entries SET note = 'x' WHERE job_id = :id"], "append-only"),
    "a deleted entry": (["DELETE FROM entries WHERE job_id = :id"], "append-only"),
    "a replaced hold": (
        [entry("hold", 1, 0).replace("INSERT", "INSERT OR REPLACE")],
        "append-only",
    ),
    "a replaced resolution": (
        [SPEND, SPEND.replace("INSERT", "INSERT OR REPLACE")],
        "append-only",
    ),
    "a deleted job": (["DELETE FROM jobs WHERE id = :id"], "FOREIGN KEY"),
    "a fraction held": ([entry("spend", -QUOTE + 0.5, 0)], "cannot store REAL"),
    "a fraction spent": ([entry("spend", -QUOTE, 0.5)], "cannot store REAL"),
    "an amount in words": ([entry("spend", -QUOTE, "'much'")], "cannot store TEXT"),
    "a negative cost": ([entry("spend", -QUOTE, -1)], "CHECK"),
    "a release that costs": ([entry("release", -QUOTE, 1)], "a_release_costs_nothing"),
    "a resolution of another amount": ([entry("spend", -QUOTE + 1, 0)], "gives back exactly"),
    "a resolution that gives nothing back": ([entry("spend", 0, 1)], "exactly|gives_back"),
    "a resolution for another member": ([entry("spend", -QUOTE, 0, member=1)], "exactly"),
    "a resolution for another server": ([entry("spend", -QUOTE, 0, guild=1)], "exactly"),
    "a resolution in another month": ([entry("spend", -QUOTE, 0, month="'2026-12'")], "exactly"),
    "an unknown kind": ([entry("gift", -QUOTE, 0)], "CHECK"),
    "a month that is none": ([entry("hold", 1, 0, month="'November'")], "CHECK"),
    "an entry without a job": ([entry("hold", 1, 0).replace(":id", "'nobody'")], "FOREIGN KEY"),
    "a resolution without a hold": (
        [entry("release", -QUOTE, 0).replace(":id", "'nobody'")],
        "exactly",
    ),
    "a job that begins at its end": ([BORN_FAILED], "a new job is queued"),
    "rendered with an open hold": (
        ["UPDATE jobs SET state = 'rendered' WHERE id = :id"],
        "still open",
    ),
    "delivered with an open hold": (
        ["UPDATE jobs SET state = 'delivered', message_id = 1 WHERE id = :id"],
        "still open",
    ),
    "failed with an open hold": (
        ["UPDATE jobs SET state = 'failed', failure = 'lost' WHERE id = :id"],
        "still open",
    ),
    "delivered without a message": (
        [SPEND, "UPDATE jobs SET state = 'delivered' WHERE id = :id"],
        "delivered_has_a_message",
    ),
    "a message before delivery": (
        ["UPDATE jobs SET message_id = 1 WHERE id = :id"],
        "delivered_has_a_message",
    ),
    "failed without a reason": (
        [RELEASE, "UPDATE jobs SET state = 'failed' WHERE id = :id"],
        "failed_has_a_reason",
    ),
    "a reason without failure": (
        ["UPDATE jobs SET failure = 'lost' WHERE id = :id"],
        "failed_has_a_reason",
    ),
    "an unknown state": (["UPDATE jobs SET state = 'lost' WHERE id = :id"], "CHECK"),
    "a job for nothing": (["UPDATE jobs SET quote_micro = 0 WHERE id = :id"], "CHECK"),
    "a fraction quoted": (["UPDATE jobs SET quote_micro = 0.5 WHERE id = :id"], "REAL"),
    "negative tries": (["UPDATE jobs SET attempts = -1 WHERE id = :id"], "CHECK"),
    "an order that is no JSON": (["""UPDATE jobs SET "order" = '{' WHERE id = :id"""], "CHECK"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_the_file_refuses(database: Database, store: Store, job: Job, what: str) -> None:
    statements, reason = REFUSED[what]
    before = await store.entries(job.id)
    told = await refusal_of(database, job, *statements)
    assert any(part in told for part in reason.split("|")), told
    assert await store.job(job.id) == job
    assert await store.entries(job.id) == before


async def test_a_second_hold_or_resolution_is_refused_through_the_store_too(
    store: Store, job: Job
) -> None:
    done = advance(job, Event.FINISHED, NOON + 2)
    with pytest.raises(StoreError, match="UNIQUE"):
        await store.move(job, again(job, NOON, NOON), entry=hold(job))
    rendered_job = await store.move(job, done, entry=spend(job, 1, NOON))
    posted = advance(rendered_job, Event.POSTED, NOON + 3, message_id=1)
    with pytest.raises(StoreError, match="UNIQUE"):
        await store.move(rendered_job, posted, entry=release(job, NOON))
    assert await store.job(job.id) == rendered_job


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
        await store.accept(twin, hold(twin), UNLIMITED)


async def test_a_clip_counts_once_per_job(store: Store, job: Job) -> None:
    clips = [
        Clip(job_id=job.id, ordinal=ordinal, video_uuid="same", url="u", seed=None, cost_micro=None)
        for ordinal in range(2)
    ]
    done = advance(job, Event.FINISHED, NOON + 2)
    with pytest.raises(StoreError, match="video_uuid"):
        await store.move(job, done, entry=spend(job, 1, NOON), clips=clips)
