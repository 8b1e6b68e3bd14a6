"""Discord's JSON shapes of guilds, and of what is theirs: roles, stickers, commands' permissions.

Pure functions of the world; nothing is cached and nothing is changed.
"""

from bot.sandbox.discord import payloads
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.snowflake import iso
from bot.sandbox.discord.world import Guild, Role, Sticker, World

#: How many boosts each tier takes.
_BOOSTS = (0, 2, 7, 14)


def guild(one: Guild) -> JSON:
    """Return a guild object, as GET /guilds/{id} answers."""
    return {
        "id": one.id,
        "name": one.name,
        "icon": None,
        "description": None,
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": [],
        "banner": None,
        "owner_id": one.owner_id,
        "application_id": None,
        "region": "us-central",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 0,
        "roles": [role(each) for each in one.roles.values()],
        "default_message_notifications": 0,
        "mfa_level": 0,
        "explicit_content_filter": 0,
        "max_presences": None,
        "max_members": 25_000_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": None,
        "premium_tier": one.premium_tier,
        "premium_subscription_count": _BOOSTS[one.premium_tier],
        "preferred_locale": one.locale,
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "premium_progress_bar_enabled_user_updated_at": None,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [sticker(each) for each in one.stickers.values()],
        "incidents_data": None,
        "hub_type": None,
    }


def guild_create(world: World, one: Guild) -> JSON:
    """Say what GUILD_CREATE carries; members beyond the bot itself need a privileged intent."""
    channels = world.channels_of(one)
    mine = one.members[world.bot.id]
    return guild(one) | {
        "joined_at": iso(mine.joined_at),
        "large": False,
        "unavailable": False,
        "member_count": len(one.members),
        "voice_states": [],
        "members": [payloads.member(world, mine)],
        "channels": [payloads.channel(world, c) for c in channels if not c.is_thread],
        "threads": [payloads.channel(world, c) for c in channels if c.is_thread],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "premium_progress_bar_enabled_user_updated_at": None,
    }


def role(one: Role) -> JSON:
    """Return a role object."""
    shape: JSON = {
        "id": one.id,
        "name": one.name,
        "permissions": str(one.permissions),
        "position": one.position,
        "color": one.color,
        "colors": {"primary_color": one.color, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": one.managed_by is not None,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
        "description": None,
    }
    if one.managed_by is not None:
        shape["tags"] = {"bot_id": one.managed_by}
    return shape


def sticker(one: Sticker) -> JSON:
    """Return a sticker object of a guild."""
    return {
        "id": one.id,
        "name": one.name,
        "tags": one.tags,
        "type": 2,
        "format_type": one.format,
        "description": None,
        "available": True,
        "guild_id": one.guild_id,
    }


def sticker_item(one: Sticker) -> JSON:
    """Return the smaller object that a message carries."""
    return {"id": one.id, "name": one.name, "format_type": one.format}


def command_permissions(world: World, one: Guild, command_id: str) -> JSON:
    """Return who may use a command (or all of the app's) in a guild, and where."""
    entries = one.command_permissions.get(command_id, {})

    def kind(target: str) -> int:
        if target in one.roles:
            return 1
        return 2 if target in world.users else 3

    return {
        "id": command_id,
        "application_id": world.application_id,
        "guild_id": one.id,
        "permissions": [
            {"id": target, "type": kind(target), "permission": allowed}
            for target, allowed in entries.items()
        ],
    }
