"""A private answer with things to press in it: acknowledged first, shown when it is known.

Whoever has pressed or typed sees it alone; a press inside of one changes it in its place. What goes
wrong becomes words here, whichever door it was.
"""

import io
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot import admin_words, buttons, clip_words
from bot.answering import Interaction, plainly
from bot.desk import Attachment
from bot.errors import ClipBroken, CopyFailed, DeliveryError, StoreError, Unpostable, UserError
from bot.ladder import NO_ANSWER
from bot.refusals import refusal
from bot.status import embed
from bot.words import Note

log = logging.getLogger(__name__)

TROUBLE = (discord.DiscordException, *NO_ANSWER)


@dataclass(frozen=True, slots=True)
class Panel:
    """What is shown: a note with its buttons, and more to choose from below."""

    note: Note
    items: Sequence[discord.ui.Item[Any]] = ()
    file: Attachment | None = None

    @property
    def view(self) -> discord.ui.View | None:
        """All that can be pressed; None where there is nothing."""
        made = buttons.view(self.note.buttons) or discord.ui.View(timeout=None)
        for item in self.items:
            made.add_item(item)
        return made if made.children else None

    @property
    def files(self) -> list[discord.File]:
        """What comes along, as discord.py sends it."""
        if self.file is None:
            return []
        content = io.BytesIO(self.file.content)
        return [discord.File(content, self.file.filename, description=self.file.alt)]


async def show(
    interaction: Interaction, make: Callable[[], Awaitable[Panel]], *, in_place: bool = False
) -> None:
    """Show what `make` returns; `in_place`: instead of the private message that was pressed."""
    try:
        if in_place:
            await interaction.response.defer()
        else:
            await interaction.response.defer(ephemeral=True, thinking=True)
        panel = await _made(make)
        await interaction.edit_original_response(
            embed=embed(panel.note), view=panel.view, attachments=panel.files
        )
    except TROUBLE as problem:
        log.info("a private answer was not shown: %s", plainly(problem))


async def say_instead(interaction: Interaction, note: Note, *, is_public: bool) -> None:
    """Say something to who asks alone, where something else was going to be."""
    try:
        if is_public:
            await interaction.delete_original_response()
            await interaction.followup.send(embed=embed(note), ephemeral=True)
        else:
            await interaction.edit_original_response(embed=embed(note), view=None)
    except TROUBLE as problem:
        log.info("a word was not shown: %s", plainly(problem))


async def _made(make: Callable[[], Awaitable[Panel]]) -> Panel:
    try:
        return await make()
    except Exception as error:  # noqa: BLE001 - whatever it is, a person waits for a word
        return Panel(told(error))


def told(error: Exception) -> Note:
    """Say what went wrong."""
    match error:
        case UserError():
            return refusal(error)
        case StoreError():
            log.error("the accounts cannot be read or written: %s", error)
            return admin_words.said(admin_words.UNREADABLE)
        case Unpostable():
            return clip_words.unsendable()
        case DeliveryError() | CopyFailed() | ClipBroken():
            log.warning("a clip was not handed out: %s", error)
            return clip_words.unshown()
    log.error("a private answer broke", exc_info=error)
    return admin_words.said(admin_words.BROKEN)
