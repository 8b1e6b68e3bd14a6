"""The bot's memory: what it books together, what it guards, and what the file itself refuses."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from bot import ahead
from bot.accounts import Accounts
from bot.database import Database
from bot.errors import LimitReached, StaleJob, StoreError
from bot.ledger import UTC_ZONE, Balance, Kind, hold, release, resolved, spend
from bot.lifecycle import Clip, Event, Failure, Job, State, advance, again
from bot.rules import Limits
from bot.store import Admitted, Store
from tests.conftest import (
    NOON,
    UNLIMITED,
    Clock,
    JobFactory,
    Standing,
    make_job,
    make_order,
    monthly,
    standing,
)

QUOTE = 184_800


async def accepted(store: Store, job: Job, bounds: Limits = UNLIMITED) -> Job:
    return (await store.accept(job, bounds)).job


async def moved(store: Store, job: Job, *events: Event, now: int = NOON + 1) -> Job:
    for event in events:
        job = await store.move(job, advance(job, event, now))
    return job


async def rendered(store: Store, job: Job, cost: int = QUOTE) -> Job:
    job = await moved(store, job, Event.SUBMIT, Event.ACCEPTED)
    done = advance(job, Event.FINISHED, NOON + 2)
    clips = [replace(clip_of(job), cost_micro=cost)]
    return await store.move(job, done, resolution=spend(job, cost, NOON + 2), clips=clips)


async def failed(store: Store, job: Job) -> Job:
    job = await moved(store, job, Event.SUBMIT)
    gone = advance(job, Event.REFUSED, NOON + 2, failure=Failure.REFUSED)
    return await store.move(job, gone, resolution=release(job, NOON + 2))


def clip_of(job: Job, ordinal: int = 0) -> Clip:
    return Clip(
        job_id=job.id,
        ordinal=ordinal,
        video_uuid=f"video-{ordinal}",
        url=f"https://vm.example/{ordinal}.mp4",
        seed=2**63 - 1,
        cost_micro=QUOTE,
    )


# --- Accepting -----------------------------------------------------------------------------------


async def test_a_job_comes_back_as_it_went_in(store: Store, job_factory: JobFactory) -> None:
    order = make_order(prompt="snow “falls” 🎿", negative_prompt=None, guidance=0.25, width=None)
    job = job_factory(order=order, status_message_id=None, member_id=2**63 - 1)
    admitted = await store.accept(job, UNLIMITED)
    assert (admitted.job, admitted.is_new, admitted.ahead) == (job, True, 0)
    assert await store.job(job.id) == job


async def test_a_job_that_nobody_accepted_is_not_there(store: Store) -> None:
    assert await store.job("0" * 36) is None


async def test_the_job_and_its_hold_are_booked_together(
    store: Store, job_factory: JobFactory
) -> None:
    job = await accepted(store, job_factory())
    assert await store.entries(job.id) == [hold(job, UTC_ZONE)]


async def test_the_same_wish_twice_is_one_job_and_one_hold(
    store: Store, accounts: Accounts, job_factory: JobFactory
) -> None:
    first = await accepted(store, job_factory(source="interaction:7"))
    again_asked = job_factory(source="interaction:7")
    admitted = await store.accept(again_asked, UNLIMITED)
    assert (admitted.job, admitted.is_new) == (first, False)
    assert await store.job(again_asked.id) is None
    assert (await standing(accounts, first)).bot == Balance(0, QUOTE)


async def test_the_same_wish_is_answered_even_where_another_would_not_fit(
    store: Store, job_factory: JobFactory
) -> None:
    job = await accepted(store, job_factory(source="interaction:7"), monthly(member=QUOTE))
    twin = job_factory(source="interaction:7")
    admitted = await store.accept(twin, monthly(member=QUOTE))
    assert admitted.job == job


async def test_those_ahead_were_accepted_before_and_are_not_being_sent_yet(
    store: Store, job_factory: JobFactory
) -> None:
    queued = await accepted(store, job_factory(created_at=NOON))
    sending = await accepted(store, job_factory(created_at=NOON + 1))
    gone = await accepted(store, job_factory(created_at=NOON + 2))
    await moved(store, sending, Event.SUBMIT)
    await failed(store, gone)
    job = job_factory(created_at=NOON + 3)
    admitted = await store.accept(job, UNLIMITED)
    assert admitted.ahead == 1
    assert queued.state is State.QUEUED


async def test_of_one_who_asked_for_many_clips_only_the_first_is_ahead_of_the_others(
    store: Store, job_factory: JobFactory
) -> None:
    for number in range(20):
        await accepted(store, job_factory(created_at=NOON + number))
    modest = job_factory(created_at=NOON + 20, member_id=7)
    assert (await store.accept(modest, UNLIMITED)).ahead == 1
    greedy = job_factory(created_at=NOON + 21)
    assert (await store.accept(greedy, UNLIMITED)).ahead == 21


async def test_a_long_line_is_not_counted_to_its_end(store: Store, job_factory: JobFactory) -> None:
    for number in range(ahead.MOST):
        await accepted(store, job_factory(created_at=NOON + number))
    job = job_factory(created_at=NOON + ahead.MOST)
    assert (await store.accept(job, UNLIMITED)).ahead is None


async def test_the_next_hold_of_a_kind_is_what_the_service_last_charged_if_that_is_more(
    store: Store, job_factory: JobFactory
) -> None:
    await rendered(store, await accepted(store, job_factory()), cost=QUOTE + 7)
    dearer = await accepted(store, job_factory(order=make_order(results=2), quote_micro=2 * QUOTE))
    assert dearer.quote_micro == 2 * (QUOTE + 7)
    other = await accepted(store, job_factory(order=make_order(duration=10.0)))
    assert other.quote_micro == QUOTE


# --- Limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("whom", ["member", "server", "bot"])
async def test_a_hold_that_does_not_fit_leaves_nothing_behind(
    store: Store, job_factory: JobFactory, whom: str
) -> None:
    bounds = monthly(**{whom: QUOTE})
    await accepted(store, job_factory(), bounds)
    job = job_factory()
    with pytest.raises(LimitReached) as error:
        await store.accept(job, bounds)
    assert (error.value.whom, error.value.held_micro) == (whom, QUOTE)
    assert await store.job(job.id) is None
    assert await store.entries(job.id) == []


async def test_a_limit_of_nothing_takes_nothing(store: Store, job_factory: JobFactory) -> None:
    for bounds in (monthly(member=0), monthly(server=0), monthly(bot=0)):
        with pytest.raises(LimitReached):
            await accepted(store, job_factory(), bounds)


async def test_without_limits_everything_fits(store: Store, job_factory: JobFactory) -> None:
    for _ in range(3):
        await accepted(store, job_factory(quote_micro=10**12))


async def test_fifty_at_once_at_a_limit_of_one_make_exactly_one_hold(
    store: Store, accounts: Accounts, job_factory: JobFactory
) -> None:
    jobs = [job_factory() for _ in range(50)]
    outcomes = await asyncio.gather(
        *(store.accept(job, monthly(member=QUOTE)) for job in jobs),
        return_exceptions=True,
    )
    admitted = [outcome for outcome in outcomes if isinstance(outcome, Admitted)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, LimitReached)]
    assert (len(admitted), len(refused)) == (1, 49)
    assert (await standing(accounts, jobs[0])).bot == Balance(0, QUOTE)
    assert sum([len(await store.entries(job.id)) for job in jobs]) == 1


async def test_fifty_times_the_same_wish_at_once_is_one_job(
    store: Store, job_factory: JobFactory
) -> None:
    jobs = [job_factory(source="interaction:7") for _ in range(50)]
    outcomes = await asyncio.gather(*(store.accept(job, UNLIMITED) for job in jobs))
    assert len({outcome.job.id for outcome in outcomes}) == 1
    assert sum(outcome.is_new for outcome in outcomes) == 1


async def test_each_limit_counts_its_own(
    store: Store, accounts: Accounts, job_factory: JobFactory
) -> None:
    await accepted(store, job_factory(guild_id=1, member_id=1))
    await accepted(store, job_factory(guild_id=1, member_id=2))
    await accepted(store, job_factory(guild_id=2, member_id=1))
    found = await standing(accounts, job_factory(guild_id=1, member_id=1))
    assert found == Standing(
        member=Balance(0, QUOTE), server=Balance(0, 2 * QUOTE), bot=Balance(0, 3 * QUOTE)
    )


NOVEMBER_END = 1_796_083_199_999
"""The last millisecond of November 2026."""


async def test_a_hold_of_november_paid_in_december_counts_in_november(
    store: Store, accounts: Accounts, job_factory: JobFactory
) -> None:
    last = await accepted(store, job_factory(created_at=NOVEMBER_END), monthly(member=QUOTE))
    december = job_factory(created_at=NOVEMBER_END + 1)
    assert (await standing(accounts, december)).bot == Balance()
    await accepted(store, december, monthly(member=QUOTE))
    sent = await moved(store, last, Event.SUBMIT, Event.ACCEPTED, now=NOVEMBER_END + 5000)
    done = advance(sent, Event.FINISHED, NOVEMBER_END + 9000)
    await store.move(sent, done, resolution=spend(sent, 200_000, NOVEMBER_END + 9000))
    assert (await standing(accounts, last)).bot == Balance(200_000, 0)
    assert (await standing(accounts, december)).bot == Balance(0, QUOTE)


async def test_a_released_hold_makes_room_and_a_spent_one_does_not(
    store: Store, job_factory: JobFactory
) -> None:
    bounds = monthly(member=QUOTE)
    await failed(store, await accepted(store, job_factory(), bounds))
    await rendered(store, await accepted(store, job_factory(), bounds))
    with pytest.raises(LimitReached):
        await accepted(store, job_factory(), bounds)


# --- Moving --------------------------------------------------------------------------------------


async def test_a_job_its_entry_and_its_clips_move_in_one_step(
    store: Store, job_factory: JobFactory
) -> None:
    job = await moved(store, await accepted(store, job_factory()), Event.SUBMIT, Event.ACCEPTED)
    done = advance(job, Event.FINISHED, NOON + 2)
    paid = spend(job, 150_000, NOON + 2, "a note")
    clips = [clip_of(job, 1), replace(clip_of(job), seed=None, cost_micro=None)]
    assert await store.move(job, done, resolution=paid, clips=clips) == done
    assert await store.job(job.id) == done
    assert await store.entries(job.id) == [hold(job, UTC_ZONE), resolved(hold(job, UTC_ZONE), paid)]
    assert await store.clips(job.id) == list(reversed(clips))


async def test_a_delivered_job_keeps_the_message_that_carries_it(
    store: Store, job_factory: JobFactory
) -> None:
    job = await rendered(store, await accepted(store, job_factory()))
    posted = await store.move(job, advance(job, Event.POSTED, NOON + 3, message_id=777))
    assert await store.job(job.id) == posted
    assert posted.message_id == 777


async def test_a_failed_job_keeps_its_reason(store: Store, job_factory: JobFactory) -> None:
    job = await failed(store, await accepted(store, job_factory()))
    assert await store.job(job.id) == job
    assert job.failure is Failure.REFUSED


async def test_a_move_from_a_state_that_the_job_has_left_changes_nothing(
    store: Store, job_factory: JobFactory
) -> None:
    old = await accepted(store, job_factory())
    now = await moved(store, old, Event.SUBMIT)
    with pytest.raises(StaleJob, match="no longer queued"):
        await store.move(old, advance(old, Event.SUBMIT, NOON + 9))
    assert await store.job(old.id) == now


async def test_a_move_after_another_try_in_the_same_state_changes_nothing(
    store: Store, job_factory: JobFactory
) -> None:
    old = await moved(store, await accepted(store, job_factory()), Event.SUBMIT)
    tried = await store.move(old, again(old, NOON + 5, NOON + 9))
    with pytest.raises(StaleJob):
        await store.move(old, advance(old, Event.ACCEPTED, NOON + 6))
    assert await store.job(old.id) == tried


async def test_the_second_of_two_that_end_a_job_is_told_that_it_moved_on(
    store: Store, job_factory: JobFactory
) -> None:
    job = await moved(store, await accepted(store, job_factory()), Event.SUBMIT, Event.ACCEPTED)
    done = advance(job, Event.FINISHED, NOON + 2)
    gone = advance(job, Event.GIVE_UP, NOON + 2, failure=Failure.LOST)
    outcomes = await asyncio.gather(
        store.move(job, done, resolution=spend(job, 1, NOON), clips=[clip_of(job)]),
        store.move(job, gone, resolution=release(job, NOON)),
        return_exceptions=True,
    )
    assert outcomes[0] == done
    assert isinstance(outcomes[1], StaleJob)
    assert [entry.kind for entry in await store.entries(job.id)] == [Kind.HOLD, Kind.SPEND]


async def test_a_move_of_a_job_that_is_not_there_is_stale(
    store: Store, job_factory: JobFactory
) -> None:
    job = job_factory()
    with pytest.raises(StaleJob):
        await store.move(job, advance(job, Event.SUBMIT, NOON))


async def test_a_clip_may_get_a_newer_address_and_nothing_else(store: Store) -> None:
    job = await rendered(store, await accepted(store, make_job()))
    (clip,) = await store.clips(job.id)
    newer = replace(clip, url="https://vm.example/newer.mp4")
    await store.refresh_clips([replace(newer, cost_micro=0, video_uuid="another")])
    assert await store.clips(job.id) == [newer]
    assert await store.job(job.id) == job


async def test_a_move_whose_clips_cannot_be_kept_is_not_made(
    store: Store, job_factory: JobFactory
) -> None:
    job = await moved(store, await accepted(store, job_factory()), Event.SUBMIT, Event.ACCEPTED)
    done = advance(job, Event.FINISHED, NOON + 2)
    twice = [clip_of(job), clip_of(job)]
    with pytest.raises(StoreError):
        await store.move(job, done, resolution=spend(job, 1, NOON), clips=twice)
    assert await store.job(job.id) == job
    assert await store.entries(job.id) == [hold(job, UTC_ZONE)]
    assert await store.clips(job.id) == []


# --- The agenda ----------------------------------------------------------------------------------


async def test_the_agenda_has_what_is_due_longest_due_first_and_when_the_next_will_be(
    store: Store, job_factory: JobFactory, clock: Clock
) -> None:
    second = await accepted(store, job_factory(due_at=NOON - 10))
    first = await accepted(store, job_factory(due_at=NOON - 20))
    await accepted(store, job_factory(due_at=NOON + 500))
    await accepted(store, job_factory(due_at=NOON + 900))
    agenda = await store.agenda(clock())
    assert [job.id for job in agenda.jobs] == [first.id, second.id]
    assert agenda.next_at == NOON + 500
    assert len((await store.agenda(clock.forward(seconds=0.5))).jobs) == 3


async def test_the_agenda_is_empty_where_nothing_is_open(
    store: Store, job_factory: JobFactory
) -> None:
    await failed(store, await accepted(store, job_factory()))
    job = await rendered(store, await accepted(store, job_factory()))
    await store.move(job, advance(job, Event.POSTED, NOON, message_id=1))
    agenda = await store.agenda(NOON + 10**9)
    assert (agenda.jobs, agenda.next_at) == ((), None)


async def test_the_agenda_leaves_out_what_is_being_worked_on(
    store: Store, job_factory: JobFactory
) -> None:
    busy = await accepted(store, job_factory())
    later = await accepted(store, job_factory(due_at=NOON + 100))
    agenda = await store.agenda(NOON, [busy.id, later.id, "' OR 1=1 --"])
    assert (agenda.jobs, agenda.next_at) == ((), None)


async def test_an_agenda_that_was_cut_short_is_asked_for_again_at_once(
    store: Store, job_factory: JobFactory
) -> None:
    for _ in range(3):
        await accepted(store, job_factory())
    agenda = await store.agenda(NOON, limit=2)
    assert len(agenda.jobs) == 2
    assert agenda.next_at == NOON


async def test_the_agenda_is_read_from_its_index_and_not_from_all_jobs_ever(
    store: Store, database: Database
) -> None:
    heard: list[str] = []
    await database.run(lambda db: db.set_trace_callback(heard.append))
    await store.agenda(NOON)
    await database.run(lambda db: db.set_trace_callback(None))
    (question,) = [text for text in heard if text.startswith("SELECT")]

    def plan(db: sqlite3.Connection) -> str:
        return " ".join(row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {question}"))

    found = await database.run(plan)
    assert "jobs_due" in found
    assert "TEMP B-TREE" not in found


async def test_a_postponed_job_is_due_later_and_otherwise_as_it_was(
    store: Store, job_factory: JobFactory
) -> None:
    jobs = [await accepted(store, job_factory()) for _ in range(2)]
    due = {jobs[0].id: NOON + 100, jobs[1].id: NOON + 200}
    await store.postpone(jobs, due)
    assert [await store.job(job.id) for job in jobs] == [
        replace(job, due_at=due[job.id]) for job in jobs
    ]
    # What was read before still counts: looking at a job is no change of it.
    await moved(store, jobs[0], Event.SUBMIT)


async def test_a_job_that_moved_on_is_not_postponed(store: Store, job_factory: JobFactory) -> None:
    old = await accepted(store, job_factory())
    now = await moved(store, old, Event.SUBMIT)
    await store.postpone([old], {old.id: NOON + 10**6})
    assert await store.job(old.id) == now


# --- Nudges --------------------------------------------------------------------------------------


async def rendering(store: Store, job: Job) -> Job:
    return await moved(store, await accepted(store, job), Event.SUBMIT, Event.ACCEPTED)


async def lost(store: Store, job: Job) -> Job:
    job = await rendering(store, job)
    after = advance(job, Event.GIVE_UP, NOON + 2)
    return await store.move(job, after, resolution=release(job, NOON + 2))


@pytest.mark.parametrize("kind", [rendering, lost])
async def test_a_nudge_makes_a_job_due_that_the_service_knows_more_of_and_changes_nothing_else(
    store: Store, job_factory: JobFactory, kind: Callable[[Store, Job], Awaitable[Job]]
) -> None:
    job = await kind(store, job_factory())
    other = await kind(store, job_factory())
    await store.postpone([job, other], dict.fromkeys((job.id, other.id), NOON + 60_000))

    assert await store.nudge(job.task_uuid, NOON + 5) is job.state
    assert await store.job(job.id) == replace(job, due_at=NOON + 5)
    assert await store.job(other.id) == replace(other, due_at=NOON + 60_000)


async def test_a_nudge_leaves_a_job_in_any_other_state_alone(
    store: Store, job_factory: JobFactory
) -> None:
    queued = await accepted(store, job_factory())
    sent = await moved(store, await accepted(store, job_factory()), Event.SUBMIT)
    done = await rendered(store, await accepted(store, job_factory()))
    over = await failed(store, await accepted(store, job_factory()))
    for job in (queued, sent, done, over):
        assert await store.nudge(job.task_uuid, NOON + 10**6) is job.state
        assert await store.job(job.id) == job
    assert await store.nudge("a task that nobody knows", NOON) is None


async def test_a_look_that_began_before_a_nudge_does_not_put_the_job_off(
    store: Store, job_factory: JobFactory
) -> None:
    read = await rendering(store, job_factory())
    await store.nudge(read.task_uuid, NOON + 5)
    await store.postpone([read], {read.id: NOON + 60_000})
    assert (await store.agenda(NOON + 5)).jobs == (replace(read, due_at=NOON + 5),)


# --- Facts ---------------------------------------------------------------------------------------


async def test_a_fact_that_is_made_once_stays_as_it_was_made(store: Store) -> None:
    assert await store.fact_or("secret", "first") == "first"
    assert await store.fact_or("secret", "second") == "first"


async def test_many_at_once_leave_books_that_add_up(store: Store, accounts: Accounts) -> None:
    jobs: Sequence[Job] = [make_job(member_id=number % 3) for number in range(30)]

    async def live(job: Job, number: int) -> None:
        job = await accepted(store, job)
        if number % 2:
            await rendered(store, job, cost=1000 + number)
        else:
            await failed(store, job)

    await asyncio.gather(*(live(job, number) for number, job in enumerate(jobs)))
    spent = sum(1000 + number for number in range(1, 30, 2))
    assert (await standing(accounts, jobs[0])).bot == Balance(spent, 0)
