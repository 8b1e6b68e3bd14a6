"""The clock's door: what is due is done, beside each other, once at a time, until told to stop."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import ledger, lifecycle
from bot.errors import StaleJob, StoreError
from bot.lifecycle import FINAL, Event, Job, State
from bot.pipeline import Pipeline
from bot.store import Agenda, Store
from bot.worker import Worker
from tests.conftest import UNLIMITED, Clock, make_job
from tests.corridor import PRICE, WHERE, Bot, World, world

LATER = 10**9
WAYS = {
    State.QUEUED: (),
    State.SUBMITTING: (Event.SUBMIT,),
    State.RENDERING: (Event.SUBMIT, Event.ACCEPTED),
    State.RENDERED: (Event.SUBMIT, Event.ACCEPTED, Event.FINISHED),
}
SOON = 15.0
"""Seconds in which a busy machine should have done what takes milliseconds."""


def real_clock() -> int:
    return time.time_ns() // 1_000_000


class Hands(Pipeline):
    """A pipeline that notes its steps, does `meanwhile`, and puts the job off for long."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.done: list[str] = []
        self.begun: list[list[str]] = []
        self.looks: list[list[str]] = []
        self.running: dict[str, Job] = {}
        self.most_running = 0
        self.meanwhile: Callable[[Job], Awaitable[None]] = self._nothing

    async def _nothing(self, job: Job) -> None:
        del job

    async def step(self, job: Job) -> None:
        assert job.id not in self.running, "a job is in one step at a time"
        self.running[job.id] = job
        self.most_running = max(self.most_running, len(self.running))
        try:
            await self.meanwhile(job)
            await self._put_off([job])
            self.done.append(job.id)
        finally:
            del self.running[job.id]

    async def begin(self, jobs: Sequence[Job]) -> None:
        self.begun.append([job.id for job in jobs])
        for job in jobs:
            await self.step(job)

    async def look(self, jobs: Sequence[Job]) -> None:
        self.looks.append(sorted(job.id for job in jobs))
        for job in jobs:
            await self.meanwhile(job)
        await self._put_off(jobs)

    async def _put_off(self, jobs: Sequence[Job]) -> None:
        later = self.clock() + LATER
        await self.store.postpone(jobs, dict.fromkeys((job.id for job in jobs), later))


