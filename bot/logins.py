"""Keeps the bot below the logins a day after which Discord resets its token.

A supervisor starts a bot anew that cannot stay, Docker once a minute for ever, and each connection
takes one of a thousand logins a day (IDENTIFY; Discord's gateway documentation, "Session Start
Limit"). Where few are left the bot waits before it connects. `app.py` calls it.
"""

import asyncio
import logging

import discord

from bot.client import asking_discord
from bot.errors import ConnectionTrouble

log = logging.getLogger(__name__)

RESERVE = 50
"""Logins that are not spent: for reconnecting, and for whoever mends what is wrong."""
_ANSWERED = 5.0
"""Seconds for Discord to say how many are left; no word of it keeps nobody from connecting."""
_ASKED_AGAIN = 600.0
"""The longest pause between two questions, in seconds."""


async def spare(client: discord.Client) -> None:
    """Wait until a login may be spent. `login()` comes first; raises nothing of its own."""
    is_told = False
    while (pause := await _pause(client)) is not None:
        if not is_told:
            log.critical(
                "hardly any login is left of those that Discord allows a day, so the bot waits; it"
                " connects within %.1f hours. Something starts it over and over: see above what",
                pause / 3600,
            )
            is_told = True
        await asyncio.sleep(min(pause, _ASKED_AGAIN))


async def _pause(client: discord.Client) -> float | None:
    """Return the seconds until logins are given anew; None where enough are left, or unknown."""
    try:
        with asking_discord():
            async with asyncio.timeout(_ANSWERED):
                _, _, limit = await client.http.get_bot_gateway()
            left, pause = int(limit["remaining"]), int(limit["reset_after"]) / 1000
    except ConnectionTrouble as error:
        log.debug("how many logins are left is not known: %s", error)
        return None
    log.debug("logins left: %d", left)
    return None if left > RESERVE else max(pause, 1.0)
