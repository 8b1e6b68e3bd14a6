"""Keeps the bot below the logins a day after which Discord resets its token.

Each new session takes one of a thousand logins a day (IDENTIFY; Discord's gateway documentation,
"Session Start Limit"). A supervisor starts a bot over and over that cannot stay, Docker once a
minute for ever: where few logins are left, the bot does not connect until there are new ones. And a
Discord in trouble may end one session after the other: those of an hour come ever more slowly.
`client.py` asks here before it connects, and before each further session.
"""

import asyncio
import logging
from collections import deque
from typing import Any

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
_HOUR = 3600.0
_QUICK, _QUICK_ONES = 5.0, 10
"""Seconds before each of so many further sessions in an hour, as discord.py has it of itself."""
_SLOW = 50.0
"""Seconds before one after these; discord.py gives up an attempt to connect after 60."""


class Logins:
    """`client` is logged in to Discord's web, if not connected yet."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._asking: asyncio.Task[Any] | None = None
        self._further: deque[float] = deque()
        """When the sessions of the last hour were begun that are not the first."""

    async def spare(self) -> None:
        """Wait until a login may be spent. Raises nothing of its own."""
        loop = asyncio.get_running_loop()
        is_told, free_at = False, loop.time()
        while True:
            limit = await self._limit()
            if limit is not None:
                left, pause = limit
                if left > RESERVE:
                    return
                free_at = loop.time() + max(1.0, pause)
            if (wait := free_at - loop.time()) <= 0:
                return  # Discord does not say, and has said nothing that forbids it
            if not is_told:
                log.critical(
                    "hardly any login is left of those that Discord allows a day, so the bot waits;"
                    " it connects within %d minutes. Look above for what has it log in so often",
                    wait / 60 + 1,
                )
                is_told = True
            await asyncio.sleep(min(wait, _ASKED_AGAIN))

    async def pace(self) -> None:
        """Wait before a further session, ever longer where they follow one another."""
        now = asyncio.get_running_loop().time()
        while self._further and self._further[0] <= now - _HOUR:
            self._further.popleft()
        self._further.append(now)
        await asyncio.sleep(_QUICK if len(self._further) <= _QUICK_ONES else _SLOW)

    async def _limit(self) -> tuple[int, float] | None:
        """Return how many logins are left, and the seconds until all are; None: not known.

        The question is never cut short: discord.py would then hold all its requests for ever where
        it waits for a rate limit.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._client.http.get_bot_gateway())
            self._asking.add_done_callback(_heard)
        await asyncio.wait([self._asking], timeout=_ANSWERED)
        if not self._asking.done():
            return None
        try:
            with asking_discord():
                _, _, limit = self._asking.result()
                return int(limit["remaining"]), int(limit["reset_after"]) / 1000
        except ConnectionTrouble as error:
            log.debug("how many logins are left is not known: %s", error)
            return None


def _heard(asking: asyncio.Task[Any]) -> None:
    """Take note of an answer that may come when nobody waits for it any more."""
    if not asking.cancelled():
        asking.exception()
