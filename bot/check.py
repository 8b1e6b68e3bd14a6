"""`python -m bot check`: is everything in place? One line a thing, with the fix where it is not.

Reads and asks, changes nothing but what a start would (the data folder). Works against a local
Discord and Runware too.
"""

import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp
import discord
import httpx

from bot import app
from bot.catalog import Model
from bot.client import PERMISSIONS, AnimateBot
from bot.database import Database
from bot.errors import AccountTrouble, AnimateError, Locked
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
    """Print all findings; return 0 if all are fine, 1 if not, 2 if the settings are not."""
    settings = Settings.from_env(environ)
    app.chosen_model(settings)
    app.point_discord_at(settings)
    _print(Finding("settings", True, f"complete; model {settings.model}"))
    is_fine = True
    for look in (_disk, _database, _discord, _runware):
        async for finding in look(settings):
            _print(finding)
            is_fine &= finding.is_fine
    return 0 if is_fine else 1


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
        await client.login(settings.discord_token.get_secret_value())
    except discord.LoginFailure:
        text = "refused. Reset it in the Developer Portal, under Bot, and set DISCORD_TOKEN."
        yield Finding("Discord token", False, text)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        text = f"no answer from {settings.discord_api} ({type(error).__name__}). Is the network up?"
        yield Finding("Discord", False, text)
    else:
        application = client.application
        assert application is not None, "login reads it"
        yield Finding("Discord token", True, f"belongs to {client.user}")
        yield _intents(application)
        yield await _commands(client, app.chosen_model(settings))
        link = discord.utils.oauth_url(application.id, permissions=PERMISSIONS)
        yield Finding("invite", True, link)
    finally:
        await client.close()


def _intents(application: discord.AppInfo) -> Finding:
    flags = application.flags
    is_on = flags.gateway_message_content or flags.gateway_message_content_limited
    state = "on" if is_on else "off"
    return Finding("intents", True, f"no privileged one is needed; message content is {state}")


async def _commands(client: AnimateBot, model: Model) -> Finding:
    await client.load(model)
    ours = {command.name for command in client.tree.get_commands()}
    theirs = {command.name for command in await client.tree.fetch_commands()}
    if ours == theirs:
        return Finding("commands", True, f"published: {', '.join(sorted(ours))}")
    known = ", ".join(sorted(theirs)) or "none"
    text = f"Discord has {known}. Start the bot once: it publishes them."
    return Finding("commands", False, text)


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
