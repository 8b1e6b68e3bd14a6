"""What nobody foresaw, told to the person who waits for an answer. Knows no command and no button.

Without a word Discord would say that the application did not respond, or go on with "thinking…".
"""

import contextlib
import functools
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

import discord

from bot import admin_words
from bot.ladder import NO_ANSWER
from bot.status import embed
from bot.words import Note

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]
P = ParamSpec("P")
Self = TypeVar("Self")


async def tell(interaction: Interaction, what: Note = admin_words.BROKEN) -> None:
    """Say what happened, acknowledged or not; alone, but for a "thinking…" that all see."""
    note = embed(admin_words.said(what))
    with contextlib.suppress(discord.DiscordException, *NO_ANSWER):
        if interaction.response.is_done():
            await interaction.followup.send(embed=note, ephemeral=True)
        else:
            await interaction.response.send_message(embed=note, ephemeral=True)


def told(
    hear: Callable[Concatenate[Self, Interaction, P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[Self, Interaction, P], Coroutine[Any, Any, None]]:
    """Have who presses told where this breaks: discord.py logs it, and says nothing."""

    @functools.wraps(hear)
    async def heard(
        self: Self, interaction: Interaction, /, *args: P.args, **more: P.kwargs
    ) -> None:
        try:
            await hear(self, interaction, *args, **more)
        except Exception:
            log.exception("a press broke")
            await tell(interaction)

    return heard
