"""Keeps the bot below the logins a day after which Discord resets its token.

Each new session takes one of a thousand logins a day (IDENTIFY; Discord's gateway documentation,
"Session Start Limit"). A supervisor starts a bot over and over that cannot stay, Docker once a
minute for ever; and a Discord in trouble may refuse one session after the other. Where few logins
are left, none is spent until there are new ones. `client.py` asks before each.
"""

import asyncio
import logging

import discord

from bot.asking import asking_discord
from bot.errors import ConnectionTrouble

log = logging.getLogger(__name__)

RESERVE = 50
"""Logins that are not spent: for whoever mends what is wrong."""
_ANSWERED = 5.0
"""Seconds for Discord to say how many are left; no word of it keeps nobody from connecting."""
_ASKED_AGAIN = 600.0
"""The longest pause between two questions, in seconds."""


class Logins:
    """`client` is logged in to Discord's web, if not connected yet."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._is_told = False

    async def spare(self) -> None:
        """Wait until a login may be spent. Raises nothing of its own."""
        while (pause := await self._pause()) is not None:
            if not self._is_told:
                log.critical(
                    "hardly any login is left of those that Discord allows a day, so the bot waits;"
                    " it connects within %.1f hours. Look above for what has it log in so often",
                    pause / 3600,
                )
                self._is_told = True
            await asyncio.sleep(min(pause, _ASKED_AGAIN))
        self._is_told = False

    async def _pause(self) -> float | None:
        """Return the seconds until there are new logins; None where it need not wait for them."""
        try:
            with asking_discord():
                async with asyncio.timeout(_ANSWERED):
                    _, _, limit = await self._client.http.get_bot_gateway()
                left, pause = int(limit["remaining"]), int(limit["reset_after"]) / 1000
        except ConnectionTrouble as error:
            log.debug("how many logins are left is not known: %s", error)
            return None
        log.debug("logins left: %d", left)
        return None if left > RESERVE else max(pause, 1.0)
