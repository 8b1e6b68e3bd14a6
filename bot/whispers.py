"""Short answers to messages, where there is no private way: they go by themselves after moments.

Each person hears the same thing once an hour at most, so that a channel is not flooded by what one
keeps doing. Never a direct message.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable

import discord

from bot.ladder import NO_ANSWER
from bot.status import embed
from bot.words import Note

log = logging.getLogger(__name__)

_TROUBLE = (discord.DiscordException, *NO_ANSWER)
_LIFE = 15.0
"""Seconds that one stays."""
_ONCE_IN = 3600.0
_REMEMBERED = 2000


class Whispers:
    """`clock` returns seconds that only grow; `life` is how many of them a whisper stays."""

    def __init__(self, clock: Callable[[], float], life: float = _LIFE) -> None:
        self._clock = clock
        self._life = life
        self._said: OrderedDict[tuple[int, str], float] = OrderedDict()
        self._fading: set[asyncio.Task[None]] = set()
        self._is_closing = asyncio.Event()

    async def say(
        self, message: discord.PartialMessage | discord.Message, member_id: int, note: Note
    ) -> bool:
        """Answer a message for a member, and tell whether that was done, and not too often."""
        if not self._is_news(member_id, note):
            return False
        try:
            said = await message.reply(
                f"<@{member_id}>",
                embed=embed(note),
                mention_author=False,
                allowed_mentions=discord.AllowedMentions(
                    everyone=False,
                    roles=False,
                    users=[discord.Object(member_id)],
                    replied_user=False,
                ),
            )
        except _TROUBLE as problem:
            log.info("a word could not be said: %s", type(problem).__name__)
            return False
        self.fade(said)
        return True

    def fade(self, message: discord.Message | discord.PartialMessage) -> None:
        """Have one of the bot's own messages go in a moment."""
        task = asyncio.create_task(self._fade(message))
        self._fading.add(task)
        task.add_done_callback(self._fading.discard)

    async def close(self, patience: float) -> None:
        """Have those that are there go now, within `patience` seconds."""
        self._is_closing.set()
        if self._fading:
            await asyncio.wait(list(self._fading), timeout=patience)

    def _is_news(self, member_id: int, note: Note) -> bool:
        now = self._clock()
        key = (member_id, note.title)
        last = self._said.pop(key, None)
        is_news = last is None or now - last >= _ONCE_IN
        self._said[key] = now if is_news or last is None else last
        while len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        return is_news

    async def _fade(self, message: discord.Message | discord.PartialMessage) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_closing.wait(), self._life)
        try:
            await message.delete()
        except _TROUBLE as problem:
            log.info("a word stays: %s", type(problem).__name__)
