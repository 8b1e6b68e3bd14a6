"""Asks Discord for something, and says in one line why it did not do it.

Owns what discord.py's errors mean to an operator who starts or checks the bot. What they mean to a
clip that is to be posted is `ladder.py`'s.
"""

import contextlib
import logging
from collections.abc import Iterator

import aiohttp
import discord

from bot.errors import ConnectionTrouble, DiscordRefuses, DiscordUnreachable
from bot.events import NONSENSE

log = logging.getLogger(__name__)

_TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError, *NONSENSE)
_TEXT_MAX = 200


@contextlib.contextmanager
def asking_discord() -> Iterator[None]:
    """Say in one line why Discord did not do what this block asks of it.

    Raises `DiscordRefuses` where the operator must act, else `DiscordUnreachable`.
    """
    try:
        yield
    except _TROUBLE as error:
        log.debug("discord.py raised", exc_info=error)
        raise _trouble(error) from None


def _trouble(error: Exception) -> ConnectionTrouble:
    match error:
        case (
            discord.LoginFailure()
            | discord.HTTPException(status=401)
            | discord.ConnectionClosed(code=4004)
        ):
            return DiscordRefuses(
                "DISCORD_TOKEN: Discord refuses it. Reset it in the Developer Portal, under Bot."
            )
        case discord.PrivilegedIntentsRequired() | discord.ConnectionClosed(code=4014):
            return DiscordRefuses(
                "Discord disallows an intent that the bot asks for (4014). Allow it in the"
                " Developer Portal, under Bot, Privileged Gateway Intents; unchanged, the bot"
                " needs none."
            )
        case discord.ConnectionClosed(code=code):
            return DiscordUnreachable(f"Discord ended the connection for good (code {code}).")
        case discord.HTTPException(status=status, text=text):
            said = " ".join(text.split())[:_TEXT_MAX]
            return DiscordUnreachable(f"Discord answered HTTP {status}: {said}. Try again later.")
        case OSError() | aiohttp.ClientError():
            reason = f"{type(error).__name__}. Is the network up? Try again."
            return DiscordUnreachable(f"Discord cannot be reached: {reason}")
    return DiscordUnreachable(
        f"Discord's answer makes no sense ({type(error).__name__}). Is ANIMATE_DISCORD_API"
        " Discord's address? Try again."
    )
