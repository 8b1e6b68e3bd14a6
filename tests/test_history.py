"""What became of wishes: pages, what waits, what can be shown or taken back, where clips are."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from bot import ids
from bot.database import Database
from bot.history import PAGE, History
from bot.ladder import Posted
from bot.ledger import release, spend
from bot.lifecycle import Clip, Event, Failure, Job, State, advance
from bot.store import Store
from tests.conftest import NOON, UNLIMITED, make_job

MIA, NOAH = 3000, 3001
WAY = {
    State.QUEUED: (),
    State.SUBMITTING: (Event.SUBMIT,),
    State.RENDERING: (Event.SUBMIT, Event.ACCEPTED),
    State.RENDERED: (Event.SUBMIT, Event.ACCEPTED, Event.FINISHED),
    State.LOST: (Event.SUBMIT, Event.ACCEPTED, Event.GIVE_UP),
    State.DELIVERED: (Event.SUBMIT, Event.ACCEPTED, Event.FINISHED, Event.POSTED),
    State.FAILED: (Event.SUBMIT, Event.REFUSED),
}


@pytest.fixture
def history(database: Database) -> History:
    return History(database)


def clip_of(job: Job, **changes: Any) -> Clip:
    clip = Clip(
        job_id=job.id,
        ordinal=0,
        video_uuid=f"video-{job.id}",
        url="https://vm.example/0.mp4",
        seed=7,
        cost_micro=184_800,
    )
    return replace(clip, **changes)


async def put(store: Store, state: State, **changes: Any) -> Job:
    """Have a job come to a state, as it would."""
    job = (await store.accept(make_job(**changes), UNLIMITED)).job
    for event in WAY[state]:
        extra: dict[str, Any] = {}
        resolution, clips = None, []
        if event is Event.FINISHED:
            resolution = spend(job, 190_000, NOON + 5)
            clips = [clip_of(job, cost_micro=190_000)]
        if event in (Event.REFUSED, Event.GIVE_UP):
            resolution = release(job, NOON + 5)
            extra = {"failure": Failure.REFUSED} if event is Event.REFUSED else {}
        if event is Event.POSTED:
            extra = {"message_id": 900, "message_channel_id": 2000}
        job = await store.move(
            job, advance(job, event, NOON + 5, **extra), resolution=resolution, clips=clips
        )
    return job


async def test_what_waits_to_be_posted_comes_first_and_then_the_newest(
    store: Store, history: History
) -> None:
    made = [
        await put(store, state, member_id=MIA, created_at=NOON + number)
        for number, state in enumerate(
            (State.RENDERED, State.DELIVERED, State.FAILED, State.RENDERED, State.QUEUED)
        )
    ]
    await put(store, State.DELIVERED, member_id=NOAH)
    await put(store, State.DELIVERED, member_id=MIA, guild_id=1001)
    page = await history.page(1000, MIA, 0)
    assert [job.id for job in page.jobs] == [made[place].id for place in (0, 3, 4, 2, 1)]
    assert (page.number, page.of) == (0, 1)


async def test_pages_hold_each_clip_once_and_a_page_too_far_is_the_last(
    store: Store, history: History
) -> None:
    kept = [await put(store, State.RENDERED, created_at=NOON + n) for n in range(PAGE + 2)]
    rest = [await put(store, State.FAILED, created_at=NOON + 100 + n) for n in range(PAGE)]
    pages = [await history.page(1000, MIA, number) for number in range(4)]
    assert [page.of for page in pages] == [3] * 4
    assert [page.number for page in pages] == [0, 1, 2, 2]
    listed = [job.id for page in pages[:3] for job in page.jobs]
    assert listed == [job.id for job in (*kept, *reversed(rest))]


async def test_who_has_asked_for_nothing_has_one_empty_page(history: History) -> None:
    page = await history.page(1000, MIA, 5)
    assert (page.jobs, page.number, page.of) == ((), 0, 1)


async def test_what_is_in_the_making_is_listed_with_its_place_in_line(
    store: Store, history: History
) -> None:
    jobs = {
        state: await put(store, state, created_at=NOON + number) for number, state in enumerate(WAY)
    }
    hers = await put(store, State.QUEUED, member_id=NOAH, created_at=NOON + 50)
    mine = await history.waiting(1000, MIA)
    open_ones = [State.QUEUED, State.SUBMITTING, State.RENDERING, State.RENDERED]
    assert [one.job.id for one in mine] == [jobs[state].id for state in open_ones]
    assert [one.ahead for one in mine] == [0, None, None, None]
    everybodys = await history.waiting(1000)
    assert [one.job.id for one in everybodys][-1] == hers.id
    assert everybodys[-1].ahead == 1
    assert await history.waiting(1001) == ()


async def test_a_record_has_what_was_booked(store: Store, history: History) -> None:
    paid = await history.record((await put(store, State.DELIVERED)).id)
    assert paid is not None
    assert (paid.spent_micro, paid.held_micro, paid.clips) == (190_000, 0, 1)
    waits = await history.record((await put(store, State.QUEUED)).id)
    assert waits is not None
    assert (waits.spent_micro, waits.held_micro, waits.clips) == (0, 190_000, 0)
    assert await history.record("nobody") is None
    assert await history.job("nobody") is None


async def test_one_types_the_beginning_of_an_id(store: Store, history: History) -> None:
    shown = [await put(store, state) for state in (State.RENDERED, State.DELIVERED)]
    for state in (State.QUEUED, State.RENDERING, State.FAILED, State.LOST):
        await put(store, state)
    await put(store, State.DELIVERED, member_id=NOAH)
    assert {job.id for job in await history.shown(1000, MIA, "")} == {job.id for job in shown}
    (found,) = await history.shown(1000, MIA, f" {shown[1].short_id.upper()} ")
    assert found.id == shown[1].id
    (found,) = await history.shown(1000, MIA, shown[0].id)
    assert found.id == shown[0].id
    assert not await history.shown(1000, MIA, "%")


@pytest.mark.parametrize("number", range(3))
async def test_short_ids_are_found_whatever_way_their_ids_are_made(
    store: Store, history: History, number: int
) -> None:
    given = [*(ids.job_id(NOON + n, str(uuid4())) for n in range(3)), str(uuid4())]
    made = [await put(store, State.DELIVERED, id=one) for one in given]
    for job in made:
        (found,) = await history.shown(1000, MIA, job.short_id[: 8 - number])
        assert found.id == job.id


async def test_what_somebody_types_is_found_among_their_own_and_what_waits(
    store: Store, history: History
) -> None:
    mine = await put(store, State.FAILED)
    hers = await put(store, State.DELIVERED, member_id=NOAH)
    waits = await put(store, State.QUEUED, member_id=NOAH)
    for job in (mine, waits):
        for typed in (job.id, job.short_id, f" {job.short_id.upper()}"):
            assert await history.meant(1000, MIA, typed) == job.id
    assert await history.meant(1000, MIA, hers.id) == hers.id  # whether she may, is asked then
    for typed in (hers.short_id, mine.short_id[:5], "", "nothing"):
        assert await history.meant(1000, MIA, typed) is None
    assert await history.meant(1001, MIA, mine.id) is None


async def test_only_what_waits_in_line_is_offered_to_be_taken_back(
    store: Store, history: History
) -> None:
    for state in WAY:
        await put(store, state)
    hers = await put(store, State.QUEUED, member_id=NOAH)
    assert [job.state for job in await history.queued(1000, MIA, "")] == [State.QUEUED]
    assert hers.id in {job.id for job in await history.queued(1000, None, "")}
    assert not await history.queued(1001, None, "")


async def test_a_clip_is_deleted_once_and_is_not_shown_again(
    store: Store, history: History
) -> None:
    job = await put(store, State.DELIVERED)
    assert await history.delete(job, NOON + 9)
    assert not await history.delete(job, NOON + 10)
    gone = await history.job(job.id)
    assert gone is not None
    assert gone == replace(job, deleted_at=NOON + 9)
    assert not await history.shown(1000, MIA, "")
    assert [one.id for one in (await history.page(1000, MIA, 0)).jobs] == [job.id]


@pytest.mark.parametrize("state", [state for state in WAY if state is not State.DELIVERED])
async def test_what_was_not_delivered_cannot_be_marked_as_deleted(
    store: Store, history: History, state: State
) -> None:
    job = await put(store, state)
    assert not await history.delete(job, NOON + 9)
    assert await history.job(job.id) == job


async def test_every_message_with_a_clip_is_known(store: Store, history: History) -> None:
    job = await put(store, State.DELIVERED)
    await history.note_post(job.id, Posted(2001, 901))
    await history.note_post(job.id, Posted(2001, 901))
    await history.note_post(job.id, Posted(2000, 900))
    assert await history.posts(job) == (Posted(2000, 900), Posted(2001, 901))
    waits = await put(store, State.RENDERED)
    assert await history.posts(waits) == ()
