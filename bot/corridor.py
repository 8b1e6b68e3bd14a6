"""Puts the corridor together: from the settings to the intake, the pipeline and the worker.

Loading it takes longer than loading discord.py, so `app.py` imports it while Discord answers.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import httpx

from bot import choices, encore, labels, transport
from bot.accounts import Accounts
from bot.admin import Admin
from bot.answers import Answers
from bot.approvals import Approvals
from bot.archive import Archive
from bot.cancellation import Cancellation
from bot.catalog import Model
from bot.client import AnimateBot
from bot.consent import Mediator
from bot.copies import Copies
from bot.darkroom import Darkroom
from bot.database import Database
from bot.delivery import Delivery
from bot.desk import Desk
from bot.digests import Digests
from bot.docket import Docket
from bot.drafts import Drafts
from bot.gate import Gate
from bot.handover import Hands
from bot.history import History
from bot.hooks import Bell, Signer
from bot.intake import Intake, picture_rules
from bot.keeper import Keeper
from bot.lines import Line
from bot.logbook import Logbook
from bot.media import MEGABYTE, Media
from bot.members import Members
from bot.packing import Packing
from bot.pages import Pages
from bot.pictures import Pictures
from bot.pipeline import Pipeline
from bot.places import MIB, Places
from bot.policies import Policies
from bot.privacy import Privacy
from bot.provider import KEPT_FOR_HOURS, Provider
from bot.readiness import readiness
from bot.rehearsal import Rehearsal
from bot.reissue import Reissue
from bot.removal import Removal
from bot.review import Review
from bot.rooms import Rooms
from bot.rulebook import Rulebook
from bot.rules import Limits
from bot.settings import Settings
from bot.shelf import Shelf
from bot.store import Store
from bot.whispers import Whispers
from bot.worker import Worker

if TYPE_CHECKING:
    from bot.web import Web

_FOR_ANSWERS = 4.0
"""Seconds that those get who are just being answered when the bot stops."""
_FOR_EDITS = 2.0
"""Seconds that status edits get then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """The running parts, and the one HTTP client that they share."""

    store: Store
    rooms: Rooms
    intake: Intake
    pipeline: Pipeline
    worker: Worker
    keeper: Keeper
    logbook: Logbook
    delivery: Delivery
    gate: Gate
    darkroom: Darkroom
    http: httpx.AsyncClient
    web: "Web | None"

    def start(self) -> None:
        """Begin with the clips that are open, and with all that goes round by itself."""
        self.worker.start()
        self.keeper.start()
        self.logbook.start()

    async def close(self) -> None:
        """Take nothing new, let running steps commit, and hang up; within ten seconds."""
        self.intake.shut()
        if self.web is not None:
            await self.web.stop()
        await asyncio.gather(self.worker.stop(), self.intake.close(_FOR_ANSWERS))
        await self.darkroom.close()
        await self.rooms.mediator.stop()
        await self.keeper.stop()
        await self.logbook.stop()
        await self.gate.stop()
        await asyncio.gather(self.delivery.close(_FOR_EDITS), self.rooms.whispers.close(_FOR_EDITS))
        await self.http.aclose()


def clock() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tools:
    """What both halves of the corridor work with."""

    store: Store
    gate: Gate
    hands: Hands
    pictures: Pictures
    provider: Provider
    media: Media
    accounts: Accounts
    mediator: Mediator
    policies: Policies
    darkroom: Darkroom
    limits: Limits


def build(
    settings: Settings, model: Model, database: Database, client: AnimateBot, hook_key: str
) -> Corridor:
    """Build all parts; nothing runs yet. Takes tens of milliseconds, needs no event loop."""
    http = transport.client()
    signer = Signer(settings.public_url, hook_key.encode()) if settings.public_url else None
    operator = choices.limits(settings)
    provider = _provider(settings, model, http, signer)
    hands = _hands(settings, model, database, client)
    spares = hands.files.folder if hands.files.keep_for else None
    tools = _Tools(
        store=Store(database),
        gate=Gate(provider.balance_micro, random.random),
        hands=hands,
        pictures=Pictures(settings.data_dir / "pictures", spares),
        provider=provider,
        media=Media(http, settings.discord_media_hosts, settings.picture_max_mb * MEGABYTE),
        accounts=Accounts(database, operator),
        mediator=Mediator(client, Approvals(database), clock),
        policies=Policies(database),
        darkroom=Darkroom(),
        limits=operator,
    )
    pipeline = _pipeline(settings, tools)
    worker = Worker(pipeline.watch, pipeline, clock)
    shelf = Shelf(database, clock, worker.wake)
    archive = _archive(database, client, tools)
    intake = _intake(settings, model, tools, archive, worker.wake)
    rules = picture_rules(model, settings.picture_max_megapixels * 1_000_000)
    rehearsal = Rehearsal(
        tools.media,
        model,
        rules,
        show=tools.darkroom.preview,
        prices=intake.prices,
        turnstile=intake.turnstile,
    )
    bell = Bell(tools.store, clock, worker.wake)
    return Corridor(
        store=tools.store,
        rooms=_rooms(
            database,
            client,
            tools,
            intake=intake,
            archive=archive,
            shelf=shelf,
            rehearsal=rehearsal,
        ),
        intake=intake,
        pipeline=pipeline,
        worker=worker,
        keeper=Keeper(tools.hands.files, tools.store, shelf, tools.hands.answers, clock),
        logbook=_logbook(database, client, tools),
        delivery=tools.hands.delivery,
        gate=tools.gate,
        darkroom=tools.darkroom,
        http=http,
        web=_web(settings, readiness(tools.store, intake, tools.gate, client), signer, bell),
    )


