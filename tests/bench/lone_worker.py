"""Ours, without Discord: the production worker, from stored jobs to their booked results.

Run as a process, `python -m tests.bench.lone_worker ORDER`, where ORDER is a `LifeOrder` as JSON.
Store, pipeline, worker and provider are the bot's own. It stops where the clips would be fetched,
because that is where the peer stops.
"""

import asyncio
import json
import os
import random
import sys
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import discord

from bot import transport
from bot.accounts import Accounts
from bot.answers import Answers
from bot.copies import Copies
from bot.corridor import clock
from bot.database import Database
from bot.delivery import Delivery
from bot.gate import Gate
from bot.handover import Hands
from bot.history import History
from bot.hooks import Bell, Signer
from bot.keeper import ClipFiles
from bot.ledger import Kind, Resolution
from bot.lifecycle import Clip, Job, Order
from bot.members import Members
from bot.packing import Packing
from bot.pictures import Pictures
from bot.pipeline import Pipeline
from bot.places import MIB, Places
from bot.policies import Policies
from bot.provider import Provider
from bot.review import Review
from bot.rules import Limits
from bot.status import Reply
from bot.store import Store
from bot.words import Note
from bot.worker import Worker
from tests.bench.life import LifeOrder, report

UNLIMITED = Limits()
MODEL = "klingai:2@1"


class WatchedStore(Store):
    """The store, which notes when the result of a task is in the books."""

    def __init__(self, database: Database, wanted: int) -> None:
        super().__init__(database)
        self.seen: dict[str, float] = {}
        self.all_seen = asyncio.Event()
        self._wanted = wanted

    async def move(
        self,
        before: Job,
        after: Job,
        *,
        resolution: Resolution | None = None,
        clips: Iterable[Clip] = (),
        posts: Iterable[tuple[int, int]] = (),
    ) -> Job:
        moved = await super().move(before, after, resolution=resolution, clips=clips, posts=posts)
        if resolution is not None and resolution.kind is Kind.SPEND:
            self.seen[before.task_uuid] = time.monotonic()
            if len(self.seen) == self._wanted:
                self.all_seen.set()
        return moved


class LookingProvider(Provider):
    """The client of the service, which never gets a clip fetched: results are seen, no more."""

    async def fetch(self, url: str, path: Path, most_bytes: int = 0) -> NoReturn:
        del url, path, most_bytes
        await asyncio.Event().wait()
        raise AssertionError


class SilentDelivery(Delivery):
    """Delivery at its designed seam; what it would say to Discord is not in the figure."""

    def __init__(self) -> None:
        """Have no client."""

    def show(self, job: Job, note: Note, reply: Reply | None = None) -> None:
        """Show nothing. Nothing is ever posted: no clip is fetched."""


def _hands(folder: Path, database: Database) -> Hands:
    client = discord.Client(intents=discord.Intents.none())
    places, delivery = Places(client, MIB), SilentDelivery()
    return Hands(
        delivery=delivery,
        packing=Packing(delivery, Copies(), places, 0),
        review=Review(database, places, clock, policy_of=Policies(database).policy),
        answers=Answers(database, clock),
        files=ClipFiles(folder=folder / "clips", keep_for=0, most_bytes=1 << 40),
        members=Members(database),
        history=History(database),
    )


async def live(order: LifeOrder) -> NoReturn:
    """Have all jobs sent, looked at and booked; tell what it took, and end as a crash would."""
    folder = Path(order.folder)
    pictures = Pictures(folder / "pictures")
    async with Database(folder) as database, transport.client() as http:
        store = WatchedStore(database, order.jobs)
        signer = Signer(f"http://127.0.0.1:{order.hook_port}", b"a-key")
        callback_url = signer.url if order.hook_port else None
        provider = LookingProvider(http, order.url, "our-key", callback_url)
        pipeline = Pipeline(
            store=store,
            provider=provider,
            gate=Gate(provider.balance_micro, random.random),
            hands=_hands(folder, database),
            pictures=pictures,
            accounts=Accounts(database, UNLIMITED),
            look_every=order.look_every,
            give_up_after=86_400,
            clock=clock,
            chance=random.random,
        )
        picture = await asyncio.to_thread(Path(order.picture).read_bytes)
        for number in range(order.jobs):
            job = _job(number)
            pictures.keep(job.id, picture)
            await store.accept(job, UNLIMITED)
        worker = Worker(pipeline.watch, pipeline, clock)
        if order.hook_port:
            await _listen(order.hook_port, signer, Bell(store, clock, worker.wake))
        start_s = time.process_time()
        worker.start()
        await store.all_seen.wait()
        report(start_s, store.seen)
        os._exit(0)


async def _listen(port: int, signer: Signer, bell: Bell) -> None:
    from bot.web import Web  # noqa: PLC0415 - as in the bot, only where it is on

    async def ready() -> str:
        return ""

    await Web("127.0.0.1", port, ready, signer, bell).start()


def _job(number: int) -> Job:
    now = clock()
    return Job(
        id=str(uuid.uuid4()),
        source=f"interaction:{number}",
        task_uuid=str(uuid.uuid4()),
        guild_id=1,
        channel_id=2,
        member_id=3,
        status_message_id=4,
        order=Order(model=MODEL, width=1280, height=720, duration=5.0, guidance=0.5),
        quote_micro=184_800,
        due_at=now,
        created_at=now,
        updated_at=now,
    )


if __name__ == "__main__":
    asyncio.run(live(LifeOrder(**json.loads(sys.argv[1]))))
