"""`python -m bot check`: is everything in place? One line a thing, with the fix where it is not.

Reads and asks, changes nothing but what a start would (the data folder). Works against a local
Discord and Runware too.
"""

import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import discord
import httpx

from bot import app
from bot.catalog import Model
from bot.client import PERMISSIONS, AnimateBot, asking_discord
from bot.database import Database
from bot.errors import (
    AccountTrouble,
    AnimateError,
    ConnectionTrouble,
    DiscordRefuses,
    DiscordUnreachable,
    Locked,
    SettingsError,
)
from bot.ledger import usd
from bot.provider import Provider
from bot.settings import Settings

_LEAST_FREE = 1_000_000_000
"""Bytes of disk below which a few clips could fill it."""
_FEW_CLIPS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, whether it is fine, and what there is to know or to do."""

    topic: str
    is_fine: bool
    text: str


async def run(environ: Mapping[str, str]) -> int:
    """Print all findings; return 0 if all are fine, 1 if not."""
    try:
        settings = Settings.from_env(environ)
        app.chosen_model(settings)
    except SettingsError as error:
        return report(error)
    app.point_discord_at(settings)
    _print(Finding("settings", True, f"complete; model {settings.model}"))
    is_fine = True
    for look in (_disk, _database, _discord, _runware):
        async for finding in look(settings):
            _print(finding)
            is_fine &= finding.is_fine
    return 0 if is_fine else 1


def report(error: SettingsError) -> int:
    """Print what is wrong with the settings, a line each; return 1."""
    for problem in error.problems:
        name, _, text = problem.partition(": ")
        _print(Finding(name, False, text))
    return 1


def _print(finding: Finding) -> None:
    print(f"{'ok   ' if finding.is_fine else 'WRONG'}  {finding.topic}: {finding.text}")


async def _disk(settings: Settings) -> AsyncIterator[Finding]:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        yield Finding("disk", False, f"{folder} cannot be made ({error}). Set ANIMATE_DATA_DIR.")
        return
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free in {folder.resolve()}"
    is_fine = free >= _LEAST_FREE
    yield Finding("disk", is_fine, text if is_fine else f"{text}. Free at least 1 GB.")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    try:
        async with Database(settings.data_dir) as database:
            problem = await database.integrity()
    except Locked:
        yield Finding("database", True, "in use by a running bot, which keeps it locked")
        return
    except AnimateError as error:
        yield Finding("database", False, str(error))
        return
    if problem:
        yield Finding("database", False, f"{problem}. Stop the bot and restore a backup.")
    else:
        yield Finding("database", True, f"sound, at {database.path}")


async def _discord(settings: Settings) -> AsyncIterator[Finding]:
    client = AnimateBot()
    try:
        with asking_discord():
            await client.login(settings.discord_token.get_secret_value())
    except DiscordRefuses:
        text = "refused. Reset it in the Developer Portal, under Bot, and set DISCORD_TOKEN."
        yield Finding("Discord token", False, text)
    except DiscordUnreachable as error:
        yield Finding("Discord", False, f"at {settings.discord_api}: {error}")
    else:
        application = client.application
        assert application is not None, "login reads it"
        yield Finding("Discord token", True, f"belongs to {client.user}")
        yield _application(application)
        yield await _commands(client, app.chosen_model(settings))
        link = discord.utils.oauth_url(application.id, permissions=PERMISSIONS)
        yield Finding("invite", True, link)
    finally:
        await client.close()


def _application(application: discord.AppInfo) -> Finding:
    if application.interactions_endpoint_url:
        text = (
            "Discord sends its commands to an Interactions Endpoint URL, not to the bot."
            " Clear that field in the Developer Portal, under General Information."
        )
        return Finding("application", False, text)
    who = "anybody" if application.bot_public else "only its owner"
    also = " and to a user's own account" if application.user_integration_config else ""
    text = f"commands come to the bot; {who} can add it to a server{also}; no intent to allow"
    return Finding("application", True, text)


async def _commands(client: AnimateBot, model: Model) -> Finding:
    await client.load(model)
    try:
        with asking_discord():
            stale = await client.stale_commands()
    except ConnectionTrouble as error:
        return Finding("commands", False, str(error))
    if not stale:
        names = ", ".join(sorted(one.name for one in client.tree.get_commands()))
        return Finding("commands", True, f"published: {names}")
    wrong = "; ".join(f"{name} {what}" for name, what in sorted(stale.items()))
    return Finding("commands", False, f"{wrong}. Start the bot once: it publishes them.")


async def _runware(settings: Settings) -> AsyncIterator[Finding]:
    key = settings.runware_api_key.get_secret_value()
    async with httpx.AsyncClient() as http:
        provider = Provider(http, settings.runware_api, key)
        try:
            await provider.ping()
            balance = await provider.balance_micro()
        except AccountTrouble as error:
            text = f"the key is refused ({error.code}). Make one at Runware, set RUNWARE_API_KEY."
            yield Finding("Runware key", False, text)
            return
        except AnimateError as error:
            text = f"no answer from {settings.runware_api} ({error}). Is the network up?"
            yield Finding("Runware", False, text)
            return
    yield Finding("Runware key", True, "accepted")
    price = app.chosen_model(settings).least_price_micro
    if balance is None:
        yield Finding("Runware balance", True, "the service does not say")
    elif balance < price * _FEW_CLIPS:
        yield Finding("Runware balance", False, f"{usd(balance)} left. Top up the account.")
    else:
        yield Finding("Runware balance", True, f"{usd(balance)}, {balance // price} clips")
