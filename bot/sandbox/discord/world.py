"""The little world: its guilds, channels and people, the app's bot, and what was said.

Owns who is where and who may do what. Holds records only; it sends nothing and answers no request.
Everybody else in this package reads it, and changes it through the methods here. What is in it at
the start is `founding.py`'s.
"""

import time
from collections.abc import Iterator

from bot.sandbox.discord import permissions
from bot.sandbox.discord.founding import found
from bot.sandbox.discord.limits import Limits
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.places import (
    DIRECT,
    TEXT,
    THREAD,
    Channel,
    Guild,
    Member,
    Role,
    Sticker,
    User,
)
from bot.sandbox.discord.snowflake import Snowflakes

__all__ = ["APP_NAME", "DIRECT", "TEXT", "THREAD"]
__all__ += ["Channel", "Guild", "Member", "Role", "Sticker", "User", "World"]

APP_NAME = "animate-bot"
_READING = int(Permission.VIEW_CHANNEL | Permission.READ_MESSAGE_HISTORY)


class World:
    """Two servers with their people, and one bot in both; gone with the server."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.ids = Snowflakes()
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.commands: dict[str, JSON] = {}
        self._author_nonces: dict[str, tuple[float, Message]] = {}
        self.bot = self.add_user(APP_NAME, None, "#5865f2", bot=True)
        found(self)

    @property
    def application_id(self) -> str:
        """The app's id, which is its bot's id too."""
        return self.bot.id

    @property
    def guild(self) -> Guild:
        """The first guild, where most things happen."""
        return next(iter(self.guilds.values()))

    @property
    def people(self) -> Iterator[User]:
        """The people who can be played, in the order of their creation."""
        owners = {guild.owner_id for guild in self.guilds.values()}
        return (user for user in self.users.values() if not user.bot and user.id not in owners)

    def add_user(
        self, username: str, global_name: str | None, color: str, *, bot: bool = False
    ) -> User:
        """Return a new user, who is in no guild yet."""
        user = User(
            id=self.ids.next(),
            username=username,
            global_name=global_name,
            avatar_color=color,
            bot=bot,
        )
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, owner: User) -> Guild:
        """Return a new guild with an owner and @everyone in it."""
        self.ids.next()  # the id before the guild's stands for all of its channels
        guild = Guild(id=self.ids.next(), name=name, owner_id=owner.id)
        self.guilds[guild.id] = guild
        self.add_role(guild, "@everyone", permissions.EVERYONE, role_id=guild.id)
        self.join(owner, guild=guild)
        return guild

    def add_role(
        self,
        guild: Guild,
        name: str,
        allowed: int,
        color: int = 0,
        *,
        role_id: str | None = None,
        managed_by: str | None = None,
    ) -> Role:
        """Return a new role, above all others."""
        role = Role(
            id=role_id or self.ids.next(),
            name=name,
            permissions=allowed,
            position=len(guild.roles),
            color=color,
            managed_by=managed_by,
        )
        guild.roles[role.id] = role
        return role

    def join(self, user: User, *roles: Role, guild: Guild | None = None) -> Member:
        """Make a user a member of a guild, the first one unless told otherwise."""
        guild = guild or self.guild
        member = Member(
            user_id=user.id,
            guild_id=guild.id,
            roles=[role.id for role in roles],
            joined_at=time.time(),
        )
        guild.members[user.id] = member
        return member

    def add_person(self, name: str) -> User:
        """Return a new person in the first guild, for tests and benchmarks that need many."""
        user = self.add_user(name.lower(), name, "#99aab5")
        self.join(user)
        return user

    def add_channel(
        self, name: str, topic: str | None = None, guild: Guild | None = None
    ) -> Channel:
        """Return a new text channel, at the end of its guild's list."""
        channel = Channel(
            id=self.ids.next(),
            type=TEXT,
            guild_id=(guild or self.guild).id,
            name=name,
            topic=topic,
            position=len(self.channels),
        )
        self.channels[channel.id] = channel
        return channel

    def direct_channel(self, person_id: str) -> Channel:
        """Return the direct message channel of a person and the bot, opened if need be."""
        for channel in self.channels.values():
            if channel.recipient_id == person_id:
                return channel
        channel = Channel(id=self.ids.next(), type=DIRECT, name=APP_NAME, recipient_id=person_id)
        self.channels[channel.id] = channel
        return channel

    def guild_of(self, channel: Channel) -> Guild:
        """Return the guild of a channel that is not direct."""
        return self.guilds[channel.guild_id or ""]

    def guilds_of(self, user_id: str) -> list[Guild]:
        """Return the guilds that a user is in."""
        return [guild for guild in self.guilds.values() if user_id in guild.members]

    def channels_of(self, guild: Guild) -> list[Channel]:
        """Return a guild's channels and threads, in order."""
        return [one for one in self.channels.values() if one.guild_id == guild.id]

    def member(self, channel: Channel, user_id: str) -> Member | None:
        """Return a user's membership where a channel is; None for a stranger or a direct one."""
        return None if channel.is_direct else self.guild_of(channel).members.get(user_id)

    def role(self, role_id: str) -> Role | None:
        """Return a role of whichever guild."""
        every = (guild.roles.get(role_id) for guild in self.guilds.values())
        return next(filter(None, every), None)

    def sticker(self, sticker_id: str) -> Sticker | None:
        """Return a sticker of whichever guild."""
        every = (guild.stickers.get(sticker_id) for guild in self.guilds.values())
        return next(filter(None, every), None)

    def permissions(self, user_id: str, channel: Channel) -> int:
        """Return the bits that a user has in a channel; 0 for strangers."""
        if channel.is_direct:
            return permissions.DIRECT if user_id in {channel.recipient_id, self.bot.id} else 0
        member = self.member(channel, user_id)
        if member is None:
            return 0
        place = (
            self.channels.get(channel.parent_id or "", channel) if channel.is_thread else channel
        )
        base = self.base_permissions(member)
        everyone = place.overwrites.get(member.guild_id, (0, 0))
        roles = [place.overwrites[role] for role in member.roles if role in place.overwrites]
        own = place.overwrites.get(user_id, (0, 0))
        allowed = permissions.in_channel(base, ([everyone], roles, [own]))
        if member.timed_out_until is not None and member.timed_out_until > time.time():
            allowed &= _READING
        return allowed

    def base_permissions(self, member: Member) -> int:
        """Say what a member's roles add up to, before any channel has its say."""
        guild = self.guilds[member.guild_id]
        if member.user_id == guild.owner_id:
            return permissions.EVERYTHING
        allowed = guild.roles[guild.id].permissions
        for role_id in member.roles:
            allowed |= guild.roles[role_id].permissions
        return allowed

    def roles_of(self, user_id: str, guild: Guild | None = None) -> list[Role]:
        """Return the roles that a member was given, the highest first; not @everyone."""
        guild = guild or self.guild
        member = guild.members.get(user_id)
        given = [] if member is None else [guild.roles[one] for one in member.roles]
        return sorted(given, key=lambda role: role.position, reverse=True)

    def may(self, user_id: str, channel: Channel, permission: Permission) -> bool:
        """Whether a user has all of the given bits in a channel."""
        wanted = permission.value
        return self.permissions(user_id, channel) & wanted == wanted

    def upload_limit(self, channel: Channel) -> int:
        """Return the largest file, in bytes, that anybody may post in a channel."""
        tier = 0 if channel.is_direct else self.guild_of(channel).premium_tier
        return self.limits.upload_limit(tier)

    def personal_upload_limit(self, user: User, channel: Channel) -> int:
        """Return the same for one person: the better of the guild's and their own."""
        return max(self.upload_limit(channel), self.limits.nitro_limit(user.premium_type))

    @staticmethod
    def now() -> float:
        """Return the time of the world, in Unix seconds."""
        return time.time()

    def message(self, channel_id: str, message_id: str) -> Message | None:
        """Return a message that still exists."""
        channel = self.channels.get(channel_id)
        return None if channel is None else channel.messages.get(message_id)

    def add_message(self, message: Message) -> None:
        """Put a message into its channel, and remember its nonce."""
        channel = self.channels[message.channel_id]
        channel.messages[message.id] = message
        if not message.ephemeral:
            channel.last_message_id = message.id
        if message.nonce is not None:
            now = time.time()
            self._forget_nonces(now)
            key = f"{message.author_id}:{message.nonce}"
            self._author_nonces[key] = (now, message)

    def by_nonce(self, author_id: str, nonce: str | int) -> Message | None:
        """Return the author's message with this nonce, deleted or not, within the window.

        In whichever channel: Discord looks at the author only.
        """
        self._forget_nonces(time.time())
        found = self._author_nonces.get(f"{author_id}:{nonce}")
        return None if found is None else found[1]

    def _forget_nonces(self, now: float) -> None:
        oldest = now - self.limits.nonce_window_s
        while self._author_nonces:
            key = next(iter(self._author_nonces))
            if self._author_nonces[key][0] >= oldest:
                return
            del self._author_nonces[key]
