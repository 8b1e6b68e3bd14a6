"""One life of the bot in the simulation: the real parts, put together as the real bot does."""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache

import httpx

from bot.accounts import Accounts
from bot.answers import Answers
from bot.catalog import Model
from bot.copies import Copies
from bot.delivery import Delivery
from bot.gate import Gate
from bot.handover import Hands
from bot.history import History
from bot.intake import Intake
from bot.keeper import ClipFiles, Keeper
from bot.media import Media
from bot.members import Members
from bot.packing import Packing
from bot.pipeline import Pipeline
from bot.places import Places
from bot.policies import Policies
from bot.provider import Provider
from bot.review import Review
from bot.rules import Limits
from bot.shelf import Shelf
from bot.status import embed
from bot.store import Store
from bot.words import Note
from bot.worker import Worker
from tests.conftest import NOON
from tests.corridor import model
from tests.simulation.chat import Chat
from tests.simulation.client import SimulatedClient
from tests.simulation.disk import Disk, SimulatedDatabase, SimulatedPictures
from tests.simulation.runware import URL, Runware
from tests.simulation.weather import Side
from tests.simulation.web import PICTURES, SimulatedWeb
from tests.simulation.wire import Answer, NoAnswer, Wire

SIDES = (64, 48)
_MOST_BYTES = 1_000_000
_MOST_UPLOADED = 20_000_000


@cache
def small_model() -> Model:
    """Return the default model, with pictures that cost no time."""
    record = model()
    rules = record.picture.model_copy(update={"least_side": 16})
    return record.model_copy(update={"sizes": (SIDES,), "picture": rules})


@dataclass(frozen=True, slots=True)
class Habits:
    """The settings of a run's bot."""

    look_every: float
    patience: float
    """Seconds until a task is given up."""
    keep_for: float
    """Seconds for which a clip is kept after it was posted."""
    sweeps_every: float
    """Seconds between two rounds of who sweeps the clips."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is there whether the bot lives or not."""

    wire: Wire
    runware: Runware
    chat: Chat
    disk: Disk
    pictures: dict[str, bytes]
    """What members handed to Discord, by path."""
    chance: random.Random


class Life:
    """`await start()`, then `intake`; `await stop()` only where it ends in peace."""

    def __init__(self, around: Surroundings, habits: Habits) -> None:
        chance = around.chance
        self._around = around
        self._loop = asyncio.get_running_loop()
        database = SimulatedDatabase(around.disk)
        self.store = Store(database)
        client = SimulatedClient(around.wire, around.chat)
        self.http = httpx.AsyncClient(
            transport=SimulatedWeb(around.wire, around.runware, around.pictures), trust_env=False
        )
        answers = Answers(database, self._clock)
        places = Places(client, _MOST_UPLOADED)
        self.delivery = Delivery(client, places, answers)
        self.pictures = SimulatedPictures(around.disk.folder / "pictures", around.wire.peril)
        provider = Provider(self.http, URL, "key", models={small_model().id: small_model()})
        self.gate = Gate(provider.balance_micro, chance.random)
        files = ClipFiles(
            folder=around.disk.folder / "clips", keep_for=habits.keep_for, most_bytes=_MOST_BYTES
        )
        hands = Hands(
            delivery=self.delivery,
            packing=Packing(self.delivery, Copies(), places, 7 * 86_400),
            review=Review(database, places, self._clock, policy_of=Policies(database).policy),
            answers=answers,
            files=files,
            members=Members(database),
            history=History(database),
        )
        self.pipeline = Pipeline(
            store=self.store,
            provider=provider,
            gate=self.gate,
            hands=hands,
            pictures=self.pictures,
            accounts=Accounts(database, Limits()),
            look_every=habits.look_every,
            give_up_after=habits.patience,
            clock=self._clock,
            chance=chance.random,
        )
        self.worker = Worker(self.pipeline.watch, self.pipeline, self._clock)
        shelf = Shelf(database, self._clock, self.worker.wake)
        self.keeper = Keeper(
            files, self.store, shelf, answers, self._clock, every=habits.sweeps_every
        )
        self.intake = Intake(
            store=self.store,
            policies=Policies(database),
            gate=self.gate,
            media=Media(self.http, (PICTURES,), 1_000_000),
            delivery=self.delivery,
            pictures=self.pictures,
            model=small_model(),
            limits=Limits(),
            most_pixels=1_000_000,
            queue_most=100,
            clock=self._clock,
            new_uuid=lambda: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            wake=self.worker.wake,
        )
        self.is_open = False

    def _clock(self) -> int:
        return NOON + round(self._loop.time() * 1000)

    async def start(self) -> None:
        """Take up what is there, then let people in."""
        await self.pipeline.recover()
        self.worker.start()
        self.keeper.start()
        self.is_open = True

    async def stop(self) -> None:
        """End as on SIGTERM."""
        self.is_open = self.intake.is_open = False
        await self.worker.stop()
        await self.keeper.stop()
        await self.gate.stop()
        await self.delivery.close(2.0)
        await self.http.aclose()

    def reply_to(self, message_id: int) -> Callable[[Note], Awaitable[None]]:
        """Return what edits a placeholder through the interaction that made it."""
        wire, chat = self._around.wire, self._around.chat

        async def reply(note: Note) -> None:
            def handle() -> Answer:
                chat.edit(message_id, dict(embed(note).to_dict()))
                return Answer()

            try:
                answer = await wire.exchange(Side.DISCORD, "reply", handle, 300)
            except NoAnswer:
                raise TimeoutError from None
            if answer.status != 200:
                raise TimeoutError

        return reply
