"""Looks: few while a clip cannot be ready, close together while it may be, rare when it is late."""

import random
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ledger import spend
from bot.lifecycle import Event, Job, State, advance
from bot.pace import KEPT, LATE_AFTER, Pace, Usual, look_delay, took, usual
from bot.store import Store
from bot.timetable import Timetable
from tests.conftest import NOON, UNLIMITED, Clock, JobFactory, make_job, make_order
from tests.corridor import NOTHING_KNOWN, WHERE, Bot, World, world

SPANS = st.lists(st.floats(0, LATE_AFTER), min_size=5, max_size=KEPT)
AGES = st.floats(0, 10**6)
LEAST = st.floats(0.5, 60)
"""What may be set is from 0.05 on; that would be as right, and slow."""


def known(*took: float) -> Usual:
    found = usual(took)
    assert found is not None
    return found


def looks_at(ready: float, what_is_known: Usual | None, least: float = 1.0) -> Iterator[float]:
    """The ages at which a task is looked at, up to the one that finds its clip ready."""
    age = least
    while age < ready:
        yield age
        age += look_delay(age, least, what_is_known)
    yield age


# --- What is known -------------------------------------------------------------------------------


def test_a_few_clips_say_nothing_and_five_do() -> None:
    assert usual([60, 61, 62, 63]) is None
    assert known(64, 60, 61, 62, 63) == Usual(fastest=60, median=62, most=64, slowest=64)


def test_what_is_usual_is_from_the_middle_to_what_nine_of_ten_took() -> None:
    found = known(*range(101))
    assert (found.fastest, found.median, found.most, found.slowest) == (0, 50, 90, 100)


def test_only_the_last_clips_of_each_kind_are_remembered() -> None:
    pace = Pace()
    for _ in range(5):
        pace.note("old", 1_000)
    for seconds in (1, 500, *[60] * (KEPT - 1)):
        pace.note("kind", seconds * 1000)
    assert pace.usual("kind") == known(500, *[60] * (KEPT - 1))
    assert pace.usual("old") == known(*[1] * 5)
    assert pace.usual("other") is None


@pytest.mark.parametrize(
    ("before", "after", "seconds", "expected"),
    [
        (State.RENDERING, State.RENDERED, 83, 83_000),
        (State.RENDERING, State.RENDERED, 0, 0),
        (State.RENDERING, State.RENDERED, LATE_AFTER, None),
        (State.RENDERING, State.RENDERED, -1, None),
        (State.RENDERING, State.FAILED, 83, None),
        (State.LOST, State.RENDERED, 83, None),
        (State.RENDERED, State.DELIVERED, 83, None),
    ],
)
def test_a_clip_that_came_in_time_teaches_how_long_such_clips_take(
    job_factory: JobFactory, before: State, after: State, seconds: int, expected: int | None
) -> None:
    job = job_factory(state=before)
    later = replace(job, state=after, updated_at=job.updated_at + seconds * 1000)
    assert took(job, later) == expected


# --- When to look --------------------------------------------------------------------------------


def test_without_experience_looks_come_often_at_first_then_rarely() -> None:
    looks = [look_delay(age, 2.0) for age in (0, 30, 60, 120, 600, 3600, 10**7)]
    assert looks == [2, 2, 2, 4, 20, 60, 60]
    assert all(earlier <= later for earlier, later in pairwise(looks))


def test_with_experience_looks_are_rare_then_tight_then_rare_again() -> None:
    found = known(100, 110, 120, 130, 140)
    assert (found.opens, found.closes) == (80, 168)
    looks = [look_delay(age, 1.0, found) for age in (0, 50, 75, 80, 120, 168, 188, 300, 10**7)]
    assert looks == [12, 12, 5, 1, 1, 1, 2, 10, 60]


@given(AGES, LEAST, SPANS)
def test_a_look_is_never_too_soon_and_never_farther_than_a_minute(
    age: float, least: float, took: list[float]
) -> None:
    assert least <= look_delay(age, least, usual(took)) <= max(least, 60)


@given(AGES, LEAST, SPANS)
def test_once_a_clip_may_be_ready_experience_never_makes_a_look_rarer(
    age: float, least: float, took: list[float]
) -> None:
    found = known(*took)
    later = max(found.opens, 0) + age
    assert look_delay(later, least, found) <= look_delay(later, least)


@settings(max_examples=50)
@given(st.data(), LEAST, SPANS)
def test_a_clip_that_takes_as_long_as_those_before_is_seen_with_the_next_look(
    data: st.DataObject, least: float, took: list[float]
) -> None:
    ready = data.draw(st.floats(min(took), max(took)))
    *_, seen = looks_at(ready, known(*took), least)
    assert seen - ready <= least


@settings(max_examples=50)
@given(st.floats(0, LATE_AFTER), SPANS)
def test_a_service_that_becomes_faster_is_found_out_by_the_second_clip(
    ready: float, took: list[float]
) -> None:
    """Whatever was known: the first such clip is seen soon, and the next one at once."""
    *_, seen = looks_at(ready, known(*took))
    if seen > ready + 1:
        assert ready < min(took) or ready > max(took)
    if ready < min(took):
        assert seen - ready <= 12
        *_, seen = looks_at(ready, known(*took[1:], seen, *took[:1]))
        assert seen - ready <= 1


