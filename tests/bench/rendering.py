"""Jobs that are being made: in the bot's own database, and at a local Runware.

The database gets them through the store, as accepting and sending them does, and the service
through its API.
"""

import asyncio
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image

from bot import lifecycle, transport
from bot.corridor import clock
from bot.database import Database
from bot.ledger import spend
from bot.lifecycle import Event, Job
from bot.parcel import Wanted
from bot.provider import Provider
from bot.store import Store
from bot.task import Frame
from tests.bench import million
from tests.conftest import UNLIMITED

JOBS = 5000
AGES = 120
"""Seconds: the oldest of them was accepted so long ago, the newest a moment ago."""
_RENDERS = range(60, 180, 5)
"""Seconds that clips took before: nearly every job is of an age at which it may be ready."""
_AT_ONCE = 500


def crowd(count: int = JOBS) -> list[Job]:
    """Return what so many members ask for, spread over `AGES`, oldest first."""
    chance = Random(1)
    begun = clock() - AGES * 1000
    return [million.job(chance, begun + AGES * 1000 * place // count) for place in range(count)]


async def prepare(
    folder: Path,
    url: str,
    jobs: Sequence[Job],
    callback_url: Callable[[str], str] | None = None,
) -> None:
    """Have these jobs render; it is known how long such clips take."""
    chance = Random(2)
    begun = min(job.created_at for job in jobs)
    async with Database(folder) as database:
        store = Store(database)
        for place, seconds in enumerate(_RENDERS):
            ended = begun - 1 - place
            job = await _sent(store, million.job(chance, ended - seconds * 1000))
            await _seen(store, job, ended)
        await asyncio.gather(*(_sent(store, job) for job in jobs))
    await _accept(jobs, url, callback_url)


async def _sent(store: Store, job: Job) -> Job:
    """Take a job to where the service has it."""
    await store.accept(job, UNLIMITED)
    for event in (Event.SUBMIT, Event.ACCEPTED):
        job = await store.move(job, lifecycle.advance(job, event, job.created_at))
    return job


async def _seen(store: Store, job: Job, at: int) -> None:
    """End a job's rendering: from now on it is known how long such a clip takes.

    It is in the channel already, as far as the bot is concerned.
    """
    rendered = lifecycle.advance(job, Event.FINISHED, at)
    rendered = await store.move(job, rendered, resolution=spend(job, job.quote_micro, at))
    posted = lifecycle.advance(rendered, Event.POSTED, at, message_id=1)
    await store.move(rendered, posted)


async def _accept(jobs: Sequence[Job], url: str, callback_url: Callable[[str], str] | None) -> None:
    picture = Frame.data_uri(_plain_picture())
    wanted = [Wanted(job.task_uuid, job.order, picture) for job in jobs]
    async with transport.client() as http:
        provider = Provider(http, url, "a-key", callback_url)
        for place in range(0, len(wanted), _AT_ONCE):
            outcomes = await provider.submit(wanted[place : place + _AT_ONCE])
            assert set(outcomes.values()) == {None}


def _plain_picture() -> bytes:
    """Return the smallest picture that is taken: the service gets thousands of them."""
    out = BytesIO()
    Image.new("RGB", (300, 300), "teal").save(out, "JPEG")
    return out.getvalue()
