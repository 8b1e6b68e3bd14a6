"""The pages of a server's log: what is on one, when it is posted, and what a crash makes of it."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bot.accounts import Server as Accounting
from bot.admin import Admin, Change
from bot.database import Database
from bot.ledger import release, spend
from bot.lifecycle import Clip, Event, Failure, Job, advance
from bot.lines import Line
from bot.pages import MOST_LINES, Page, Pages
from bot.policies import Policies
from bot.policy import Policy
from bot.store import Store
from tests.conftest import NOON, UNLIMITED, Clock, JobFactory

GUILD, LOG = 1000, 555
HOUR, DAY = 3_600_000, 86_400_000


class Server:
    """A server with a log, and what happens in it."""

    def __init__(self, database: Database, clock: Clock, job_factory: JobFactory) -> None:
        self.database = database
        self.clock = clock
        self.store = Store(database)
        self.policies = Policies(database)
        self.pages = Pages(database, clock, lambda: 1.0)
        self.job_factory = job_factory

    @property
    def change(self) -> Change:
        return Change(guild_id=GUILD, actor_id=1, at=self.clock(), reason="")

    async def rule(self, **rules: Any) -> None:
        await self.policies.change(self.change, lambda _: Policy(**rules))

    async def zone(self, name: str, weeks_ago: int = 0) -> None:
        change = replace(self.change, at=self.clock() - weeks_ago * 7 * 86_400_000)
        await Admin(self.database).set_server(change, lambda _: Accounting(timezone=name))

    async def accepted(self, **changes: Any) -> Job:
        now = self.clock()
        job = self.job_factory(created_at=now, **changes)
        return (await self.store.accept(job, UNLIMITED)).job

    async def rendered(self, clips: int = 1, **changes: Any) -> Job:
        job = await self.accepted(**changes)
        for event in (Event.SUBMIT, Event.ACCEPTED):
            job = await self.store.move(job, advance(job, event, self.clock()))
        made = [
            Clip(
                job_id=job.id,
                ordinal=ordinal,
                video_uuid=f"{job.id} {ordinal}",
                url="x",
                seed=1,
                cost_micro=5,
            )
            for ordinal in range(clips)
        ]
        after = advance(job, Event.FINISHED, self.clock())
        paid = spend(job, 5, self.clock())
        return await self.store.move(job, after, resolution=paid, clips=made)

    async def delivered(self, **changes: Any) -> Job:
        return await self.posted(await self.rendered(**changes))

    async def posted(self, job: Job) -> Job:
        done = advance(
            job, Event.POSTED, self.clock(), message_id=9, message_channel_id=job.channel_id
        )
        return await self.store.move(job, done)

    async def failed(self, failure: Failure) -> Job:
        job = await self.accepted()
        event = Event.CANCEL if failure is Failure.CANCELLED else Event.GIVE_UP
        after = advance(job, event, self.clock(), failure=failure)
        return await self.store.move(job, after, resolution=release(job, self.clock()))

    async def next(self, days: tuple[date, date] | None = None) -> Page:
        page = await self.pages.next(GUILD, LOG, days)
        assert page is not None
        return page


def ids(page: Page) -> list[str]:
    return [told.job.id for told in page.lines]


@pytest.fixture
async def here(database: Database, clock: Clock, job_factory: JobFactory) -> Server:
    server = Server(database, clock, job_factory)
    await server.rule(log_channel_id=LOG)
    return server


# --- What leaves a line --------------------------------------------------------------------------


async def test_what_is_at_its_end_leaves_one_line(here: Server) -> None:
    done, broken = await here.delivered(), await here.failed(Failure.SILENT)
    page = await here.next()
    assert [(told.line, told.job, told.spent_micro) for told in page.lines] == [
        (Line.DELIVERED, done, 5),
        (Line.FAILED, broken, 0),
    ]
    assert [told.clips for told in page.lines] == [1, 0]
    await here.pages.posted(page)
    assert await here.pages.waiting() == []
    assert await here.pages.next(GUILD, LOG) is None


async def test_a_line_knows_how_many_clips_were_made(here: Server) -> None:
    await here.posted(await here.rendered(clips=4))
    assert [told.clips for told in (await here.next()).lines] == [4]


async def test_what_was_taken_back_leaves_none(here: Server) -> None:
    await here.failed(Failure.CANCELLED)
    assert await here.pages.waiting() == []


async def test_without_a_log_nothing_is_kept(here: Server) -> None:
    await here.rule(has_replies=False)
    await here.delivered()
    await here.delivered(guild_id=GUILD + 1)
    assert await here.pages.waiting() == []


async def test_the_same_is_told_once_however_often_it_happens(here: Server) -> None:
    job = await here.rendered()
    for _ in range(3):
        await here.store.tell(job, Line.STUCK)
    page = await here.next()
    assert [told.line for told in page.lines] == [Line.STUCK]
    await here.pages.posted(page)
    await here.store.tell(job, Line.STUCK)
    assert await here.pages.waiting() == []
    await here.posted(job)
    assert [told.line for told in (await here.next()).lines] == [Line.DELIVERED]


async def test_that_a_clip_waited_is_not_told_when_it_waits_no_more(here: Server) -> None:
    job = await here.rendered()
    await here.store.tell(job, Line.HELD)
    await here.posted(job)
    assert [told.line for told in (await here.next()).lines] == [Line.DELIVERED]


# --- What is on a page ---------------------------------------------------------------------------


async def test_lines_come_together_as_many_as_fit_and_in_their_order(here: Server) -> None:
    jobs = [await here.delivered() for _ in range(MOST_LINES + 3)]
    seen: list[str] = []
    for many in (MOST_LINES, 3):
        page = await here.next()
        assert len(page.lines) == many
        seen += ids(page)
        await here.pages.posted(page)
    assert seen == [job.id for job in jobs]


async def test_a_clip_that_is_held_has_a_page_of_its_own(here: Server) -> None:
    first, held = await here.delivered(), await here.rendered()
    await here.store.tell(held, Line.HELD)
    last = await here.delivered()
    for job in (first, held, last):
        page = await here.next()
        assert ids(page) == [job.id]
        await here.pages.posted(page)


async def test_no_two_pages_have_the_same_time(here: Server) -> None:
    times = []
    for _ in range(3):
        await here.delivered()
        page = await here.next()
        times.append(page.at)
        await here.pages.posted(page)
    assert times == [NOON, NOON + 1000, NOON + 2000]


# --- Tries ---------------------------------------------------------------------------------------


async def test_a_try_is_counted_before_it_is_made_and_the_next_one_waits_longer(
    here: Server,
) -> None:
    job = await here.delivered()
    pauses, before = [], here.clock()
    for tries in range(12):
        while (page := await here.pages.next(GUILD, LOG)) is None:
            here.clock.forward(seconds=1)
        assert (page.tries, page.at, ids(page)) == (tries, NOON, [job.id])
        pauses.append((here.clock() - before) // 1000)
        before = here.clock()
    assert pauses == [0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


async def test_what_happens_meanwhile_is_on_the_next_page(here: Server) -> None:
    first = await here.delivered()
    await here.next()
    second = await here.delivered()
    here.clock.forward(seconds=5)
    page = await here.next()
    assert ids(page) == [first.id]
    await here.pages.posted(page)
    assert ids(await here.next()) == [second.id]


async def test_a_page_goes_where_the_log_is_now(here: Server) -> None:
    await here.delivered()
    await here.next()
    page = await here.pages.next(GUILD, LOG + 1)
    assert page is not None
    assert (page.channel_id, page.tries) == (LOG + 1, 0)


async def test_what_waits_for_a_day_is_dropped(here: Server) -> None:
    await here.delivered()
    await here.next()
    here.clock.forward(seconds=DAY // 1000 + 1)
    job = await here.delivered()
    assert await here.pages.sweep() == 1
    assert ids(await here.next()) == [job.id]


async def test_a_log_that_is_given_up_is_forgotten_with_what_waited(here: Server) -> None:
    await here.delivered()
    await here.next()
    await here.pages.drop(GUILD)
    assert await here.pages.waiting() == []


# --- Digests -------------------------------------------------------------------------------------

TODAY = date(2026, 11, 7)


async def due(here: Server) -> list[tuple[date, date]]:
    return [(first, last) for guild, first, last in await here.pages.digests() if guild == GUILD]


async def with_digest(here: Server, zone: str = "UTC") -> None:
    await here.zone(zone, weeks_ago=1)
    await here.rule(log_channel_id=LOG, has_digest=True)
    assert await due(here) == []


async def test_a_day_is_told_when_it_is_over_and_once(here: Server) -> None:
    await with_digest(here)
    here.clock.forward(seconds=12 * 3600 - 1)
    assert await due(here) == []
    here.clock.forward(seconds=1)
    assert await due(here) == [(TODAY, TODAY)]
    page = await here.next((TODAY, TODAY))
    assert page.days == (TODAY, TODAY)
    assert await due(here) == [(TODAY, TODAY)], "a crash here would lose it"
    await here.pages.posted(page)
    assert await due(here) == []
    here.clock.forward(seconds=86_400)
    tomorrow = TODAY + timedelta(days=1)
    assert await due(here) == [(tomorrow, tomorrow)]


async def test_a_digest_that_was_begun_keeps_its_days(here: Server) -> None:
    await with_digest(here)
    here.clock.forward(seconds=86_400)
    first = await here.next((TODAY, TODAY))
    here.clock.forward(seconds=60)
    again = await here.next((TODAY, TODAY + timedelta(days=3)))
    assert again == replace(first, tries=1)


async def test_days_that_were_missed_are_told_together(here: Server) -> None:
    await with_digest(here)
    here.clock.forward(seconds=5 * 86_400)
    assert await due(here) == [(TODAY, TODAY + timedelta(days=4))]


async def test_lines_come_before_a_digest(here: Server) -> None:
    await with_digest(here)
    job = await here.delivered()
    here.clock.forward(seconds=86_400)
    page = await here.next((TODAY, TODAY))
    assert (ids(page), page.days) == ([job.id], None)
    await here.pages.posted(page)
    assert (await here.next((TODAY, TODAY))).days == (TODAY, TODAY)


@pytest.mark.parametrize(
    ("zone", "start", "midnight"),
    [
        ("Europe/Berlin", "2026-11-07T12:00+00:00", "2026-11-07T23:00+00:00"),
        # 25 and 23 hours long: the clocks go back, and forward.
        ("Europe/Berlin", "2026-10-24T23:00+00:00", "2026-10-25T23:00+00:00"),
        ("Europe/Berlin", "2027-03-27T23:30+00:00", "2027-03-28T22:00+00:00"),
        # Where they go forward at midnight, the day begins at one o'clock.
        ("America/Santiago", "2026-09-05T12:00+00:00", "2026-09-06T04:00+00:00"),
        ("Asia/Kathmandu", "2026-11-07T12:00+00:00", "2026-11-07T18:15+00:00"),
        ("Pacific/Kiritimati", "2026-11-07T12:00+00:00", "2026-11-08T10:00+00:00"),
    ],
)
async def test_a_day_ends_at_midnight_in_the_servers_zone(
    here: Server, zone: str, start: str, midnight: str
) -> None:
    here.clock.now = round(datetime.fromisoformat(start).timestamp() * 1000)
    await with_digest(here, zone)
    here.clock.now = round(datetime.fromisoformat(midnight).timestamp() * 1000) - 1
    assert await due(here) == []
    here.clock.now += 1
    assert len(await due(here)) == 1


async def test_a_digest_that_was_off_begins_anew(here: Server) -> None:
    await with_digest(here)
    await here.rule(log_channel_id=LOG)
    await here.pages.digests()
    here.clock.forward(seconds=30 * 86_400)
    await with_digest(here)


async def test_a_change_of_the_zone_tells_no_day_twice(here: Server) -> None:
    await with_digest(here, "Pacific/Kiritimati")
    here.clock.forward(seconds=86_400)
    ((first, last),) = await due(here)
    await here.pages.posted(await here.next((first, last)))
    await here.zone("Pacific/Pago_Pago")  # a day earlier
    assert await due(here) == []
    here.clock.forward(seconds=2 * 86_400)
    ((again, _),) = await due(here)
    assert again == last + timedelta(days=1)
