"""`python -m bot check`: is everything in place? One line a thing, with the fix where it is not.

Reads and asks, changes nothing but what a start would (the data folder). Works against a local
Discord and Runware too.
"""

import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import discord

from bot import app, choices, transport, trial
from bot.accounts import Accounts
from bot.asking import asking_discord
from bot.catalog import Model, ModelState, seconds
from bot.client import PERMISSIONS, UNSEEN, AnimateBot
from bot.database import Database
from bot.diagnosis import DAMAGED
from bot.errors import (
    AccountTrouble,
    AnimateError,
    ConnectionTrouble,
    DiscordRefuses,
    DiscordUnreachable,
    Locked,
    ProviderError,
    Rejected,
    SettingsError,
)
from bot.money import usd
from bot.provider import Provider
from bot.rules import Limits
from bot.settings import Settings

_LEAST_FREE = 1_000_000_000
"""Bytes of disk below which a few clips could fill it."""
_FEW_CLIPS = 5
_FEW_LINES = 3
_SET_BY = {
    "outputFormat": "ANIMATE_OUTPUT_FORMAT",
    "outputQuality": "ANIMATE_OUTPUT_QUALITY",
    "safety": "ANIMATE_SAFETY",
    "mode": "ANIMATE_SAFETY",
    "ttl": "ANIMATE_CLIP_TTL_HOURS",
    "uploadEndpoint": "ANIMATE_UPLOAD_ENDPOINT",
}
"""The settings that are sent along, by the name of the service's parameter."""


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
        model = app.chosen_model(settings)
    except SettingsError as error:
        return report(error)
    app.point_discord_at(settings)
    doubt = "" if model.state is ModelState.LIVE else f", which its record calls {model.state}"
    _print(Finding("settings", True, f"complete; model {settings.model}{doubt}"))
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
            wrong = () if problem else await Accounts(database, Limits()).discrepancies()
    except Locked:
        yield Finding("database", True, "in use by a running bot, which keeps it locked")
        return
    except AnimateError as error:
        yield Finding("database", False, str(error))
        return
    if problem:
        yield Finding("database", False, f"{problem}. {DAMAGED}")
        return
    yield Finding("database", True, f"sound, at {database.path}")
    yield _accounts(wrong)


def _accounts(wrong: Sequence[str]) -> Finding:
    if not wrong:
        return Finding("accounts", True, "every total equals its entries")
    some = "; ".join(wrong[:_FEW_LINES]) + ("; …" if len(wrong) > _FEW_LINES else "")
    text = f"{some}. That is a mistake of the bot: report it, and keep the file and its backups."
    return Finding("accounts", False, text)


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
        yield _messages(client)
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
    advice = (
        " and spend what you pay for (Public Bot in the Developer Portal decides that)"
        if application.bot_public
        else ""
    )
    also = " and to a user's own account" if application.user_integration_config else ""
    text = f"commands come to the bot; {who} can add it to a server{also}{advice}"
    return Finding("application", True, text)


def _messages(client: AnimateBot) -> Finding:
    """Both is fine: without the switch two doors are closed, and the menu is open."""
    text = "open to the bot" if client.sees_messages else UNSEEN
    return Finding("other people's messages", True, text)


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
    async with transport.client() as http:
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
    async for finding in _model(settings):
        yield finding


async def _model(settings: Settings) -> AsyncIterator[Finding]:
    """Ask the service about the model, by dry runs."""
    models = app.all_models(settings)
    model = models[settings.model]
    key = settings.runware_api_key.get_secret_value()
    async with transport.client() as http:
        output = choices.output(settings)
        provider = Provider(http, settings.runware_api, key, output=output, models=models)
        try:
            prices = await trial.prices(provider, model)
        except Rejected as error:
            others = [one for one in models.values() if one is not model]
            others.sort(key=lambda one: one.state is not ModelState.LIVE)
            way_out = _way_out(error, await trial.accepted(provider, others))
            yield Finding("Runware model", False, f"{model.id} is refused: {way_out}")
            return
        except ProviderError as error:
            text = f"{model.id} could not be tried ({error.code}). See above, and try again."
            yield Finding("Runware model", False, text)
            return
    yield Finding("Runware model", True, f"{model.id} is accepted")
    yield _prices(prices)


def _way_out(error: Rejected, other: Model | None) -> str:
    """Say what the service refused, and what to do."""
    what = f"{error.code} ({error.parameter})" if error.parameter else error.code
    if error.parameter in _SET_BY:
        return f"{what}. Change {_SET_BY[error.parameter]}."
    is_of_the_model = "model" in f"{error.code} {error.parameter}".lower()
    mend = "" if is_of_the_model else " Correct its record with ANIMATE_CATALOG."
    if other is None:
        return f"{what}.{mend} No other model of the catalogue is accepted; add one's record."
    return f"{what}.{mend} ANIMATE_MODEL={other.id} ({other.title}) is accepted."


def _prices(prices: Sequence[trial.Price]) -> Finding:
    parts = []
    is_fine = True
    for price in prices:
        if price.told_micro is None:
            continue
        part = f"{seconds(price.duration)} s {usd(price.told_micro)}"
        if price.told_micro != price.known_micro:
            is_fine = False
            part += f", by its record {usd(price.known_micro)}"
        parts.append(part)
    if not parts:
        return Finding("Runware price", True, "the service does not say before a clip is made")
    verdict = ", as in its record" if is_fine else ". Mend it with ANIMATE_CATALOG."
    return Finding("Runware price", is_fine, "; ".join(parts) + verdict)
