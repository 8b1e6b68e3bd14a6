"""What a person's client is told of people, servers, channels and commands: the page's own shapes.

Pure functions of the world, as one person sees it. What the bot is told is in `payloads.py`.
"""

from collections.abc import Iterable

from bot.sandbox.discord import command_access
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import Channel, Guild, User, World


def person(world: World, user: User, guilds: Iterable[Guild]) -> JSON:
    """Return a person with their roles, the highest first, and what these allow, by guild."""
    there = [guild for guild in guilds if user.id in guild.members]
    return {
        "id": user.id,
        "username": user.username,
        "global_name": user.global_name or user.username,
        "avatar_color": user.avatar_color,
        "bot": user.bot,
        "locale": user.locale,
        "premium_type": user.premium_type,
        "takes_direct_messages": user.takes_direct_messages,
        "roles": [role.id for guild in there for role in world.roles_of(user.id, guild)],
        "permissions": {
            guild.id: str(world.base_permissions(guild.members[user.id])) for guild in there
        },
    }


def people(world: World, person_id: str) -> list[JSON]:
    """Return everybody who shares a guild with a person, and the bot."""
    mine = world.guilds_of(person_id)
    known = [
        one
        for one in (*world.people, world.bot)
        if one.id == world.bot.id or any(one.id in guild.members for guild in mine)
    ]
    return [person(world, one, mine) for one in known]


def guilds(world: World, person_id: str) -> list[JSON]:
    """Return a person's guilds with their roles, the highest first; the last one is @everyone."""
    return [
        {
            "id": guild.id,
            "name": guild.name,
            "locale": guild.locale,
            "premium_tier": guild.premium_tier,
            "roles": [
                {
                    "id": role.id,
                    "name": role.name,
                    "color": role.color,
                    "position": role.position,
                    "managed": role.managed_by is not None,
                }
                for role in sorted(guild.roles.values(), key=lambda one: one.position, reverse=True)
            ],
            "stickers": [
                {
                    "id": sticker.id,
                    "name": sticker.name,
                    "format_type": sticker.format,
                    "url": f"/stickers/{sticker.filename}",
                }
                for sticker in guild.stickers.values()
            ],
            "command_permissions": guild.command_permissions,
        }
        for guild in world.guilds_of(person_id)
    ]


def channels(world: World, person_id: str) -> list[JSON]:
    """Return the channels that a person sees."""
    user = world.users[person_id]
    return [
        {
            "id": channel.id,
            "guild_id": channel.guild_id,
            "name": channel.name,
            "type": channel.type,
            "topic": channel.topic,
            "nsfw": channel.nsfw,
            "position": channel.position,
            "parent_id": channel.parent_id,
            "can_send": world.may(person_id, channel, sending_right(channel)),
            "can_moderate": world.may(person_id, channel, Permission.MANAGE_MESSAGES),
            "attachment_size_limit": world.personal_upload_limit(user, channel),
        }
        for channel in _seen(world, person_id)
    ]


def commands(world: World, person_id: str) -> list[JSON]:
    """Return every command as the bot registered it, and the channels where this person may."""
    seen = _seen(world, person_id)
    return [
        {
            **command,
            "usable_in": [
                channel.id
                for channel in seen
                if command_access.refusal(world, person_id, channel, command) is None
            ],
        }
        for command in world.commands.values()
    ]


def portal(world: World) -> JSON:
    """Return the switches of the developer portal, under Bot, Privileged Gateway Intents."""
    limits = world.limits
    return {
        "presences": limits.presences_enabled,
        "members": limits.members_enabled,
        "message_content": limits.message_content_enabled,
    }


def sending_right(channel: Channel) -> Permission:
    """Return the permission that sending into a channel takes."""
    threads = Permission.SEND_MESSAGES_IN_THREADS
    return threads if channel.is_thread else Permission.SEND_MESSAGES


def _seen(world: World, person_id: str) -> list[Channel]:
    every = world.channels.values()
    return [one for one in every if world.may(person_id, one, Permission.VIEW_CHANNEL)]