# --- Both schedules, in a simulated day ----------------------------------------------------------


class Day:
    """Renders that begin at random moments, looked at by one timetable; time passes at once."""

    def __init__(self, spans: Sequence[float], apart: float, *, learns: bool) -> None:
        self.clock = Clock()
        self.requests = 0
        self.waits: list[float] = []
        self.minutes = sum(spans) / 60
        self.learns = learns
        self.pace = Pace()
        self.table = Timetable(
            clock=self.clock,
            chance=lambda: 1.0,
            look_every=1.0,
            give_up_after=86_400,
            pace=self.pace,
        )
        self.due = defaultdict[int, list[tuple[Job, float]]](list)
        """By the time of the look: jobs, and the seconds that each takes."""
        begin, chance = float(NOON), random.Random(7)
        for span in spans:
            begin += chance.expovariate(1 / apart) * 1000
            while self.due and min(self.due) <= begin:
                self.look()
            self.clock.now = round(begin)
            job = make_job(state=State.RENDERING, created_at=self.clock.now)
            self.due[self.table.beat(1.0)].append((job, span))
        while self.due:
            self.look()

    def look(self) -> None:
        now = self.clock.now = min(self.due)
        self.requests += 1
        for job, span in self.due.pop(now):
            took_ms = now - job.updated_at
            if took_ms < span * 1000:
                self.due[self.table.next_look(job)].append((job, span))
                continue
            self.waits.append(took_ms / 1000 - span)
            if self.learns:
                self.pace.note(job.order.clip_kind, took_ms)

    @property
    def p99(self) -> float:
        """In seconds, of what came once all is known that is ever remembered."""
        waits = sorted(self.waits[KEPT:])
        return waits[int(len(waits) * 0.99)]

    @property
    def figures(self) -> str:
        """What it came to, for people."""
        per_minute = self.requests / self.minutes
        median = sorted(self.waits)[len(self.waits) // 2]
        return (
            f"{per_minute:7.3f} requests a job-minute, seen after {median:.2f} s (median),"
            f" {self.p99:.2f} s (p99), {max(self.waits):.1f} s (latest)"
        )


def uniform(chance: random.Random) -> float:
    return chance.uniform(60, 240)


def heaped(chance: random.Random) -> float:
    return min(240.0, max(60.0, chance.lognormvariate(4.6, 0.25)))


@pytest.mark.parametrize("span", [uniform, heaped])
@pytest.mark.parametrize(("apart", "count"), [(60.0, 600), (1.0, 600)])
def test_clips_are_seen_sooner_by_experience_for_fewer_requests_early(
    capsys: pytest.CaptureFixture[str],
    span: Callable[[random.Random], float],
    apart: float,
    count: int,
) -> None:
    chance = random.Random(1)
    spans = [span(chance) for _ in range(count)]
    today, learnt = (Day(spans, apart, learns=learns) for learns in (False, True))
    with capsys.disabled():
        sys.stdout.write(
            f"\n{span.__name__}, one each {apart:g} s: {today.figures}, without experience"
            f"\n{span.__name__}, one each {apart:g} s: {learnt.figures}, with\n"
        )

    assert learnt.p99 <= 1.2
    assert learnt.p99 < today.p99


# --- What outlives the process -------------------------------------------------------------------


async def finished_after(bot: Bot, seconds: float) -> Job:
    """Have a clip made that is ready so many seconds after the service has taken it."""
    hidden = bot.world.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    job = await bot.until(await bot.accept(), [State.RENDERING])
    while await bot.next_at() < job.updated_at + seconds * 1000:
        await bot.work()
    bot.world.runware.faults.clear(hidden)
    return await bot.finished(job)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def test_people_are_told_what_is_usual_from_the_fifth_clip_on_also_after_a_restart(
    here: World,
) -> None:
    async with here.bot(look_every=1.0) as bot:
        for _ in range(5):
            await finished_after(bot, 100)
        assert not any("usually" in note.body for note in here.channel.notes)
    async with here.bot(look_every=1.0) as bot:
        await bot.pipeline.recover()
        await bot.until(await bot.accept(), [State.RENDERING])

        assert "usually about 2 min" in here.channel.notes[-1].body
        here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
        await bot.work()
        assert await bot.next_at() - here.clock() == 12_000


async def test_the_database_remembers_the_last_clips_of_a_kind_and_no_more(
    store: Store, job_factory: JobFactory
) -> None:
    for number in range(KEPT + 3):
        job = (await store.accept(job_factory(), UNLIMITED)).job
        for event in (Event.SUBMIT, Event.ACCEPTED):
            job = await store.move(job, advance(job, event, NOON))
        done = advance(job, Event.FINISHED, NOON + number * 1000)
        await store.move(job, done, resolution=spend(job, 1, NOON))

    kind = make_order().clip_kind
    assert await store.renders() == [(kind, number * 1000) for number in range(3, KEPT + 3)]
