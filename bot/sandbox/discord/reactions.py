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

    def add(self, message: Message, user_id: str, emoji: str, *, burst: bool = False) -> None:
        """React; once more changes nothing. A first reaction of its kind needs ADD_REACTIONS.

        Raises ApiError 10014 for what is no emoji, 30010 for one kind too many, 50013.
        """
        if not _plausible(emoji):
            raise ApiError(Refusal.UNKNOWN_EMOJI)
        if emoji not in message.reactions:
            channel = self._world.channels[message.channel_id]
            if not self._world.may(user_id, channel, Permission.ADD_REACTIONS):
                raise ApiError(Refusal.MISSING_PERMISSIONS)
            if len(message.reactions) >= self._world.limits.reactions_max:
                raise ApiError(Refusal.TOO_MANY_REACTIONS)
        people = message.reactions.setdefault(emoji, [])
        if user_id not in people:
            people.append(user_id)
            if burst:
                message.bursts.add((emoji, user_id))
            self._feed.reaction(message, user_id, emoji, added=True, burst=burst)

    def remove(self, message: Message, user_id: str, emoji: str) -> None:
        """Take back a user's reaction, if it was there."""
        people = message.reactions.get(emoji, [])
        if user_id in people:
            people.remove(user_id)
            if not people:
                del message.reactions[emoji]
            burst = (emoji, user_id) in message.bursts
            message.bursts.discard((emoji, user_id))
            self._feed.reaction(message, user_id, emoji, added=False, burst=burst)

    def clear(self, message: Message, emoji: str | None) -> None:
        """Take away all reactions, or all with one emoji, at once."""
        gone = [one for one in message.reactions if emoji in {None, one}]
        for one in gone:
            del message.reactions[one]
        message.bursts = {one for one in message.bursts if one[0] not in gone}
        if gone:
            self._feed.reactions_cleared(message, emoji)

    async def put(self, request: web.Request) -> None:
        """PUT .../reactions/{emoji}/@me."""
        self.add(self._message(request), self._world.bot.id, request.match_info["emoji"])

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

    async def delete_all(self, request: web.Request) -> None:
        """DELETE .../reactions or .../reactions/{emoji}: needs MANAGE_MESSAGES."""
        message = self._message(request)
        self._access.channel(message.channel_id, Permission.MANAGE_MESSAGES)
        self.clear(message, request.match_info.get("emoji"))

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
