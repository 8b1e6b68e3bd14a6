"""Runs the bot: the order in which its parts come up and go down.

Start: lock and open the store, connect; while Discord answers, load the corridor; listen, take up
open jobs, then open the doors; where a backup was restored, ask about its jobs before new ones are
accepted. Stop (SIGTERM, SIGINT): take nothing new, let running steps commit.
"""

import asyncio
import contextlib
import gc
import logging
import secrets
import signal
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING

import discord
import yarl

from bot import catalog
from bot.asking import asking_discord
from bot.catalog import Model
from bot.client import AnimateBot
from bot.database import Database
from bot.errors import CannotListen, DiscordUnreachable, SettingsError, StoreError
from bot.settings import Settings
from bot.store import Store

if TYPE_CHECKING:
    from bot.corridor import Corridor

log = logging.getLogger(__name__)

_HOOK_KEY = "webhook key"
_PUBLISHED_AGAIN = 60.0
"""Seconds until Discord is asked again to take the commands."""
_LISTENED_AGAIN = 60.0
"""Seconds until it is tried again to listen for webhooks."""
_ASKED_YET = 0.2
"""Seconds between two looks at whether a restored copy's jobs have been asked about."""


def chosen_model(settings: Settings) -> Model:
    """Return the record of the model that the settings name. Raises `SettingsError`."""
    models = all_models(settings)
    if settings.model not in models:
        known = ", ".join(models)
        text = f"ANIMATE_MODEL: {settings.model} is not known. Choose from {known}."
        raise SettingsError((text,))
    return models[settings.model]


def all_models(settings: Settings) -> dict[str, Model]:
    """Return our records, and over them the operator's own. Raises `SettingsError`."""
    ours = files("bot").joinpath("catalog.json").read_text("utf-8")
    try:
        own = settings.catalog.read_text("utf-8") if settings.catalog else None
    except (OSError, UnicodeDecodeError) as error:
        text = f"ANIMATE_CATALOG: cannot be read ({type(error).__name__}). Name a JSON file."
        raise SettingsError((text,)) from None
    return catalog.parse(ours, own)


def point_discord_at(settings: Settings) -> None:
    """Have discord.py speak to the addresses of the settings, which by default are Discord's."""
    discord.http.Route.BASE = settings.discord_api
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway)
    scheme = yarl.URL(settings.discord_api).scheme
    discord.Asset.BASE = f"{scheme}://{settings.discord_media_hosts[0]}"


async def run(settings: Settings) -> None:
    """Run the bot until it is told to stop.

    Raises `SettingsError`, `StoreError` or `ConnectionTrouble`; `OSError` is of our own files.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    model = chosen_model(settings)
    point_discord_at(settings)
    async with Database(settings.data_dir) as database, AnimateBot() as client:
        life = asyncio.create_task(_live(settings, model, database, client))
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait([life, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not stopping.cancel():
            log.info("stopping")
            life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life


async def _live(settings: Settings, model: Model, database: Database, client: AnimateBot) -> None:
    """Live until Discord ends the connection for good, or until cancelled, at any moment."""
    hook_key = await Store(database).fact_or(_HOOK_KEY, secrets.token_hex(32))
    with asking_discord():
        await client.login(settings.discord_token.get_secret_value())
    connection = asyncio.create_task(client.connect())
    settling: asyncio.Task[None] | None = None
    corridor = await asyncio.to_thread(_corridor, settings, model, database, client, hook_key)
    try:
        await _open(corridor, client, model)
        settling = asyncio.create_task(_settle(client, corridor))
        with asking_discord():
            await asyncio.wait([connection, settling], return_when=asyncio.FIRST_COMPLETED)
            if not connection.done():
                settling.result()
                await asyncio.wait([connection])
            connection.result()
    finally:
        if settling is not None:
            settling.cancel()
        await corridor.close()
        await client.close()
        connection.cancel()  # it may be pausing between two attempts
        await asyncio.wait([connection])


async def _open(corridor: "Corridor", client: AnimateBot, model: Model) -> None:
    """Begin to serve."""
    await _listen(corridor)
    await client.load(model)
    await corridor.pipeline.recover()
    corridor.intake.is_open = await corridor.pipeline.reconcile()
    corridor.rooms.mediator.start(corridor.intake.accept)
    client.open_doors(corridor.rooms)  # first: who waits is answered, then all jobs looked at
    corridor.start()
    # What is loaded stays. To look through it for garbage, as Python does from time to time,
    # would stop everything for some fifty milliseconds.
    gc.freeze()
    gc.enable()


async def _settle(client: AnimateBot, corridor: "Corridor") -> None:
    """Do what may take its time while people are served already. Raises `DiscordRefuses`."""
    besides = [asyncio.create_task(one(corridor)) for one in (_reconcile, _listen_later)]
    try:
        await _publish(client)
        await asyncio.gather(*besides)
    finally:
        for task in besides:
            task.cancel()


async def _publish(client: AnimateBot) -> None:
    """Tell Discord of the commands. Raises `DiscordRefuses`."""
    while True:
        try:
            with asking_discord():
                await client.publish_commands()
        except DiscordUnreachable as error:
            log.warning("the commands are not published, trying again: %s", error)
            await asyncio.sleep(_PUBLISHED_AGAIN)
        else:
            return


async def _listen(corridor: "Corridor") -> bool:
    """Listen for webhooks, if that is wanted; tell whether there is no more to do about it.

    One door that stays closed is no reason to close all others.
    """
    if corridor.web is None or corridor.web.is_listening:
        return True
    try:
        await corridor.web.start()
    except CannotListen as error:
        log.critical("%s Meanwhile clips are looked for without webhooks.", error)
        return False
    return True


async def _listen_later(corridor: "Corridor") -> None:
    """Go on trying where the port was not to be had."""
    while corridor.web is not None and not corridor.web.is_listening:
        await asyncio.sleep(_LISTENED_AGAIN)
        await _listen(corridor)


async def _reconcile(corridor: "Corridor") -> None:
    """Accept new jobs once the service was asked about each that a restored copy has open."""
    if corridor.intake.is_open:
        return
    log.warning("a backup was restored: asking about its open jobs before new ones are accepted")
    while not corridor.intake.is_open:
        await asyncio.sleep(_ASKED_YET)
        with contextlib.suppress(StoreError):
            corridor.intake.is_open = await corridor.pipeline.reconcile()
    log.info("asked about every open job; new ones are accepted")


def _corridor(
    settings: Settings, model: Model, database: Database, client: AnimateBot, hook_key: str
) -> "Corridor":
    """Import and build the corridor, in a thread: the connection comes up meanwhile."""
    built: Corridor = import_module("bot.corridor").build(
        settings, model, database, client, hook_key
    )
    return built
