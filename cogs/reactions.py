"""The door of reactions: a server's emoji on a message asks for a clip of its first picture.

Who reacts pays. Taken back while it waits, the wish is taken back too. A refusal takes the reaction
away where the bot may, and is whispered. No SQL, no HTTP, no money here.
"""

import logging
from collections import OrderedDict
from dataclasses import replace

import discord
from discord.ext import commands

from bot import door, finder, spot
from bot.answering import TROUBLE, plainly
from bot.client import AnimateBot
from bot.errors import ConsentNeeded, PictureProblem, PictureRefused, StoreError, UserError
from bot.options import Options
from bot.policy import Policy
from bot.refusals import in_public
from bot.spot import Spot, Wanted
from bot.tongue import reading
from bot.wish import Door, Picture

log = logging.getLogger(__name__)

_REMEMBERED = 1000
_SOME = 1
"""Bytes, where it is not known how many."""
_VARIATION = "\N{VARIATION SELECTOR-16}"


async def setup(bot: AnimateBot) -> None:
    """Listen to reactions; discord.py calls this when it loads the extension."""
    await bot.add_cog(Reactions(bot))


class Reactions(commands.Cog):
    """Knows which reactions stand, so that an event that comes twice is one wish."""

    def __init__(self, bot: AnimateBot) -> None:
        self._bot = bot
        self._standing: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._asking: dict[tuple[int, int], bool] = {}
        """Whose wish is being taken in, and whether it was taken back meanwhile."""

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Take a wish in, if it is one."""
        key = (event.message_id, event.user_id)
        policy = await self._asked_for(event)
        if policy is None or key in self._standing or _is_old(event.message_id, policy):
            return
        self._standing[key] = None
        while len(self._standing) > _REMEMBERED:
            self._standing.popitem(last=False)
        self._asking[key] = False
        try:
            await self._take_in(event)
        finally:
            self._asking.pop(key, None)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Forget which reactions stand: between two sessions some may have been taken back."""
        self._standing.clear()

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Take a wish back, if it is not too late."""
        if await self._asked_for(event) is None:
            return
        key = (event.message_id, event.user_id)
        self._standing.pop(key, None)
        if key in self._asking:
            self._asking[key] = True
        await self._take_back(event)

    async def _take_back(self, event: discord.RawReactionActionEvent) -> None:
        rooms = self._bot.rooms
        try:
            await rooms.cancellation.unreact(event.message_id, event.user_id)
            await rooms.mediator.withdraw(event.message_id, event.user_id)
        except StoreError as error:
            log.warning("a reaction could not be taken back: %s", error)

    def _is_taken_back(self, event: discord.RawReactionActionEvent) -> bool:
        return self._asking.get((event.message_id, event.user_id), False)

    async def _asked_for(self, event: discord.RawReactionActionEvent) -> Policy | None:
        """Return the server's rules where this is its emoji, and somebody's."""
        bot = self._bot
        if event.guild_id is None or bot.user is None:
            return None
        is_of_a_bot = event.member is not None and event.member.bot
        if is_of_a_bot or bot.user.id in (event.user_id, event.message_author_id):
            return None
        await bot.doors_are_open.wait()
        try:
            policy = await bot.rooms.policies.policy(event.guild_id)
        except StoreError as error:
            log.warning("a reaction is passed over: %s", error)
            return None
        return policy if policy.reaction and _is_same(event.emoji, policy.reaction) else None

    async def _take_in(self, event: discord.RawReactionActionEvent) -> None:
        assert event.guild_id is not None, "asked before"
        guild = self._bot.get_guild(event.guild_id)
        channel = guild.get_channel_or_thread(event.channel_id) if guild else None
        if channel is None or event.member is None or guild is None:
            log.info("a reaction in a channel that is not known")
            return
        reading(str(guild.preferred_locale))
        here = spot.of_member(event.member, channel, str(guild.preferred_locale))
        place = self._bot.get_partial_messageable(channel.id, guild_id=guild.id)
        message = place.get_partial_message(event.message_id)
        try:
            here.check_may_post()
            self._bot.intake.check(_SOME)
            await self._bot.intake.admit(here.guild_id, here.asker(None))
            await self._accept(event, here, message)
        except UserError as error:
            await self._refuse(event, here, message, error)
        except Exception as error:
            log.exception("a reaction broke before anything was accepted")
            await self._refuse(event, here, message, error)

    async def _accept(
        self, event: discord.RawReactionActionEvent, here: Spot, message: discord.PartialMessage
    ) -> None:
        picture = await self._picture(message, here.guild_id)
        if picture is None:
            return
        self._bot.intake.check(picture.size or _SOME)
        options = await door.filled_in(self._bot, here.member_id, Options())
        now = round(discord.utils.utcnow().timestamp() * 1000)
        source = f"reaction:{message.id}:{here.member_id}:{now}"
        wanted = Wanted(source=source, door=Door.REACTION, picture=picture)
        # A reaction is for everybody to see, and so is what it leads to.
        wish = spot.ask(here, wanted, replace(options, is_private=False))
        if self._is_taken_back(event):  # before there was anything to take back
            return
        try:
            admitted = await self._bot.intake.accept(wish)
        except ConsentNeeded:
            if not self._is_taken_back(event):
                raise
            await self._take_back(event)
            return
        if self._is_taken_back(event):
            await self._bot.rooms.cancellation.cancel(admitted.job.id, here.member_id)

    async def _picture(self, message: discord.PartialMessage, guild_id: int) -> Picture | None:
        """Return the first picture of a person's message; None: it is a bot's, or is not seen.

        Raises `PictureRefused`.
        """
        try:
            seen = await message.fetch()
        except TROUBLE as problem:
            log.info("a message with a reaction was not seen: %s", plainly(problem))
            return None
        if seen.author.bot or seen.webhook_id is not None:
            return None
        for picture in await finder.owned(self._bot, seen, guild_id):
            return picture
        is_open = self._bot.sees_messages
        raise PictureRefused(PictureProblem.NONE_THERE if is_open else PictureProblem.UNSEEN)

    async def _refuse(
        self,
        event: discord.RawReactionActionEvent,
        here: Spot,
        message: discord.PartialMessage,
        error: Exception,
    ) -> None:
        # One that waits for the author of the picture may stand.
        if here.allowed.manage_messages and not isinstance(error, ConsentNeeded):
            try:
                await message.remove_reaction(event.emoji, discord.Object(here.member_id))
            except TROUBLE as problem:
                log.info("a reaction stays: %s", plainly(problem))
        await self._bot.rooms.whispers.say(message, here.member_id, in_public(error))


def _is_old(message_id: int, policy: Policy) -> bool:
    age = discord.utils.utcnow() - discord.utils.snowflake_time(message_id)
    return age.days >= policy.oldest_days


def _is_same(emoji: discord.PartialEmoji, wanted: str) -> bool:
    """Tell whether a reaction is the emoji that a server has chosen, however that is written."""
    known = discord.PartialEmoji.from_str(wanted)
    if known.id is not None or emoji.id is not None:
        return known.id == emoji.id
    return known.name.replace(_VARIATION, "") == emoji.name.replace(_VARIATION, "")
