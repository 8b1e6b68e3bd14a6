"""What a person's client is told of people, roles, channels and commands: the page's own shapes.

Pure functions of the world, as one person sees it. What the bot is told is in `payloads.py`.
"""

from bot.sandbox.discord import command_access
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import Channel, User, World


def person(world: World, user: User) -> JSON:
    """Return a person with their roles, the highest first, and what these allow in the guild."""
    member = world.guild.members.get(user.id)
    allowed = 0 if member is None else world.base_permissions(member)
    return {
        "id": user.id,
        "username": user.username,
        "global_name": user.global_name or user.username,
        "avatar_color": user.avatar_color,
        "bot": user.bot,
        "roles": [role.id for role in world.roles_of(user.id)],
        "permissions": str(allowed),
        "nick": None if member is None else member.nick,
    }


def people(world: World) -> list[JSON]:
    """Return everybody who can be played, and the bot."""
    return [person(world, one) for one in (*world.people, world.bot)]


def guild(world: World) -> JSON:
    """Return the guild with its roles, the highest first; the last one is @everyone."""
    roles = sorted(world.guild.roles.values(), key=lambda role: role.position, reverse=True)
    return {
        "id": world.guild.id,
        "name": world.guild.name,
        "roles": [
            {
                "id": role.id,
                "name": role.name,
                "color": role.color,
                "position": role.position,
                "managed": role.managed_by is not None,
            }
            for role in roles
        ],
    }


def channels(world: World, person_id: str) -> list[JSON]:
    """Return the channels that a person sees."""
    return [
        {
            "id": channel.id,
            "name": channel.name,
            "type": channel.type,
            "topic": channel.topic,
            "nsfw": channel.nsfw,
            "position": channel.position,
            "parent_id": channel.parent_id,
            "can_send": world.may(person_id, channel, sending_right(channel)),
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


def sending_right(channel: Channel) -> Permission:
    """Return the permission that sending into a channel takes."""
    threads = Permission.SEND_MESSAGES_IN_THREADS
    return threads if channel.is_thread else Permission.SEND_MESSAGES


def _seen(world: World, person_id: str) -> list[Channel]:
    every = world.channels.values()
    return [one for one in every if world.may(person_id, one, Permission.VIEW_CHANNEL)]