async def kept(
    store: Store, count: int = 1, state: State = State.QUEUED, **changes: Any
) -> list[Job]:
    """Put jobs into the books, and on to `state` by the way that leads there."""
    jobs = [make_job(**changes) for _ in range(count)]
    for number, job in enumerate(jobs):
        await store.accept(job, UNLIMITED)
        for event in WAYS[state]:
            after = lifecycle.advance(jobs[number], event, job.updated_at)
            entry = ledger.spend(job, 1, job.updated_at) if event is Event.FINISHED else None
            jobs[number] = await store.move(jobs[number], after, resolution=entry)
    return jobs


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fails when it takes far too long."""
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.002)


@pytest.fixture
def hands(store: Store, clock: Clock) -> Hands:
    return Hands(store, clock)


@pytest.fixture
async def worker(store: Store, hands: Hands, clock: Clock) -> AsyncIterator[Worker]:
    made = Worker(store, hands, clock)
    yield made
    await made.stop()


# --- With the real corridor ----------------------------------------------------------------------


@asynccontextmanager
async def at_work(here: World) -> AsyncIterator[Bot]:
    async with here.bot(clock=real_clock, look_every=0.05) as bot:
        bot.worker.start()
        try:
            yield bot
        finally:
            await bot.worker.stop()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def ended(bot: Bot, *jobs: Job) -> set[State]:
    async with asyncio.timeout(SOON):
        while True:
            states = {(await bot.reread(job)).state for job in jobs}
            if states <= FINAL:
                return states
            await asyncio.sleep(0.01)


async def test_a_wish_wakes_the_worker_and_becomes_a_clip_by_itself(here: World) -> None:
    async with at_work(here) as bot:
        await asyncio.sleep(0.05)  # nothing is due: the worker naps for half a minute
        job = await bot.accept()

        assert await ended(bot, job) == {State.DELIVERED}
        assert await bot.spent_micro(job) == PRICE
    assert len(here.channel.posts) == 1


async def test_twenty_wishes_at_once_are_twenty_clips_paid_once_each(here: World) -> None:
    here.trouble(match={"label": "^videoInference$"}, do="lose_answer", skip=3, times=4)
    here.trouble(match={"label": "getResponse"}, do="status", status=503, skip=2, times=2)
    async with at_work(here) as bot:
        jobs = await asyncio.gather(*(bot.accept() for _ in range(20)))

        assert await ended(bot, *jobs) == {State.DELIVERED}
        assert here.runware.ledger.accepted == 20
        assert sum([await bot.spent_micro(job) for job in jobs]) == 20 * PRICE
        assert here.runware.ledger.billed_micro == 20 * PRICE
        assert sum([await bot.held_micro(job) for job in jobs]) == 0
    assert len(here.channel.posts) == 20
    assert here.leftovers == []


async def test_one_that_the_service_wants_later_keeps_no_other_from_being_sent(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=429, headers={"Retry-After": "50"})
    async with at_work(here) as bot:
        deferred = await bot.accept()
        async with asyncio.timeout(SOON):
            while (await bot.reread(deferred)).attempts == 0:  # noqa: ASYNC110 - as in `until`
                await asyncio.sleep(0.01)
        others = [await bot.accept() for _ in range(6)]

        assert await ended(bot, *others) == {State.DELIVERED}
        waiting = await bot.reread(deferred)
        assert (waiting.state, waiting.attempts) == (State.SUBMITTING, 1)
        assert waiting.due_at - waiting.updated_at == 50_000


async def test_what_was_open_at_the_last_end_is_taken_up_at_the_start(here: World) -> None:
    async with here.bot(clock=real_clock, look_every=0.05) as bot:
        queued = await bot.accept()
        sent = await bot.accept()
        await bot.pipeline.step(sent)
    async with at_work(here) as bot:
        assert await ended(bot, queued, sent) == {State.DELIVERED}
    assert here.runware.ledger.accepted == 2


async def test_stopping_at_any_moment_loses_and_doubles_nothing(here: World) -> None:
    async with here.bot(clock=real_clock) as bot:
        jobs = [await bot.accept() for _ in range(6)]
    for _ in range(12):
        async with at_work(here):
            await asyncio.sleep(0.015)
    async with at_work(here) as bot:
        assert await ended(bot, *jobs) == {State.DELIVERED}
        assert sum([await bot.spent_micro(job) for job in jobs]) == 6 * PRICE
    assert here.runware.ledger.accepted == 6
    assert here.channel.attempts == len(here.channel.posts) == 6


# --- What is due, and when -----------------------------------------------------------------------


async def test_only_what_is_due_is_done(
    store: Store, hands: Hands, worker: Worker, clock: Clock
) -> None:
    (now,) = await kept(store)
    later = make_job(due_at=clock() + 50)
    await store.accept(later, UNLIMITED)
    worker.start()
    await until(lambda: hands.done == [now.id])

    clock.forward(seconds=0.05)  # the worker planned to look again by then, on its own
    await until(lambda: hands.done == [now.id, later.id])


async def test_what_renders_is_looked_at_together(
    store: Store, hands: Hands, worker: Worker
) -> None:
    jobs = await kept(store, 30, State.RENDERING)
    worker.start()
    await until(lambda: hands.looks != [])

    assert hands.looks == [sorted(job.id for job in jobs)]
    assert hands.done == []


async def test_starting_twice_works_once(store: Store, hands: Hands, worker: Worker) -> None:
    await kept(store, 3)
    worker.start()
    worker.start()
    await until(lambda: len(hands.done) == 3)

    assert len(set(hands.done)) == 3


async def test_a_job_is_in_one_step_at_a_time_however_often_the_worker_is_woken(
    store: Store, hands: Hands, worker: Worker
) -> None:
    gate = asyncio.Event()

    async def wait(job: Job) -> None:
        del job
        await gate.wait()

    hands.meanwhile = wait
    (job,) = await kept(store)
    worker.start()
    for _ in range(20):
        worker.wake()
        await asyncio.sleep(0.002)
    gate.set()
    await until(lambda: hands.running == {})

    assert hands.done == [job.id]


async def test_a_job_that_is_nudged_in_the_middle_of_a_look_is_looked_at_again(
    store: Store, hands: Hands, worker: Worker, clock: Clock
) -> None:
    gate = asyncio.Event()

    async def wait(job: Job) -> None:
        del job
        await gate.wait()

    hands.meanwhile = wait
    nudged, other = await kept(store, 2, State.RENDERING)
    worker.start()
    await until(lambda: len(hands.looks) == 1)
    clock.forward(seconds=0.01)
    await store.nudge(nudged.task_uuid, clock())
    worker.wake()
    gate.set()
    await until(lambda: len(hands.looks) == 2)
    await asyncio.sleep(0.02)

    assert hands.looks == [sorted((nudged.id, other.id)), [nudged.id]]


async def test_four_requests_are_sent_at_a_time_and_posting_does_not_wait_for_them(
    store: Store, hands: Hands, worker: Worker
) -> None:
    gate = asyncio.Event()

    async def wait(job: Job) -> None:
        if job.state is State.QUEUED:
            await gate.wait()

    hands.meanwhile = wait
    await kept(store, 40)
    worker.start()
    await until(lambda: len(hands.running) == 4)
    ready = await kept(store, 6, State.RENDERED)
    worker.wake()
    await until(lambda: len(hands.done) == 6)

    assert set(hands.done) == {job.id for job in ready}
    assert len(hands.running) == 4
    gate.set()
    await until(lambda: len(hands.done) == 46)
    assert [len(together) for together in hands.begun] == [8, 8, 8, 8, 8]


async def test_a_wish_of_a_quiet_moment_goes_alone_and_those_that_meet_in_the_line_together(
    store: Store, hands: Hands, worker: Worker
) -> None:
    gate = asyncio.Event()

    async def wait(job: Job) -> None:
        del job
        await gate.wait()

    hands.meanwhile = wait
    worker.start()
    alone, waiting = [], []
    for count in range(1, 5):
        alone += await kept(store)
        worker.wake()
        await until(lambda count=count: len(hands.begun) == count)  # type: ignore[misc]
    for _ in range(10):
        waiting += await kept(store)
        worker.wake()
        await asyncio.sleep(0.015)
    gate.set()
    await until(lambda: len(hands.done) == 14)

    ids = [job.id for job in waiting]
    assert hands.begun == [*([job.id] for job in alone), ids[:8], ids[8:]]


async def test_one_who_asks_for_twenty_clips_keeps_nobody_waiting_for_all_of_them(
    store: Store, hands: Hands, worker: Worker
) -> None:
    greedy = await kept(store, 20)
    modest = await kept(store, 2, member_id=7)
    abroad = await kept(store, 1, guild_id=8)
    worker.start()
    await until(lambda: len(hands.done) == 23)

    first = [greedy[0], *abroad, modest[0], greedy[1], modest[1], *greedy[2:5]]
    assert hands.begun[0] == [job.id for job in first]


# --- Trouble -------------------------------------------------------------------------------------


async def test_a_step_that_breaks_is_set_aside_for_a_minute_and_the_others_go_on(
    store: Store, hands: Hands, worker: Worker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bad, *good = await kept(store, 4, State.SUBMITTING)

    async def breaks(job: Job) -> None:
        if job.id == bad.id:
            raise ZeroDivisionError

    hands.meanwhile = breaks
    worker.start()
    await until(lambda: len(hands.done) == 3)
    await until(lambda: "trying again later" in caplog.text)
    await asyncio.sleep(0.02)

    assert set(hands.done) == {job.id for job in good}
    assert caplog.text.count("trying again later") == 1
    found = await store.job(bad.id)
    assert found is not None
    assert found.due_at == clock() + 60_000


@pytest.mark.parametrize("state", [State.QUEUED, State.RENDERING])
async def test_what_breaks_of_several_together_is_set_aside_for_all_of_them(
    store: Store, hands: Hands, worker: Worker, clock: Clock, state: State
) -> None:
    jobs = await kept(store, 3, state)

    async def breaks(_: Job) -> None:
        raise ZeroDivisionError

    hands.meanwhile = breaks
    worker.start()
    await until(lambda: len(hands.looks + hands.begun) == 1)
    await asyncio.sleep(0.02)

    assert len(hands.looks + hands.begun) == 1
    for job in jobs:
        found = await store.job(job.id)
        assert found is not None
        assert found.due_at == clock() + 60_000


async def test_a_job_that_another_hand_moved_on_is_no_trouble(
    store: Store, hands: Hands, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    (job,) = await kept(store)

    async def stale(stale_job: Job) -> None:
        await hands.store.postpone([stale_job], {stale_job.id: hands.clock() + LATER})
        raise StaleJob("moved on")

    hands.meanwhile = stale
    worker.start()
    await until(lambda: hands.most_running == 1 and hands.running == {})

    assert "broke" not in caplog.text
    found = await store.job(job.id)
    assert found is not None
    assert found.due_at == hands.clock() + LATER


@pytest.mark.parametrize("error", [StoreError("locked"), TypeError("an odd row")])
async def test_accounts_that_cannot_be_read_do_not_end_the_worker(
    store: Store, hands: Hands, worker: Worker, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    agenda = store.agenda
    failures = [error, error]

    async def failing(now: int, but_not: Container[str] = (), limit: int = 500) -> Agenda:
        if failures:
            raise failures.pop()
        return await agenda(now, but_not, limit)

    monkeypatch.setattr(store, "agenda", failing)
    monkeypatch.setattr("bot.worker._LONGEST_NAP", 0.01)
    (job,) = await kept(store)
    worker.start()
    await until(lambda: hands.done == [job.id])


async def test_accounts_that_cannot_be_written_make_the_worker_pause_not_spin(
    store: Store, hands: Hands, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    postpone = store.postpone
    steps = 0
    is_full = True

    async def failing(jobs: Iterable[Job], due_at: dict[str, int]) -> None:
        if is_full:
            raise StoreError("the disk is full")
        await postpone(jobs, due_at)

    async def counted(job: Job) -> None:
        nonlocal steps
        del job
        steps += 1

    monkeypatch.setattr(store, "postpone", failing)
    monkeypatch.setattr("bot.worker._BREATH", 0.1)
    hands.meanwhile = counted
    (job,) = await kept(store)
    worker.start()
    await asyncio.sleep(0.35)
    assert 2 <= steps <= 4

    is_full = False
    await until(lambda: hands.done == [job.id])


# --- Stopping ------------------------------------------------------------------------------------


async def test_stopping_lets_running_steps_finish_and_starts_no_new_ones(
    store: Store, hands: Hands, worker: Worker
) -> None:
    gate = asyncio.Event()

    async def wait(job: Job) -> None:
        del job
        await gate.wait()

    hands.meanwhile = wait
    (job,) = await kept(store)
    worker.start()
    await until(lambda: len(hands.running) == 1)
    (late,) = await kept(store)
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    worker.wake()
    gate.set()
    await stopping

    assert hands.done == [job.id]
    assert (await store.agenda(hands.clock())).jobs == (late,)


async def test_what_still_waits_in_the_line_when_the_bot_stops_is_not_sent(
    store: Store, hands: Hands, worker: Worker
) -> None:
    gate = asyncio.Event()

    async def wait(job: Job) -> None:
        del job
        await gate.wait()

    hands.meanwhile = wait
    jobs = await kept(store, 40)
    worker.start()
    await until(lambda: len(hands.running) == 4)
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0.01)
    gate.set()
    await stopping

    assert hands.begun == [[job.id for job in jobs[at : at + 8]] for at in (0, 8, 16, 24)]
    assert (await store.agenda(hands.clock())).jobs == tuple(jobs[32:])


async def test_stopping_does_not_wait_for_ever(
    store: Store, hands: Hands, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker._PATIENCE", 0.05)
    gate = asyncio.Event()

    async def wait(job: Job) -> None:
        del job
        await gate.wait()

    hands.meanwhile = wait
    await kept(store)
    worker.start()
    await until(lambda: len(hands.running) == 1)
    async with asyncio.timeout(1):
        await worker.stop()
    gate.set()


async def test_stopping_in_the_moment_of_a_wake_stops(worker: Worker) -> None:
    worker.start()
    await asyncio.sleep(0.02)  # it naps now
    async with asyncio.timeout(1):
        worker.wake()
        await worker.stop()


async def test_a_worker_that_never_started_stops_at_once(worker: Worker) -> None:
    async with asyncio.timeout(0.1):
        await worker.stop()
        await worker.stop()
