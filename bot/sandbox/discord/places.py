"""The records of the little world: users, guilds, roles, members, channels, stickers.

Holds what is true of one thing alone. Who may do what where is `world.py`.
"""

from dataclasses import dataclass, field

from bot.sandbox.discord.message import Message
from bot.sandbox.discord.permissions import Overwrite

TEXT, DIRECT, THREAD = 0, 1, 11
#: What a user subscribes to.
NO_NITRO, NITRO_CLASSIC, NITRO, NITRO_BASIC = range(4)
DEFAULT_LOCALE = "en-US"


@dataclass(slots=True, kw_only=True)
class User:
    """An account. `avatar_color` is the sandbox's own, `#rrggbb`; Discord has no such field."""

    id: str
    username: str
    global_name: str | None
    avatar_color: str
    bot: bool = False
    #: The language of their client, as Discord names it.
    locale: str = DEFAULT_LOCALE
    premium_type: int = NO_NITRO
    #: Whether apps may write to them directly.
    takes_direct_messages: bool = True


@dataclass(slots=True, kw_only=True)
class Role:
    """A role of a guild. The one whose id is the guild's is @everyone."""

    id: str
    name: str
    permissions: int
    position: int
    #: 0 for none: the names of its members are white.
    color: int = 0
    managed_by: str | None = None


@dataclass(slots=True, kw_only=True)
class Member:
    """A user in a guild."""

    user_id: str
    guild_id: str
    roles: list[str]
    joined_at: float
    nick: str | None = None
    timed_out_until: float | None = None


@dataclass(slots=True, kw_only=True)
class Channel:
    """A text channel, a thread, or a direct message with the bot."""

    id: str
    type: int
    guild_id: str | None = None
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
        """Whether it is outside any guild."""
        return self.guild_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticker:
    """A sticker of a guild. `format` is Discord's: 1 PNG, 2 APNG, 3 Lottie, 4 GIF."""

    id: str
    guild_id: str
    name: str
    tags: str
    format: int
    content: bytes

    @property
    def filename(self) -> str:
        """The last part of its link."""
        return f"{self.id}.{ {1: 'png', 2: 'png', 3: 'json', 4: 'gif'}[self.format] }"


@dataclass(slots=True, kw_only=True)
class Guild:
    """A server, as people call it."""

    id: str
    name: str
    owner_id: str
    locale: str = DEFAULT_LOCALE
    #: How far it is boosted, 0 to 3.
    premium_tier: int = 0
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    stickers: dict[str, Sticker] = field(default_factory=dict)
    #: By command (or the app, for all of them): who and where, by id, whatever the command asks.
    command_permissions: dict[str, dict[str, bool]] = field(default_factory=dict)

    @property
    def everywhere(self) -> str:
        """The id that stands for all channels, where permissions of commands are set."""
        return str(int(self.id) - 1)
