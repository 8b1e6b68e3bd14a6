"""Finding what a route names, or refusing as Discord does: 10003, 10008, 50001, 50013.

Used by every route that the bot token opens.
"""

from bot.sandbox.discord.errors import ApiError, Refusal
from bot.sandbox.discord.message import Message
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import Channel, Guild, World


class Access:
    """What the bot may reach with its token."""

    def __init__(self, world: World) -> None:
        self._world = world

    def channel(self, channel_id: str, *needs: Permission) -> Channel:
        """Return a channel that the bot sees and in which it has `needs`."""
        channel = self._world.channels.get(channel_id)
        if channel is None:
            raise ApiError(Refusal.UNKNOWN_CHANNEL)
        allowed = self._world.permissions(self._world.bot.id, channel)
        if not allowed & Permission.VIEW_CHANNEL:
            raise ApiError(Refusal.MISSING_ACCESS)
        for need in needs:
            if not allowed & need:
                raise ApiError(Refusal.MISSING_PERMISSIONS)
        return channel

    def message(self, channel: Channel, message_id: str) -> Message:
        """Return a message of a channel; an ephemeral one does not exist for a bot token."""
        message = channel.messages.get(message_id)
        if message is None or message.ephemeral:
            raise ApiError(Refusal.UNKNOWN_MESSAGE)
        return message

    def guild(self, guild_id: str) -> Guild:
        """Return a guild that the bot is in."""
        guild = self._world.guilds.get(guild_id)
        if guild is None:
            raise ApiError(Refusal.UNKNOWN_GUILD)
        if self._world.bot.id not in guild.members:
            raise ApiError(Refusal.MISSING_ACCESS)
        return guild

    def application(self, application_id: str) -> None:
        """Check that this is the bot's own application."""
        if application_id not in {self._world.application_id, "@me"}:
            raise ApiError(Refusal.UNKNOWN_APPLICATION)
