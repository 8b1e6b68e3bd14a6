"""How the doors for the accounts answer: to the requester alone, after asking who that is.

`/quota` and `/usage` hand their work over to `answer`, which acknowledges first and words what goes
wrong. Discord's own permissions decide who sees a command; they are asked again here.
"""

import io
import logging
from collections.abc import Awaitable, Callable

import discord

from bot import admin_words
from bot.client import AnimateBot
from bot.desk import Attachment, Desk
from bot.errors import ChartBroken, InputRefused, StoreError
from bot.ladder import NO_ANSWER
from bot.status import embed
from bot.words import Note

log = logging.getLogger(__name__)

Interaction = discord.Interaction[AnimateBot]
Work = Callable[[Desk], Awaitable[Note | tuple[Note, Attachment]]]

TROUBLE = (discord.DiscordException, *NO_ANSWER)
"""What a call of Discord may raise."""


async def answer(interaction: Interaction, work: Work, *, for_admins: bool = False) -> None:
    """Do `work` and show its outcome to the requester alone; refuse who may not ask for it."""
    try:
        if for_admins and not interaction.permissions.manage_guild:
            note = admin_words.said(admin_words.NOT_ALLOWED)
            await interaction.response.send_message(embed=embed(note), ephemeral=True)
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        note, attachment = await _done(interaction.client.desk, work)
        await _show(interaction, note, attachment)
    except TROUBLE as problem:
        log.info("an answer about the accounts was not shown: %s", type(problem).__name__)


async def _done(desk: Desk, work: Work) -> tuple[Note, Attachment | None]:
    try:
        outcome = await work(desk)
    except InputRefused as error:
        return admin_words.unclear(error.option, error.allowed), None
    except ChartBroken as error:
        log.warning("a picture of the accounts could not be drawn: %s", error)
        return admin_words.said(admin_words.UNDRAWN), None
    except StoreError:
        log.exception("the accounts cannot be read or written")
        return admin_words.said(admin_words.UNREADABLE), None
    except Exception:
        log.exception("an answer about the accounts broke")
        return admin_words.said(admin_words.BROKEN), None
    return (outcome, None) if isinstance(outcome, Note) else outcome


async def _show(interaction: Interaction, note: Note, attachment: Attachment | None) -> None:
    card = embed(note)
    if attachment is None:
        await interaction.edit_original_response(embed=card)
        return
    file = discord.File(
        io.BytesIO(attachment.content), attachment.filename, description=attachment.alt
    )
    # Beside the card, not in it: Discord shows a picture in an embed much smaller.
    await interaction.edit_original_response(embed=card, attachments=[file])


def guild_of(interaction: Interaction) -> int:
    """Return the server's id; the commands are offered in servers only."""
    assert interaction.guild_id is not None, "a command of servers, outside one"
    return interaction.guild_id
