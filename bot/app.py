"""Builds the bot from its parts and runs it: the only place that knows every part, and the clock.

Start: lock and open the store, log in, take up open jobs, then take new ones. Stop (SIGTERM,
SIGINT): take nothing new, let running steps commit, close; within ten seconds.
"""

import asyncio
import logging
import random
import signal
import time
import uuid
from dataclasses import dataclass
from importlib.resources import files

import discord
import httpx
import yarl

from bot import catalog
from bot.catalog import Model
from bot.client import AnimateBot
from bot.database import Database
from bot.delivery import Delivery
from bot.errors import SettingsError
from bot.intake import Intake, Pictures
from bot.ledger import Limits
from bot.media import MEGABYTE, Media
from bot.pipeline import Pipeline
from bot.provider import Provider
from bot.settings import Settings
from bot.store import Store
from bot.worker import Worker

log = logging.getLogger(__name__)

_PATIENCE = 2.0
"""Seconds that pending status edits get when the bot stops."""


def clock() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def chosen_model(settings: Settings) -> Model:
    """Return the record of the model that the settings name. Raises `SettingsError`."""
    models = catalog.parse(files("bot").joinpath("catalog.json").read_text("utf-8"))
    if settings.model not in models:
        known = ", ".join(models)
        raise SettingsError(
            (f"ANIMATE_MODEL: {settings.model} is not known. Choose from {known}.",)
        )
    return models[settings.model]


def point_discord_at(settings: Settings) -> None:
    """Have discord.py speak to the addresses of the settings, which by default are Discord's."""
    discord.http.Route.BASE = settings.discord_api
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway)


async def run(settings: Settings) -> None:
    """Run the bot until it is told to stop.

    Raises `SettingsError`, `StoreError` or `discord.LoginFailure`.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    model = chosen_model(settings)
    point_discord_at(settings)
    async with Database(settings.data_dir) as database, AnimateBot(model) as client:
        # Reading certificates takes a while and no lock: it is done while Discord answers.
        opening = asyncio.create_task(asyncio.to_thread(httpx.AsyncClient))
        store = Store(database)
        try:
            await client.login(settings.discord_token.get_secret_value())
        finally:
            http = await opening
        async with http:
            parts = _parts(settings, model, store, client, http)
            await _serve(parts, client, store, stopped)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What has to be started and stopped."""

    intake: Intake
    worker: Worker
    delivery: Delivery


async def _serve(parts: _Parts, client: AnimateBot, store: Store, stopped: asyncio.Event) -> None:
    """Take up open jobs, then new ones, until told to stop or Discord ends the connection."""
    client.attach(parts.intake)
    parts.worker.start()
    await client.publish_commands(store)
    connection = asyncio.create_task(client.connect())
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait([connection, stopping], return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping")
    stopping.cancel()
    parts.intake.is_open = False
    await parts.worker.stop()
    await parts.delivery.close(_PATIENCE)
    await client.close()
    await connection


def _parts(
    settings: Settings, model: Model, store: Store, client: AnimateBot, http: httpx.AsyncClient
) -> _Parts:
    """Put the corridor together."""
    limits = Limits(
        member_micro=settings.member_monthly_usd,
        server_micro=settings.server_monthly_usd,
        bot_micro=settings.bot_monthly_usd,
    )
    pictures = Pictures(settings.data_dir / "pictures")
    delivery = Delivery(client)
    api_key = settings.runware_api_key.get_secret_value()
    pipeline = Pipeline(
        store=store,
        provider=Provider(http, settings.runware_api, api_key),
        delivery=delivery,
        pictures=pictures,
        clips_folder=settings.data_dir / "clips",
        model=model,
        limits=limits,
        look_every=settings.look_every_seconds,
        give_up_after=settings.give_up_hours * 3600,
        clock=clock,
        chance=random.random,
    )
    worker = Worker(store, pipeline, clock)
    intake = Intake(
        store=store,
        media=Media(http, settings.discord_media_hosts, settings.picture_max_mb * MEGABYTE),
        delivery=delivery,
        pictures=pictures,
        model=model,
        limits=limits,
        most_pixels=settings.picture_max_megapixels * 1_000_000,
        clock=clock,
        new_uuid=lambda: str(uuid.uuid4()),
        wake=worker.wake,
    )
    return _Parts(intake, worker, delivery)