def _rooms(
    database: Database,
    client: AnimateBot,
    tools: _Tools,
    *,
    intake: Intake,
    archive: Archive,
    shelf: Shelf,
    rehearsal: Rehearsal,
) -> Rooms:
    cancellation = Cancellation(tools.store, tools.hands.delivery, tools.pictures, clock)
    policies = tools.policies
    history = History(database)
    return Rooms(
        intake=intake,
        cancellation=cancellation,
        delivery=tools.hands.delivery,
        desk=Desk(tools.accounts, Admin(database), shelf, tools.limits, clock),
        docket=Docket(history, cancellation, shelf, policies),
        drafts=Drafts(database, clock),
        history=history,
        mediator=tools.mediator,
        members=tools.hands.members,
        policies=policies,
        rehearsal=rehearsal,
        privacy=Privacy(database, tools.hands.files),
        reissue=Reissue(tools.store, history, archive, tools.hands, clock),
        removal=Removal(client, history, tools.hands, clock),
        rulebook=Rulebook(policies),
        shelf=shelf,
        whispers=Whispers(time.monotonic),
    )


def _hands(settings: Settings, model: Model, database: Database, client: AnimateBot) -> Hands:
    places = Places(client, settings.upload_limit_mb * MIB)
    answers = Answers(database, clock)
    delivery = Delivery(client, places, answers)
    hours = settings.clip_ttl_hours or KEPT_FOR_HOURS
    return Hands(
        delivery=delivery,
        packing=Packing(
            delivery,
            Copies(),
            places,
            hours * 3600,
            presses=lambda job: labels.of_clip(job, encore.longer(model, job.order)),
        ),
        review=Review(
            database,
            places,
            clock,
            policy_of=Policies(database).policy,
            tell=partial(Store(database).tell, line=Line.HELD),
        ),
        answers=answers,
        files=choices.clip_files(settings),
        members=Members(database),
        history=History(database),
    )


def _logbook(database: Database, client: AnimateBot, tools: _Tools) -> Logbook:
    pages = Pages(database, clock, random.random)
    return Logbook(client, pages, Digests(database, tools.accounts), tools.policies, clock)


def _archive(database: Database, client: AnimateBot, tools: _Tools) -> Archive:
    return Archive(
        client=client,
        store=tools.store,
        history=History(database),
        files=tools.hands.files,
        pictures=tools.pictures,
        media=tools.media,
    )


def _pipeline(settings: Settings, tools: _Tools) -> Pipeline:
    return Pipeline(
        store=tools.store,
        provider=tools.provider,
        gate=tools.gate,
        hands=tools.hands,
        pictures=tools.pictures,
        accounts=tools.accounts,
        look_every=settings.look_every_seconds,
        give_up_after=settings.give_up_hours * 3600,
        clock=clock,
        chance=random.random,
    )


def _intake(
    settings: Settings, model: Model, tools: _Tools, archive: Archive, wake: Callable[[], None]
) -> Intake:
    return Intake(
        store=tools.store,
        policies=tools.policies,
        gate=tools.gate,
        media=tools.media,
        delivery=tools.hands.delivery,
        pictures=tools.pictures,
        model=model,
        limits=tools.limits,
        most_pixels=settings.picture_max_megapixels * 1_000_000,
        queue_most=settings.queue_most,
        clock=clock,
        new_uuid=lambda: str(uuid.uuid4()),
        wake=wake,
        prepare=tools.darkroom.prepare,
        ask_author=tools.mediator.ask,
        picture_of=archive.picture,
    )


def _provider(
    settings: Settings, model: Model, http: httpx.AsyncClient, signer: Signer | None
) -> Provider:
    return Provider(
        http,
        settings.runware_api,
        settings.runware_api_key.get_secret_value(),
        signer.url if signer else None,
        output=choices.output(settings),
        models={model.id: model},
    )


def _web(
    settings: Settings, is_ready: Callable[[], Awaitable[str]], signer: Signer | None, bell: Bell
) -> "Web | None":
    if settings.web_port is None:
        return None
    from bot.web import Web  # noqa: PLC0415 - a bot without it should stay small

    return Web(settings.web_host, settings.web_port, is_ready, signer, bell)
