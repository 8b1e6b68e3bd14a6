"""What the ids in an interaction refer to: the `resolved` part of its data.

One for each interaction, as members and channels carry permissions: the member's in the channel
that it happens in, and the invoker's in the channel that is named.
"""

from collections.abc import Mapping, Sequence

from bot.sandbox.discord import guild_payloads, payloads
from bot.sandbox.discord.cdn import Attachment, Cdn
from bot.sandbox.discord.command_checks import OptionType
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.world import Channel, User, World

T = OptionType
#: What Discord leaves out of a member that is resolved.
_NOT_RESOLVED = ("mute", "deaf")


class Resolved:
    """Collects objects by kind and id in `data`."""

    def __init__(
        self,
        world: World,
        cdn: Cdn,
        uploads: Mapping[str, Attachment],
        person: User,
        channel: Channel,
    ) -> None:
        self._world = world
        self._cdn = cdn
        self._uploads = uploads
        self._person = person
        self._channel = channel
        self.data: JSON = {}

    def add(self, kind: int, value: str, channel_types: Sequence[int] | None = None) -> bool:
        """Add what the value of an option of this kind refers to; False if there is no such.

        A channel must be of one of these types, if types are asked for.
        """
        roles = {} if self._channel.is_direct else self._world.guild_of(self._channel).roles
        if kind in {T.USER, T.MENTIONABLE} and value in self._world.users:
            self._add_user(value)
        elif kind in {T.ROLE, T.MENTIONABLE} and value in roles:
            self.put("roles", value, guild_payloads.role(roles[value]))
        elif kind == T.CHANNEL and self._is_here(value, channel_types):
            named = self._world.channels[value]
            shape = payloads.interaction_channel(self._world, named, self._person.id)
            self.put("channels", value, shape)
        elif kind == T.ATTACHMENT and value in self._uploads:
            self.put("attachments", value, self._cdn.as_json(self._uploads[value]))
        else:
            return False
        return True

    def put(self, kind: str, object_id: str, shape: JSON) -> None:
        """Add an object whose shape is known."""
        self.data.setdefault(kind, {})[object_id] = shape

    def _is_here(self, channel_id: str, types: Sequence[int] | None) -> bool:
        """Whether a channel is in the guild that the interaction happens in, and fits."""
        found = self._world.channels.get(channel_id)
        if found is None or found.guild_id != self._channel.guild_id:
            return False
        return not types or found.type in types

    def _add_user(self, user_id: str) -> None:
        """Add a user, and their membership if they have one."""
        self.put("users", user_id, payloads.user(self._world.users[user_id]))
        member = self._world.member(self._channel, user_id)
        if member is None:
            return
        shape = payloads.member(self._world, member, with_user=False)
        kept = {name: value for name, value in shape.items() if name not in _NOT_RESOLVED}
        allowed = str(self._world.permissions(user_id, self._channel))
        self.put("members", user_id, {**kept, "permissions": allowed})
