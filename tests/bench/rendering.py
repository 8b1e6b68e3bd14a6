"""Thousands of jobs that are being made: in the bot's own database, and at the local Runware.

The database gets them through the store, as accepting and sending them does. The service gets the
first one through its API and the others as copies of that, for it keeps one picture of all.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import httpx

from bot import lifecycle
from bot.corridor import clock
from bot.database import Database
from bot.ledger import spend
from bot.lifecycle import Event, Job
from bot.parcel import Wanted
from bot.provider import Provider
from bot.sandbox.runware.server import LocalRunware
from bot.store import Store
from bot.task import Frame
from tests.bench import million
from tests.bench.waiting import first_frame
from tests.conftest import UNLIMITED

JOBS = 5000
AGES = 120
"""Seconds: the oldest of them was accepted so long ago, the newest a moment ago."""
_RENDERS = range(60, 180, 5)
"""Seconds that clips took before: nearly every job is of an age at which it may be ready."""


async def prepare(folder: Path, runware: LocalRunware) -> list[Job]:
    """Have `JOBS` jobs render, spread over `AGES`; return them, oldest first."""
    chance = Random(1)
    now = clock()
    moments = (now - AGES * 1000 + AGES * 1000 * place // JOBS for place in range(JOBS))
    jobs = [million.job(chance, at) for at in moments]
    async with Database(folder) as database:
        store = Store(database)
        for place, seconds in enumerate(_RENDERS):
            ended = now - AGES * 1000 - 1 - place
            job = await _sent(store, million.job(chance, ended - seconds * 1000))
            await _seen(store, job, ended)
        await asyncio.gather(*(_sent(store, job) for job in jobs))
    await _accept(runware, jobs)
    return jobs


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


async def _accept(runware: LocalRunware, jobs: Sequence[Job]) -> None:
    first, *others = jobs
    picture = Frame.data_uri(await asyncio.to_thread(first_frame))
    async with httpx.AsyncClient() as http:
        provider = Provider(http, runware.url, "a-key")
        await provider.submit([Wanted(first.task_uuid, first.order, picture)])
    book = runware.ledger.book
    like = book.tasks[first.task_uuid]
    for job in others:
        book.accept(
            replace(like.order, task_uuid=job.task_uuid),
            like.picture,
            like.outcome,
            like.request,
            like.accepted_at,
        )
