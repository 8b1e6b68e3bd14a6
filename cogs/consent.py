"""The door of those who are asked: the two buttons under a question to the author of a picture.

Acknowledges, hands the answer on, and tells who pressed why theirs does not count. Who it was is
asked behind the door; the button's id proves nothing.
"""

import logging

import discord
from discord.ext import commands

from bot import admin_words, door, mishap
from bot.client import AnimateBot
from bot.consent import TROUBLE
from bot.counter import Interaction
from bot.errors import StoreError
from bot.question import ANSWERED, AnswerButton
from bot.status import embed
from bot.words import Note

log = logging.getLogger(__name__)


async def setup(bot: AnimateBot) -> None:
    """Listen to the buttons; discord.py calls this when it loads the extension."""
    bot.add_dynamic_items(AnswerButton)
    await bot.add_cog(Questions())


class Questions(commands.Cog):
    """Hears the answers of authors, and of whoever else presses."""

    @commands.Cog.listener(f"on_{ANSWERED}")
    @mishap.told
    async def answer(self, interaction: Interaction, approval_id: int, is_yes: bool) -> None:
        """Take an answer in."""
        try:
            if not await door.greet(interaction):
                return
            await interaction.response.defer()
            note = await _answered(interaction, approval_id, is_yes=is_yes)
            if note is not None:
                await interaction.followup.send(embed=embed(note), ephemeral=True)
        except TROUBLE as problem:
            status = problem.status if isinstance(problem, discord.HTTPException) else ""
            log.info("an answer was not acknowledged: %s %s", type(problem).__name__, status)


async def _answered(interaction: Interaction, approval_id: int, *, is_yes: bool) -> Note | None:
    message_id = 0 if interaction.message is None else interaction.message.id
    try:
        return await interaction.client.rooms.mediator.answer(
            approval_id, message_id, interaction.user.id, is_yes=is_yes
        )
    except StoreError as error:
        log.warning("an answer of an author could not be kept: %s", error)
        return admin_words.said(admin_words.UNREADABLE)
