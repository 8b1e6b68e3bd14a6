"""The door of replies: an answer to a picture, or a picture, with a mention of the bot.

A few plain words are understood beside it. The status is an answer for all to see. No SQL, no HTTP,
no money here.
"""

import logging
import re
from dataclasses import replace

import discord
from discord.ext import commands

from bot import door, door_words, finder, options, spot
from bot.answering import TROUBLE, plainly
from bot.client import AnimateBot
from bot.errors import PictureProblem, PictureRefused, StoreError, UserError
from bot.refusals import in_public
from bot.spot import Spot, Wanted
from bot.status import embed
from bot.tongue import reading
from bot.wish import Door, Picture

log = logging.getLogger(__name__)


async def setup(bot: AnimateBot) -> None:
    """Listen to mentions; discord.py calls this when it loads the extension."""
    await bot.add_cog(Replies(bot))


class Replies(commands.Cog):
    """Hears of messages that mention the bot, and of no others."""

    def __init__(self, bot: AnimateBot) -> None:
        self._bot = bot

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Take a wish in, if it is one."""
        if not self._is_for_us(message) or self._bot.events.is_repeat(message.id):
            return
        assert message.guild is not None, "asked before"
        await self._bot.doors_are_open.wait()
        try:
            policy = await self._bot.rooms.policies.policy(message.guild.id)
        except StoreError as error:
            log.warning("a mention is passed over: %s", error)
            return
        if not policy.has_replies:
            return
        channel = message.guild.get_channel_or_thread(message.channel.id)
        if channel is None or not isinstance(message.author, discord.Member):
            log.info("a mention in a channel that is not known")
            return
        locale = str(message.guild.preferred_locale)
        reading(locale)
        here = spot.of_member(message.author, channel, locale)
        try:
            await self._take_in(here, message)
        except UserError as error:
            await self._bot.rooms.whispers.say(message, here.member_id, in_public(error))

    def _is_for_us(self, message: discord.Message) -> bool:
        """Tell whether a person speaks to the bot; that they answer its message is not enough."""
        if not isinstance(message.author, discord.Member) or message.author.bot:
            return False
        if message.webhook_id is not None or self._bot.user is None:
            return False
        return self._bot.user.id in message.raw_mentions

    async def _take_in(self, here: Spot, message: discord.Message) -> None:
        here.check_may_post()
        picture = await self._picture(message, here.guild_id)
        client = self._bot
        client.intake.check(1 if picture.size is None else picture.size)
        await client.intake.admit(here.guild_id, here.asker(picture.origin))
        read = options.read(_MENTION.sub(" ", message.content), client.model, here.locale)
        chosen = await door.filled_in(client, here.member_id, read)
        status = await self._status(message)
        if status is None:
            return
        wanted = Wanted(source=f"message:{message.id}", door=Door.REPLY, picture=picture)
        wish = spot.ask(
            here, wanted, replace(chosen, is_private=False), status_message_id=status.id
        )
        try:
            await client.intake.accept(wish)
        except UserError as error:
            await self._take_back(status, error)
        except Exception as error:
            log.exception("a reply broke before anything was accepted")
            await self._take_back(status, error)

    async def _picture(self, message: discord.Message, guild_id: int) -> Picture:
        """Return the picture that is meant: of the message, or of the one that it answers."""
        found = await finder.owned(self._bot, message, guild_id)
        reference = message.reference
        if not found and reference is not None and reference.message_id is not None:
            answered = reference.resolved
            if isinstance(answered, discord.Message):
                found = await finder.owned(self._bot, answered, guild_id)
            if not found and self._bot.sees_messages:
                found = await self._fetched(reference, guild_id)
            if not found and not self._bot.sees_messages:
                raise PictureRefused(PictureProblem.UNSEEN)
        if not found:
            raise PictureRefused(PictureProblem.NONE_THERE)
        return found[0]

    async def _fetched(self, reference: discord.MessageReference, guild_id: int) -> list[Picture]:
        """Look at the message that is answered: the gateway hands over those of others blank."""
        assert reference.message_id is not None, "asked before"
        place = self._bot.get_partial_messageable(reference.channel_id, guild_id=reference.guild_id)
        try:
            answered = await place.fetch_message(reference.message_id)
            return await finder.owned(self._bot, answered, guild_id)
        except TROUBLE as problem:
            log.info("a message that is answered was not seen: %s", plainly(problem))
            return []

    async def _status(self, message: discord.Message) -> discord.Message | None:
        """Answer that the picture is looked at; the same answer, if that event comes twice."""
        try:
            return await message.reply(
                embed=embed(door_words.looking()), nonce=f"reply {message.id}", mention_author=False
            )
        except TROUBLE as problem:
            log.info("a mention was not answered, nothing was started: %s", plainly(problem))
            return None

    async def _take_back(self, status: discord.Message, error: Exception) -> None:
        """Have the status say why nothing was started, and go."""
        try:
            await status.edit(embed=embed(in_public(error)))
        except TROUBLE as problem:
            log.info("a refusal could not be shown: %s", plainly(problem))
        self._bot.rooms.whispers.fade(status)


_MENTION = re.compile(r"<@!?\d+>")
