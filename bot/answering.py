"""The answer to an interaction that asks for a clip: "thinking…", the first status, or a refusal.

In public, because the clip will be; privately where the clip is, or the menu of somebody else's
message was used; or in the place of the private message that has the button.
"""

import contextlib
import logging
from enum import Enum, auto

import discord

from bot import buttons, door_words
from bot.answers import Answer
from bot.client import AnimateBot
from bot.ladder import NO_ANSWER
from bot.refusals import in_public, refusal
from bot.status import embed
from bot.words import Note

log = logging.getLogger(__name__)

Interaction = discord.Interaction[AnimateBot]

TROUBLE = (discord.DiscordException, *NO_ANSWER)
"""What a call of Discord may raise."""
_ACKNOWLEDGED = 40060
_SERVER_ERROR = 500


class Shown(Enum):
    """Where the status of a wish is shown."""

    PUBLIC = auto()
    PRIVATE = auto()
    IN_PLACE = auto()
    """In the private message whose button was pressed, or whose form was sent."""


class Answering:
    """The answer to one interaction; `begin` comes first."""

    def __init__(self, interaction: Interaction, shown: Shown) -> None:
        self._interaction = interaction
        self._shown = shown
        self.status_message_id: int | None = None
        """The message that shows the status, where the bot's own token reaches it."""
        self._refused: discord.WebhookMessage | None = None
        """The refusal, where that is a message of its own."""

    @property
    def client(self) -> AnimateBot:
        """The bot."""
        return self._interaction.client

    @property
    def answer(self) -> Answer | None:
        """The way to a private status, which nothing but the interaction's token reaches."""
        if self._shown is Shown.PUBLIC:
            return None
        interaction = self._interaction
        return Answer(
            token=interaction.token,
            expires_at=round(interaction.expires_at.timestamp() * 1000),
            most_bytes=interaction.filesize_limit,
        )

    async def begin(self) -> bool:
        """Acknowledge, and tell whether there is a place for the status now.

        A lost answer proves nothing, nor does being told that it was acknowledged before:
        discord.py repeats what a proxy has garbled. So Discord is asked for the placeholder.
        """
        try:
            self.status_message_id = await self._acknowledge()
            if self.status_message_id is not None or self._shown is not Shown.PUBLIC:
                return True
        except TROUBLE as problem:
            if not _is_unclear(problem):
                # Discord gave up on it before our answer arrived. Nothing was started.
                log.info("an interaction was not acknowledged: %s", plainly(problem))
                return False
        try:
            original = await self._interaction.original_response()
        except TROUBLE as problem:
            log.info("an interaction has no answer, nothing was started: %s", plainly(problem))
            return False
        if self._shown is Shown.PUBLIC:
            self.status_message_id = original.id
        return True

    async def reply(self, note: Note) -> None:
        """Show the first status, or what became of a refusal."""
        view = buttons.view(note.buttons)
        if self._refused is not None:
            await self._refused.edit(embed=embed(note), view=view)
            return
        await self._interaction.edit_original_response(embed=embed(note), view=view)

    async def refuse(self, error: Exception) -> None:
        """Tell the requester alone why nothing was started."""
        note = refusal(error)
        try:
            # A follow-up would turn the public placeholder into the answer, so it has to go first.
            if self._shown is Shown.PUBLIC and await self._is_taken_away():
                await self._refuse_apart(note)
                return
            seen = in_public(error) if self._shown is Shown.PUBLIC else note
            with contextlib.suppress(discord.NotFound):
                await self.reply(seen)
                return
            # It went, and only the answer was lost.
            await self._refuse_apart(note)
        except TROUBLE as problem:
            log.error("a refusal could not be shown: %s", plainly(problem))  # noqa: TRY400 - expected, and a traceback has the token

    async def _refuse_apart(self, note: Note) -> None:
        self._refused = await self._interaction.followup.send(
            embed=embed(note), ephemeral=True, wait=True
        )

    async def _acknowledge(self) -> int | None:
        response = self._interaction.response
        if self._shown is Shown.IN_PLACE:
            note = embed(door_words.looking())
            await response.edit_message(embed=note, view=None, attachments=[])
            return None
        is_private = self._shown is Shown.PRIVATE
        answer = await response.defer(thinking=True, ephemeral=is_private)
        return None if is_private or answer is None else answer.message_id

    async def _is_taken_away(self) -> bool:
        try:
            with contextlib.suppress(discord.NotFound):  # somebody may have deleted it already
                await self._interaction.delete_original_response()
        except TROUBLE as problem:
            log.info("a placeholder stays: %s", plainly(problem))
            return False
        return True


async def tell(interaction: Interaction, note: Note) -> None:
    """Tell the requester alone, as the first answer, such as why nothing was started."""
    try:
        await interaction.response.send_message(embed=embed(note), ephemeral=True)
    except TROUBLE as problem:
        log.info("a word came too late: %s", plainly(problem))


def plainly(problem: Exception) -> str:
    """Describe a problem for the log, without the addresses, for those have tokens in them."""
    if isinstance(problem, discord.HTTPException):
        return f"HTTP {problem.status}, code {problem.code}"
    return type(problem).__name__


def _is_unclear(problem: Exception) -> bool:
    if not isinstance(problem, discord.HTTPException):
        return True
    return problem.code == _ACKNOWLEDGED or problem.status >= _SERVER_ERROR
