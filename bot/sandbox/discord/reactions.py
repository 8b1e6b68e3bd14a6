"""Reactions: put and taken back, by the bot's routes and by people."""

from aiohttp import web

from bot.sandbox.discord import payloads
from bot.sandbox.discord.access import Access
from bot.sandbox.discord.errors import ApiError, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import World

_EMOJI_MAX_CHARS = 100


class Reactions:
    """Changes reactions and tells everybody."""

    def __init__(self, world: World, access: Access, feed: Feed) -> None:
        self._world = world
        self._access = access
        self._feed = feed

    def add(self, message: Message, user_id: str, emoji: str) -> None:
        """React; once more changes nothing. Raises ApiError 10014 for what is no emoji."""
        if not _plausible(emoji):
            raise ApiError(Refusal.UNKNOWN_EMOJI)
        people = message.reactions.setdefault(emoji, [])
        if user_id not in people:
            people.append(user_id)
            self._feed.reaction(message, user_id, emoji, added=True)

    def remove(self, message: Message, user_id: str, emoji: str) -> None:
        """Take back a user's reaction, if it was there."""
        people = message.reactions.get(emoji, [])
        if user_id in people:
            people.remove(user_id)
            if not people:
                del message.reactions[emoji]
            self._feed.reaction(message, user_id, emoji, added=False)

    async def put(self, request: web.Request) -> None:
        """PUT .../reactions/{emoji}/@me. A first reaction of its kind needs ADD_REACTIONS."""
        message = self._message(request)
        emoji = request.match_info["emoji"]
        channel = self._world.channels[message.channel_id]
        new = emoji not in message.reactions
        if new and not self._world.may(self._world.bot.id, channel, Permission.ADD_REACTIONS):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        self.add(message, self._world.bot.id, emoji)

    async def delete(self, request: web.Request) -> None:
        """DELETE .../reactions/{emoji}/{user}: the bot's own, or another's with MANAGE_MESSAGES."""
        message = self._message(request)
        user_id = request.match_info["user_id"]
        if user_id in {"@me", self._world.bot.id}:
            user_id = self._world.bot.id
        else:
            self._access.channel(message.channel_id, Permission.MANAGE_MESSAGES)
        self.remove(message, user_id, request.match_info["emoji"])

    async def reactors(self, request: web.Request) -> list[JSON]:
        """GET .../reactions/{emoji}: who reacted so."""
        message = self._message(request)
        people = message.reactions.get(request.match_info["emoji"], [])
        return [payloads.user(self._world.users[one]) for one in people]

    async def clear(self, request: web.Request) -> None:
        """DELETE .../reactions or .../reactions/{emoji}: needs MANAGE_MESSAGES."""
        message = self._message(request)
        self._access.channel(message.channel_id, Permission.MANAGE_MESSAGES)
        wanted = request.match_info.get("emoji")
        for emoji, people in list(message.reactions.items()):
            if wanted in {None, emoji}:
                for user_id in list(people):
                    self.remove(message, user_id, emoji)

    def _message(self, request: web.Request) -> Message:
        path = request.match_info
        channel = self._access.channel(path["channel_id"], Permission.READ_MESSAGE_HISTORY)
        return self._access.message(channel, path["message_id"])


def _plausible(emoji: str) -> bool:
    """Whether this can be an emoji: a sign beyond ASCII, or `name:id`."""
    name, _, custom_id = emoji.partition(":")
    if custom_id:
        return bool(name) and custom_id.isdecimal()
    return (0 < len(emoji) <= _EMOJI_MAX_CHARS and not emoji.isascii()) or emoji[-1:] == "\u20e3"
