"""The status of a clip whose author was asked in another channel than it was asked for in.

What was there at first went when its person heard that the author decides. So there is a new one,
from the author's yes on. A courtesy: where it is refused the clip comes without, and `/history`
tells of its end.
"""

import logging

import discord

from bot import consent_words
from bot.approvals import Approval
from bot.intake import Ask
from bot.ladder import NO_ANSWER
from bot.lifecycle import Job
from bot.status import embed
from bot.tongue import said_in
from bot.wish import Door

log = logging.getLogger(__name__)

_TROUBLE = (discord.DiscordException, *NO_ANSWER)


def is_shown_by(approval: Approval, wish: Ask) -> bool:
    """Tell whether the question goes on as the clip's status."""
    is_here = approval.channel_id == wish.channel_id
    return _is_public(wish) and is_here and approval.message_id is not None


def _is_public(wish: Ask) -> bool:
    """Tell whether a message shows the status.

    A private wish has it elsewhere, a reaction in the signs on the picture.
    """
    return not wish.wish.is_private and wish.door is not Door.REACTION


class Afar:
    """Posts with `client`. What Discord refuses is left out; nothing is raised."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._posted: dict[int, int | None] = {}
        """By the question, its status, until it is sure whether a clip comes; None: refused."""

    async def begin(self, approval: Approval, wish: Ask) -> int | None:
        """Say where a clip was asked for that its author agreed; return the message.

        None where there is to be none, or it is refused. However often it is called, it is one.
        """
        if not _is_public(wish) or approval.channel_id == wish.channel_id:
            return None
        if approval.id not in self._posted:
            self._posted[approval.id] = await self._post(approval, wish)
        return self._posted[approval.id]

    async def _post(self, approval: Approval, wish: Ask) -> int | None:
        channel = self._client.get_partial_messageable(wish.channel_id, guild_id=wish.guild_id)
        note = said_in(wish.wish.locale, consent_words.agreed)
        try:
            message = await channel.send(embed=embed(note), nonce=f"agreed {approval.id}")
        except _TROUBLE as error:
            log.info("question %d: no status elsewhere: %s", approval.id, type(error).__name__)
            return None
        return message.id

    async def end(self, approval: Approval, wish: Ask, job: Job | None) -> None:
        """Leave the status to the job; where none comes of the wish, say so in it."""
        message_id = self._posted.pop(approval.id, None)
        if message_id is None or (job is not None and job.status_message_id == message_id):
            return
        channel = self._client.get_partial_messageable(wish.channel_id, guild_id=wish.guild_id)
        message = channel.get_partial_message(message_id)
        try:
            if job is not None:  # from before a crash, with a status of its own
                await message.delete()
                return
            locale = wish.wish.locale
            note = said_in(locale, lambda: consent_words.not_started(wish.member_id))
            await message.edit(embed=embed(note))
        except _TROUBLE as error:
            log.info("question %d: its status stays: %s", approval.id, type(error).__name__)
