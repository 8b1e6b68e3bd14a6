"""What is in the making is in hand between two looks, and in the file by the end of its lease."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot import ledger, lifecycle
from bot.database import Database
from bot.errors import StoreError
from bot.lifecycle import Event, Job, State
from bot.pace import LATE_AFTER, Pace
from bot.store import Store
from bot.timetable import Timetable
from bot.watch import Watch
from tests.conftest import NOON, UNLIMITED, Clock, make_job

LEASE = 60
"""Seconds."""


@pytest.fixture
def timetable(clock: Clock) -> Timetable:
    return Timetable(
        clock=clock, chance=lambda: 1.0, look_every=1.0, give_up_after=86_400, pace=Pace()
    )


@pytest.fixture
def watch(store: Store, timetable: Timetable) -> Watch:
    return Watch(store, timetable)


async def rendering(store: Store, count: int = 1, *more: Event) -> list[Job]:
    """Jobs that the service has, due at noon."""
    jobs = [make_job() for _ in range(count)]
    for place, job in enumerate(jobs):
        await store.accept(job, UNLIMITED)
        for event in (Event.SUBMIT, Event.ACCEPTED, *more):
            after = lifecycle.advance(jobs[place], event, job.updated_at)
            jobs[place] = await store.move(jobs[place], after)
    return jobs


async def filed(store: Store, job: Job) -> int:
    """When the file says that a job is due, in seconds after noon."""
    found = await store.job(job.id)
    assert found is not None
    return (found.due_at - NOON) // 1000


async def plan(watch: Watch, jobs: Sequence[Job], seconds: float) -> None:
    """Have these jobs looked at so many seconds after noon."""
    await watch.postpone(jobs, {job.id: NOON + round(seconds * 1000) for job in jobs})


async def test_a_look_leases_its_jobs_and_the_next_ones_write_nothing(
    watch: Watch, store: Store, database: Database, clock: Clock
) -> None:
    await rendering(store, 3)
    jobs = (await watch.agenda(clock())).jobs
    await plan(watch, jobs, 1)
    assert {await filed(store, job) for job in jobs} == {LEASE}

    written = await database.run(lambda db: db.total_changes)
    for second in range(1, LEASE - 1):
        agenda = await watch.agenda(clock.forward(seconds=1))
        assert {job.id for job in agenda.jobs} == {job.id for job in jobs}
        await plan(watch, agenda.jobs, second + 1)
        assert (await watch.agenda(clock())).next_at == NOON + (second + 1) * 1000
    assert await database.run(lambda db: db.total_changes) == written

    last = await watch.agenda(clock.forward(seconds=1))
    assert {job.id for job in last.jobs} == {job.id for job in jobs}
    await plan(watch, last.jobs, LEASE)
    assert {await filed(store, job) for job in jobs} == {LEASE - 1 + LEASE}


async def test_a_look_that_is_far_away_is_planned_in_the_file_alone(
    watch: Watch, store: Store, clock: Clock
) -> None:
    (job,) = await rendering(store)
    jobs = (await watch.agenda(clock())).jobs
    await plan(watch, jobs, LEASE + 5)
    assert await filed(store, job) == LEASE + 5
    for one in (watch, store):
        assert (await one.agenda(clock())).next_at == NOON + (LEASE + 5) * 1000


async def test_what_waits_for_something_else_than_a_look_is_never_leased(
    watch: Watch, store: Store, clock: Clock
) -> None:
    job = make_job()
    await store.accept(job, UNLIMITED)
    await plan(watch, (await watch.agenda(clock())).jobs, 1)
    assert await filed(store, job) == 1


async def test_a_nudge_goes_before_what_is_planned_and_brings_the_job_once(
    watch: Watch, store: Store, clock: Clock
) -> None:
    nudged, other = await rendering(store, 2)
    await plan(watch, (await watch.agenda(clock())).jobs, 5)

    await store.nudge(nudged.task_uuid, clock.forward(seconds=1))
    agenda = await watch.agenda(clock())
    assert [job.id for job in agenda.jobs] == [nudged.id]
    assert [job.id for job in (await watch.agenda(clock.forward(seconds=4))).jobs] == [
        nudged.id,
        other.id,
    ]


async def test_a_nudge_in_the_middle_of_a_look_is_not_lost(
    watch: Watch, store: Store, clock: Clock
) -> None:
    (job,) = await rendering(store)
    looked_at = (await watch.agenda(clock())).jobs
    await store.nudge(job.task_uuid, clock.forward(seconds=0.1))
    await plan(watch, looked_at, 1)

    agenda = await watch.agenda(clock(), [])
    assert [found.id for found in agenda.jobs] == [job.id]
    await plan(watch, agenda.jobs, 2)
    assert [found.id for found in (await watch.agenda(clock.forward(seconds=2))).jobs] == [job.id]


async def test_what_is_being_worked_on_stays_planned(
    watch: Watch, store: Store, clock: Clock
) -> None:
    busy, _ = await rendering(store, 2)
    await plan(watch, (await watch.agenda(clock())).jobs, 1)
    clock.forward(seconds=1)

    agenda = await watch.agenda(clock(), [busy.id])
    assert busy.id not in {job.id for job in agenda.jobs}
    assert len(agenda.jobs) == 1
    assert agenda.next_at == clock()
    assert [job.id for job in (await watch.agenda(clock())).jobs] == [busy.id]


async def test_a_plan_that_was_cut_short_is_asked_for_again_at_once(
    watch: Watch, store: Store, clock: Clock
) -> None:
    jobs = await rendering(store, 5)
    await plan(watch, (await watch.agenda(clock())).jobs, 1)
    clock.forward(seconds=1)

    seen: list[str] = []
    for size in (2, 2, 1):
        agenda = await watch.agenda(clock(), limit=2)
        assert len(agenda.jobs) == size
        assert (agenda.next_at == clock()) == (len(seen) + size < 5)
        seen += (job.id for job in agenda.jobs)
    assert sorted(seen) == sorted(job.id for job in jobs)


async def test_a_start_makes_every_lease_void(
    watch: Watch, store: Store, timetable: Timetable, clock: Clock
) -> None:
    jobs = await rendering(store, 2)
    await plan(watch, (await watch.agenda(clock())).jobs, 1)
    clock.forward(seconds=3)

    assert (await store.agenda(clock())).jobs == ()
    found = (await Watch(store, timetable).agenda(clock())).jobs
    assert {job.id for job in found} == {job.id for job in jobs}
    assert {job.due_at for job in found} == {clock()}


async def test_what_has_been_due_for_long_stays_so_at_a_start(
    watch: Watch, store: Store, clock: Clock
) -> None:
    (job,) = await rendering(store)
    await watch.agenda(clock.forward(seconds=3600))
    assert await filed(store, job) == 0


async def test_no_lease_goes_beyond_the_moment_at_which_a_clip_is_late(
    watch: Watch, store: Store, clock: Clock
) -> None:
    (job,) = await rendering(store)
    clock.forward(seconds=LATE_AFTER - 20)
    await plan(watch, (await watch.agenda(clock())).jobs, LATE_AFTER - 19)
    assert await filed(store, job) == LATE_AFTER
    await plan(watch, (await watch.agenda(clock.forward(seconds=20))).jobs, LATE_AFTER + 1)
    assert await filed(store, job) == LATE_AFTER + LEASE


async def test_a_clock_that_is_set_back_keeps_nobody_from_being_looked_at(
    watch: Watch, store: Store, clock: Clock
) -> None:
    (job,) = await rendering(store)
    looked_at = (await watch.agenda(clock())).jobs
    clock.forward(seconds=-3600)
    await plan(watch, looked_at, -3599)
    assert [found.id for found in (await watch.agenda(clock.forward(seconds=1))).jobs] == [job.id]


async def test_a_job_in_hand_is_as_it_was_read_but_for_its_lease(
    watch: Watch, store: Store, clock: Clock
) -> None:
    await rendering(store)
    (read,) = (await watch.agenda(clock())).jobs
    await plan(watch, [read], 1)
    (kept,) = (await watch.agenda(clock.forward(seconds=1))).jobs
    assert kept == replace(read, due_at=NOON + LEASE * 1000)
    assert kept.state is State.RENDERING


async def test_a_start_leaves_what_is_lost_where_it_is(
    watch: Watch, store: Store, clock: Clock
) -> None:
    (job,) = await rendering(store)
    lost = lifecycle.advance(job, Event.GIVE_UP, job.updated_at, due_at=NOON + 3_600_000)
    await store.move(job, lost, resolution=ledger.release(job, NOON, "no word"))
    assert (await watch.agenda(clock())).jobs == ()
    assert await filed(store, job) == 3600


async def test_a_file_that_cannot_be_written_yet_keeps_no_lease_from_ending_later(
    watch: Watch,
    store: Store,
    timetable: Timetable,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (job,) = await rendering(store)
    await plan(watch, (await watch.agenda(clock())).jobs, 1)
    clock.forward(seconds=3)
    after = Watch(store, timetable)

    async def full(_: int) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "recall", full)
        with pytest.raises(StoreError):
            await after.agenda(clock())
    assert [one.id for one in (await after.agenda(clock())).jobs] == [job.id]
