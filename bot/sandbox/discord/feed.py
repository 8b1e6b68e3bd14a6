"""What happened, told to those it concerns: the bot over the gateway, people over their sockets.

Every change of the world is announced here, and only here. It decides who may hear of it: the bot
must see the channel, an ephemeral message is for its viewer.
"""

from collections.abc import Iterator
from typing import Any

from bot.sandbox.discord import client_payloads, payloads
from bot.sandbox.discord.audience import Audience
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.message_payloads import MessagePayloads, emoji
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.session import Intent
from bot.sandbox.discord.snowflake import unix_seconds
from bot.sandbox.discord.world import Channel, Member, World


class Feed:
    """Announces to both sides."""

    def __init__(
        self, world: World, gateway: Gateway, audience: Audience, shapes: MessagePayloads
    ) -> None:
        self._world = world
        self._gateway = gateway
        self._audience = audience
        self._shapes = shapes
        gateway.on_presence = lambda online: audience.tell_all("BOT", {"online": online})

    def message_created(self, message: Message) -> None:
        """Announce a new message."""
        self._message("MESSAGE_CREATE", message)

    def message_updated(self, message: Message) -> None:
        """Announce an edit."""
        self._message("MESSAGE_UPDATE", message)

    def message_deleted(self, message: Message) -> None:
        """Announce that a message is gone."""
        channel = self._world.channels[message.channel_id]
        gone = {"id": message.id, "channel_id": channel.id}
        self._to_bot(channel, "MESSAGE_DELETE", gone, _messages(channel))
        for person_id in self._viewers(channel, message):
            self._audience.tell(person_id, "MESSAGE_DELETE", gone)

    def reaction(self, message: Message, user_id: str, name: str, *, added: bool) -> None:
        """Somebody reacted, or took it back."""
        world = self._world
        channel = world.channels[message.channel_id]
        event: JSON = {
            "user_id": user_id,
            "channel_id": channel.id,
            "message_id": message.id,
            "emoji": emoji(name),
            "burst": False,
            "type": 0,
        }
        if added:
            event["message_author_id"] = message.author_id
            member = world.guild.members.get(user_id)
            if member is not None and not channel.is_direct:
                event["member"] = payloads.member(world, member)
        self._to_bot(
            channel,
            f"MESSAGE_REACTION_{'ADD' if added else 'REMOVE'}",
            event,
            Intent.DIRECT_MESSAGE_REACTIONS
            if channel.is_direct
            else Intent.GUILD_MESSAGE_REACTIONS,
        )
        for person_id in self._viewers(channel, message):
            told = {
                "channel_id": channel.id,
                "message_id": message.id,
                "reactions": self._shapes.reactions(message, person_id),
            }
            self._audience.tell(person_id, "REACTIONS", told)

    def typing(self, channel: Channel, user_id: str, snowflake: str) -> None:
        """Somebody is typing. `snowflake` is a fresh id: it carries the time."""
        told: JSON = {"channel_id": channel.id, "user_id": user_id}
        event = told | {"timestamp": int(unix_seconds(snowflake))}
        member = self._world.guild.members.get(user_id)
        if member is not None and not channel.is_direct:
            event["member"] = payloads.member(self._world, member)
        needs = Intent.DIRECT_MESSAGE_TYPING if channel.is_direct else Intent.GUILD_MESSAGE_TYPING
        self._to_bot(channel, "TYPING_START", event, needs)
        for person_id in self._watching(channel):
            self._audience.tell(person_id, "TYPING", told)

    def interaction(self, channel: Channel, event: JSON) -> None:
        """Hand an interaction to the bot. No intent is needed."""
        guild_id = None if channel.is_direct else self._world.guild.id
        self._gateway.publish("INTERACTION_CREATE", event, guild_id=guild_id)

    def interaction_state(self, person_id: str, state: JSON) -> None:
        """How a person's interaction is getting on."""
        self._audience.tell(person_id, "INTERACTION", state)

    def commands_changed(self) -> None:
        """Tell each person the commands, and where they may use them."""
        for person_id in self._audience.watching:
            told = client_payloads.commands(self._world, person_id)
            self._audience.tell(person_id, "COMMANDS", told)

    def member_changed(self, member: Member) -> None:
        """Announce that a member's roles changed, and with them what they see and may use."""
        guild_id = self._world.guild.id
        event = payloads.member(self._world, member) | {"guild_id": guild_id}
        self._gateway.publish(
            "GUILD_MEMBER_UPDATE", event, needs=Intent.GUILD_MEMBERS, guild_id=guild_id
        )
        self._audience.tell_all("PEOPLE", client_payloads.people(self._world))
        self.channels_changed()

    def channel_event(self, event: str, channel: Channel) -> None:
        """Announce that a channel or thread was created, changed or deleted."""
        data = payloads.channel(self._world, channel)
        guild_id = None if channel.is_direct else self._world.guild.id
        self._gateway.publish(event, data, needs=Intent.GUILDS, guild_id=guild_id)
        self.channels_changed()

    def guild_event(self, event: str, data: JSON) -> None:
        """Something about the guild as a whole: GUILD_CREATE, GUILD_DELETE."""
        guild_id = self._world.guild.id
        self._gateway.publish(event, data, needs=Intent.GUILDS, guild_id=guild_id)

    def channels_changed(self) -> None:
        """Tell each person the channels that they see now, and which commands fit there."""
        for person_id in self._audience.watching:
            told = client_payloads.channels(self._world, person_id)
            self._audience.tell(person_id, "CHANNELS", told)
        self.commands_changed()

    def _message(self, event: str, message: Message) -> None:
        channel = self._world.channels[message.channel_id]
        if self._gateway.sessions:
            self._to_bot(
                channel,
                event,
                self._shapes.event(message, content=True),
                _messages(channel),
                without_content=self._shapes.event(message, content=False),
            )
        for person_id in self._viewers(channel, message):
            self._audience.tell(person_id, event, self._shapes.whole(message, person_id))

    def _to_bot(
        self, channel: Channel, event: str, data: JSON, needs: int, without_content: Any = None
    ) -> None:
        guild_id = None
        if not channel.is_direct:
            guild_id = self._world.guild.id
            data = {**data, "guild_id": guild_id}
            if not self._world.may(self._world.bot.id, channel, Permission.VIEW_CHANNEL):
                return
        self._gateway.publish(
            event, data, needs=needs, guild_id=guild_id, without_content=without_content
        )

    def _watching(self, channel: Channel) -> Iterator[str]:
        for person_id in self._audience.watching:
            if self._world.may(person_id, channel, Permission.VIEW_CHANNEL):
                yield person_id

    def _viewers(self, channel: Channel, message: Message) -> Iterator[str]:
        return (one for one in self._watching(channel) if message.visible_to(one))


def _messages(channel: Channel) -> Intent:
    return Intent.DIRECT_MESSAGES if channel.is_direct else Intent.GUILD_MESSAGES
