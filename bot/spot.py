"""Who asks, and where, at this moment: read from an interaction, or from a message's channel.

From here on it is the same for every door: whether a clip could be posted there, and the wish.
"""

from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.answers import Answer
from bot.errors import CannotPostHere
from bot.intake import Ask
from bot.options import Options
from bot.policy import Asker
from bot.status import Reply
from bot.wish import Door, Origin, Picture

_NEEDED = ("view_channel", "attach_files", "embed_links")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One person in one channel of a server."""

    guild_id: int
    channel_id: int
    parent_channel_id: int | None
    """Of a public thread; who may see a private one is nobody else's affair."""
    place_ids: tuple[int, ...]
    """What the channel lies in."""
    member_id: int
    role_ids: tuple[int, ...]
    locale: str
    allowed: discord.Permissions
    """What the bot may do there."""
    is_thread: bool
    is_restricted: bool
    """Whether it is for adults alone."""
    most_bytes: int | None = None
    """What an answer to the interaction may carry; None: there is none."""

    def check_may_post(self) -> None:
        """Refuse where the clip could not be posted later. Raises `CannotPostHere`.

        An interaction may be answered anywhere; a clip is posted with the bot's own permissions.
        """
        send = "send_messages_in_threads" if self.is_thread else "send_messages"
        needed = (_NEEDED[0], send, *_NEEDED[1:])
        missing = tuple(name for name in needed if not getattr(self.allowed, name))
        if missing:
            raise CannotPostHere(missing)

    def asker(self, where: Origin | None) -> Asker:
        """Return who asks for whose picture, as a server's rules see it."""
        return Asker(
            member_id=self.member_id,
            role_ids=self.role_ids,
            place_ids=(self.channel_id, *self.place_ids),
            author_id=self.member_id if where is None else where.author_id,
        )


def of_interaction(interaction: discord.Interaction[Any]) -> Spot:
    """Return who has used a command, a menu, a button or a form; they are of servers alone."""
    assert interaction.guild_id is not None, "a command of servers, outside one"
    channel = interaction.channel
    return Spot(
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        parent_channel_id=_parent_of_public_thread(channel),
        place_ids=places_of(channel),
        member_id=interaction.user.id,
        role_ids=roles_of(interaction.user),
        locale=str(interaction.locale),
        allowed=interaction.app_permissions,
        is_thread=isinstance(channel, discord.Thread),
        is_restricted=_is_restricted(channel),
        most_bytes=interaction.filesize_limit,
    )


def of_member(
    member: discord.Member, channel: discord.abc.GuildChannel | discord.Thread, locale: str
) -> Spot:
    """Return who has written or reacted in a channel."""
    return Spot(
        guild_id=member.guild.id,
        channel_id=channel.id,
        parent_channel_id=_parent_of_public_thread(channel),
        place_ids=places_of(channel),
        member_id=member.id,
        role_ids=roles_of(member),
        locale=locale,
        allowed=channel.permissions_for(member.guild.me),
        is_thread=isinstance(channel, discord.Thread),
        is_restricted=_is_restricted(channel),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to have animated, and how they came to say so."""

    source: str
    """Unique per wish: "interaction:123", "draft:4", "message:5"."""
    door: Door
    picture: Picture


def ask(
    spot: Spot,
    wanted: Wanted,
    options: Options,
    *,
    status_message_id: int | None = None,
    answer: Answer | None = None,
    reply: Reply | None = None,
) -> Ask:
    """Return the wish, as the intake takes it; what was hidden stays so unless somebody says."""
    if options.is_spoiler is None:
        options = replace(options, is_spoiler=wanted.picture.is_spoiler)
    return Ask(
        source=wanted.source,
        guild_id=spot.guild_id,
        channel_id=spot.channel_id,
        parent_channel_id=spot.parent_channel_id,
        place_ids=spot.place_ids,
        member_id=spot.member_id,
        role_ids=spot.role_ids,
        status_message_id=status_message_id,
        picture_url=wanted.picture.url,
        again_of=wanted.picture.again_of,
        door=wanted.door,
        picture=wanted.picture.origin,
        wish=options.wish(spot.locale, spot.most_bytes),
        duration=options.duration,
        guidance=options.guidance,
        results=options.results,
        prompt=options.prompt,
        negative=options.negative,
        seed=options.seed,
        answer=answer,
        reply=reply,
    )


def roles_of(user: discord.User | discord.Member) -> tuple[int, ...]:
    """Return the ids of a member's roles at this moment, by Discord's word with this very event.

    `Member.roles` leaves out what the bot has not heard of, and while a server is not told to it
    yet that is every role: none of their limits would hold.
    """
    if not isinstance(user, discord.Member):
        return ()
    # Everybody's own role has the server's number.
    return (user.guild.id, *user._roles)  # noqa: SLF001 - there is no other way to them


def places_of(channel: object) -> tuple[int, ...]:
    """Return what a channel lies in: of a thread its channel, and the category above."""
    parent = channel.parent if isinstance(channel, discord.Thread) else channel
    above = (getattr(channel, "parent_id", None), getattr(parent, "category_id", None))
    return tuple(place for place in above if place is not None)


def _is_restricted(channel: object) -> bool:
    is_nsfw = getattr(channel, "is_nsfw", None)
    return is_nsfw is not None and bool(is_nsfw())


def _parent_of_public_thread(channel: object) -> int | None:
    if isinstance(channel, discord.Thread) and not channel.is_private():
        return channel.parent_id
    return None
