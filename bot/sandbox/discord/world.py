"""The little world: one guild, its roles, channels and people, the app's bot, and what was said.

Owns who is where and who may do what. Holds records only; it sends nothing and answers no request.
Everybody else in this package reads it, and changes it through the methods here.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.sandbox.discord import permissions
from bot.sandbox.discord.limits import Limits
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.permissions import Overwrite, Permission
from bot.sandbox.discord.snowflake import Snowflakes

TEXT, DIRECT, THREAD = 0, 1, 11
APP_NAME = "animate-bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. `avatar_color` is the sandbox's own, `#rrggbb`; Discord has no such field."""

    id: str
    username: str
    global_name: str | None
    avatar_color: str
    bot: bool = False


@dataclass(slots=True, kw_only=True)
class Role:
    """A role of the guild. The one whose id is the guild's is @everyone."""

    id: str
    name: str
    permissions: int
    position: int
    #: 0 for none: the names of its members are white.
    color: int = 0
    managed_by: str | None = None


@dataclass(slots=True, kw_only=True)
class Member:
    """A user in the guild."""

    user_id: str
    roles: list[str]
    joined_at: float
    nick: str | None = None
    timed_out_until: float | None = None


@dataclass(slots=True, kw_only=True)
class Channel:
    """A text channel, a thread, or a direct message with the bot."""

    id: str
    type: int
    name: str = ""
    topic: str | None = None
    nsfw: bool = False
    position: int = 0
    parent_id: str | None = None
    owner_id: str | None = None
    archived: bool = False
    locked: bool = False
    auto_archive_minutes: int = 1440
    #: The person on the other side of a direct message.
    recipient_id: str | None = None
    #: Overwrites by id of a role or a member.
    overwrites: dict[str, Overwrite] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    last_message_id: str | None = None

    @property
    def is_thread(self) -> bool:
        """Whether it hangs on a message of another channel."""
        return self.type == THREAD

    @property
    def is_direct(self) -> bool:
        """Whether it is outside the guild."""
        return self.type == DIRECT


@dataclass(slots=True, kw_only=True)
class Guild:
    """The one guild."""

    id: str
    name: str
    owner_id: str
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)


class World:
    """Pixel Garden: four channels, three people, three roles, one bot; gone with the server."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.ids = Snowflakes()
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.commands: dict[str, JSON] = {}
        #: By command: who may use it, by id of a member or a role, whatever the command asks for.
        self.command_permissions: dict[str, dict[str, bool]] = {}
        self._author_nonces: dict[str, tuple[float, Message]] = {}
        self.bot = self._user(APP_NAME, None, "#5865f2", bot=True)
        owner = self._user("pixel", "Pixel", "#747f8d")
        self.guild = Guild(id=self.ids.next(), name="Pixel Garden", owner_id=owner.id)
        self._everyone = self._role("@everyone", permissions.EVERYONE, role_id=self.guild.id)
        self._people()
        self._rooms()

    @property
    def application_id(self) -> str:
        """The app's id, which is its bot's id too."""
        return self.bot.id

    @property
    def people(self) -> Iterator[User]:
        """The people who can be played, in the order of their creation."""
        return (
            user for user in self.users.values() if not user.bot and user.id != self.guild.owner_id
        )

    def _user(
        self, username: str, global_name: str | None, color: str, *, bot: bool = False
    ) -> User:
        user = User(
            id=self.ids.next(),
            username=username,
            global_name=global_name,
            avatar_color=color,
            bot=bot,
        )
        self.users[user.id] = user
        return user

    def _role(
        self,
        name: str,
        allowed: int,
        color: int = 0,
        *,
        role_id: str | None = None,
        managed_by: str | None = None,
    ) -> Role:
        role = Role(
            id=role_id or self.ids.next(),
            name=name,
            permissions=allowed,
            position=len(self.guild.roles),
            color=color,
            managed_by=managed_by,
        )
        self.guild.roles[role.id] = role
        return role

    def _people(self) -> None:
        bots = self._role(APP_NAME, 0, 0xA5B0FF, managed_by=self.application_id)
        supporters = self._role("Supporter", 0, 0xF47FFF)
        staff = self._role("Staff", int(Permission.MANAGE_MESSAGES), 0x57D6C7)
        admins = self._role("Admin", permissions.ADMIN, 0xF5B95F)
        mia = self._user("mia", "Mia", "#eb459e")
        noah = self._user("noah", "Noah", "#3ba55d")
        ada = self._user("ada", "Ada", "#faa61a")
        self.join(self.users[self.guild.owner_id])
        self.join(self.bot, bots)
        self.join(mia)
        self.join(noah, supporters)
        self.join(ada, admins, staff)

    def _rooms(self) -> None:
        self.add_channel("general", topic="Say hello, drop a picture")
        self.add_channel("studio", topic="Where pictures learn to move")
        gallery = self.add_channel("gallery", topic="Finished clips; the bot may look but not post")
        gallery.overwrites[self.bot.id] = (0, int(Permission.SEND_MESSAGES))
        self.add_channel("after-dark", topic="Age-restricted").nsfw = True

    def join(self, user: User, *roles: Role) -> Member:
        """Make a user a member of the guild."""
        member = Member(user_id=user.id, roles=[role.id for role in roles], joined_at=time.time())
        self.guild.members[user.id] = member
        return member

    def add_person(self, name: str) -> User:
        """Return a new person in the guild, for tests and benchmarks that need many."""
        user = self._user(name.lower(), name, "#99aab5")
        self.join(user)
        return user

    def add_channel(self, name: str, topic: str | None = None) -> Channel:
        """Return a new text channel, at the end of the list."""
        channel = Channel(
            id=self.ids.next(), type=TEXT, name=name, topic=topic, position=len(self.channels)
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

    def permissions(self, user_id: str, channel: Channel) -> int:
        """Return the bits that a user has in a channel; 0 for strangers."""
        if channel.is_direct:
            return permissions.DIRECT if user_id in {channel.recipient_id, self.bot.id} else 0
        member = self.guild.members.get(user_id)
        if member is None:
            return 0
        place = (
            self.channels.get(channel.parent_id or "", channel) if channel.is_thread else channel
        )
        base = self.base_permissions(member)
        everyone = place.overwrites.get(self.guild.id, (0, 0))
        roles = [place.overwrites[role] for role in member.roles if role in place.overwrites]
        own = place.overwrites.get(user_id, (0, 0))
        allowed = permissions.in_channel(base, ([everyone], roles, [own]))
        if member.timed_out_until is not None and member.timed_out_until > time.time():
            allowed &= int(Permission.VIEW_CHANNEL | Permission.READ_MESSAGE_HISTORY)
        return allowed

    def base_permissions(self, member: Member) -> int:
        """Say what a member's roles add up to, before any channel has its say."""
        if member.user_id == self.guild.owner_id:
            return permissions.EVERYTHING
        allowed = self._everyone.permissions
        for role_id in member.roles:
            allowed |= self.guild.roles[role_id].permissions
        return allowed

    def roles_of(self, user_id: str) -> list[Role]:
        """Return the roles that a member was given, the highest first; not @everyone."""
        member = self.guild.members.get(user_id)
        given = [] if member is None else [self.guild.roles[one] for one in member.roles]
        return sorted(given, key=lambda role: role.position, reverse=True)

    def may(self, user_id: str, channel: Channel, permission: Permission) -> bool:
        """Whether a user has all of the given bits in a channel."""
        wanted = permission.value
        return self.permissions(user_id, channel) & wanted == wanted

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
