"""What happened, told to those it concerns: the bot over the gateway, people over their sockets.

Every change of the world is announced here, and only here. It decides who may hear of it: the bot
must see the channel, an ephemeral message is for its viewer.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from bot.sandbox.discord import client_payloads, guild_payloads, payloads
from bot.sandbox.discord.audience import Audience
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.message_payloads import BURST_COLORS, MessagePayloads, emoji
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.session import Intent
from bot.sandbox.discord.snowflake import unix_seconds
from bot.sandbox.discord.world import Channel, Guild, Member, World


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
        if not message.ephemeral:
            self._to_bot(channel, "MESSAGE_DELETE", gone, _messages(channel))
        for person_id in self._viewers(channel, message):
            self._audience.tell(person_id, "MESSAGE_DELETE", gone)

    def messages_deleted(self, channel: Channel, messages: Sequence[Message]) -> None:
        """Announce that several messages are gone at once: one event to the bot."""
        gone = {"ids": [one.id for one in messages], "channel_id": channel.id}
        self._to_bot(channel, "MESSAGE_DELETE_BULK", gone, _messages(channel))
        for message in messages:
            for person_id in self._viewers(channel, message):
                told = {"id": message.id, "channel_id": channel.id}
                self._audience.tell(person_id, "MESSAGE_DELETE", told)

    def reaction(
        self, message: Message, user_id: str, name: str, *, added: bool, burst: bool
    ) -> None:
        """Somebody reacted, or took it back."""
        channel = self._world.channels[message.channel_id]
        about: JSON = {
            "user_id": user_id,
            "emoji": emoji(name),
            "burst": burst,
            "type": int(burst),
        }
        if added:
            about["message_author_id"] = message.author_id
            member = self._world.member(channel, user_id)
            if member is not None:
                about["member"] = payloads.member(self._world, member)
            if burst:
                about["burst_colors"] = BURST_COLORS
        self._reactions_event(message, "ADD" if added else "REMOVE", about)

    def reactions_cleared(self, message: Message, name: str | None) -> None:
        """Announce that all reactions are gone, or all with one emoji."""
        if name is None:
            self._reactions_event(message, "REMOVE_ALL", {})
        else:
            self._reactions_event(message, "REMOVE_EMOJI", {"emoji": emoji(name)})

    def _reactions_event(self, message: Message, what: str, about: JSON) -> None:
        channel = self._world.channels[message.channel_id]
        place = {"channel_id": channel.id, "message_id": message.id}
        needs = (
            Intent.DIRECT_MESSAGE_REACTIONS if channel.is_direct else Intent.GUILD_MESSAGE_REACTIONS
        )
        self._to_bot(channel, f"MESSAGE_REACTION_{what}", place | about, needs)
        for person_id in self._viewers(channel, message):
            told = {**place, "reactions": self._shapes.reactions(message, person_id)}
            self._audience.tell(person_id, "REACTIONS", told)

    def typing(self, channel: Channel, user_id: str, snowflake: str) -> None:
        """Somebody is typing. `snowflake` is a fresh id: it carries the time."""
        told: JSON = {"channel_id": channel.id, "user_id": user_id}
        event = told | {"timestamp": int(unix_seconds(snowflake))}
        member = self._world.member(channel, user_id)
        if member is not None:
            event["member"] = payloads.member(self._world, member)
        needs = Intent.DIRECT_MESSAGE_TYPING if channel.is_direct else Intent.GUILD_MESSAGE_TYPING
        self._to_bot(channel, "TYPING_START", event, needs)
        for person_id in self._watching(channel):
            self._audience.tell(person_id, "TYPING", told)

    def interaction(self, channel: Channel, event: JSON) -> None:
        """Hand an interaction to the bot. No intent is needed."""
        self._gateway.publish("INTERACTION_CREATE", event, guild_id=channel.guild_id)

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
        event = payloads.member(self._world, member) | {"guild_id": member.guild_id}
        self._gateway.publish(
            "GUILD_MEMBER_UPDATE", event, needs=Intent.GUILD_MEMBERS, guild_id=member.guild_id
        )
        self.people_changed()
        self.channels_changed()

    def people_changed(self) -> None:
        """Tell each person whom they know, and what is true of them now."""
        for person_id in self._audience.watching:
            told = client_payloads.people(self._world, person_id)
            self._audience.tell(person_id, "PEOPLE", told)

    def guild_changed(self, guild: Guild) -> None:
        """Announce that a guild's settings changed."""
        self.guild_event("GUILD_UPDATE", guild, guild_payloads.guild(guild))
        for person_id in self._audience.watching:
            told = client_payloads.guilds(self._world, person_id)
            self._audience.tell(person_id, "GUILDS", told)
        self.channels_changed()

    def command_permissions_changed(self, guild: Guild, command_id: str) -> None:
        """Announce who may use a command now. No intent is needed."""
        event = guild_payloads.command_permissions(self._world, guild, command_id)
        self._gateway.publish("APPLICATION_COMMAND_PERMISSIONS_UPDATE", event, guild_id=guild.id)
        self.commands_changed()
        for person_id in self._audience.watching:
            told = client_payloads.guilds(self._world, person_id)
            self._audience.tell(person_id, "GUILDS", told)

    def portal_changed(self) -> None:
        """Tell everybody how the app's switches are now."""
        self._audience.tell_all("PORTAL", client_payloads.portal(self._world))

    def channel_event(self, event: str, channel: Channel) -> None:
        """Announce that a channel or thread was created, changed or deleted."""
        data = payloads.channel(self._world, channel)
        self._gateway.publish(event, data, needs=Intent.GUILDS, guild_id=channel.guild_id)
        self.channels_changed()

    def guild_event(self, event: str, guild: Guild, data: JSON) -> None:
        """Something about a guild as a whole: GUILD_CREATE, GUILD_UPDATE, GUILD_DELETE."""
        self._gateway.publish(event, data, needs=Intent.GUILDS, guild_id=guild.id)

    def channels_changed(self) -> None:
        """Tell each person the channels that they see now, and which commands fit there."""
        for person_id in self._audience.watching:
            told = client_payloads.channels(self._world, person_id)
            self._audience.tell(person_id, "CHANNELS", told)
        self.commands_changed()

    def _message(self, event: str, message: Message) -> None:
        channel = self._world.channels[message.channel_id]
        if self._gateway.sessions and message.ephemeral:
            # As Discord does: the bot hears of it as if it were a direct message.
            shape = self._shapes.for_app(message)
            needs = Intent.DIRECT_MESSAGES
            self._gateway.publish(event, shape, needs=needs, guild_id=None)
        elif self._gateway.sessions:
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
        guild_id = channel.guild_id
        if guild_id is not None:
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
