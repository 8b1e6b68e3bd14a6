"""Discord's JSON shapes of users, members, roles, channels, the guild and the application.

Pure functions of the world; nothing is cached and nothing is changed. Messages are in
`message_payloads.py`.
"""

from bot.sandbox.discord import permissions
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.snowflake import iso, unix_seconds
from bot.sandbox.discord.world import APP_NAME, Channel, Member, Role, User, World

#: Application flags: which privileged intents the portal grants (the "limited" kind).
_PRESENCES, _MEMBERS, _MESSAGE_CONTENT = 1 << 13, 1 << 15, 1 << 19
_USES_COMMANDS = 1 << 23


def user(one: User) -> JSON:
    """Return a user object."""
    shape: JSON = {
        "id": one.id,
        "username": one.username,
        "discriminator": "0",
        "global_name": one.global_name,
        "avatar": None,
        "avatar_decoration_data": None,
        "banner": None,
        "accent_color": None,
        "collectibles": None,
        "display_name_styles": None,
        "primary_guild": None,
        "public_flags": 0,
        "flags": 0,
    }
    if one.bot:
        shape |= {"bot": True, "discriminator": "0001"}
    return shape


def own_user(world: World) -> JSON:
    """Return the bot's user, as it sees itself."""
    return user(world.bot) | {
        "mfa_enabled": True,
        "verified": True,
        "locale": "en-US",
        "email": None,
        "premium_type": 0,
    }


def member(world: World, one: Member, *, with_user: bool = True) -> JSON:
    """Return a guild member object; inside a message it comes without its user."""
    until = one.timed_out_until
    shape: JSON = {
        "roles": list(one.roles),
        "nick": one.nick,
        "avatar": None,
        "banner": None,
        "premium_since": None,
        "joined_at": iso(one.joined_at),
        "pending": False,
        "communication_disabled_until": None if until is None else iso(until),
        "flags": 0,
        "mute": False,
        "deaf": False,
    }
    if with_user:
        shape["user"] = user(world.users[one.user_id])
    return shape


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


def channel(world: World, one: Channel) -> JSON:
    """Return a channel object of whichever kind it is."""
    shape: JSON = {
        "id": one.id,
        "type": one.type,
        "flags": 0,
        "last_message_id": one.last_message_id,
    }
    if one.is_direct:
        recipient = world.users[one.recipient_id or ""]
        return shape | {"recipients": [user(recipient)]}
    shape |= {
        "guild_id": world.guild.id,
        "name": one.name,
        "parent_id": one.parent_id,
        "rate_limit_per_user": 0,
    }
    if one.is_thread:
        return shape | _thread_fields(one)
    return shape | {
        "topic": one.topic,
        "position": one.position,
        "nsfw": one.nsfw,
        "permission_overwrites": [
            {
                "id": target,
                "type": 0 if target in world.guild.roles else 1,
                "allow": str(allow),
                "deny": str(deny),
            }
            for target, (allow, deny) in one.overwrites.items()
        ],
    }


def _thread_fields(one: Channel) -> JSON:
    return {
        "owner_id": one.owner_id,
        "message_count": len(one.messages),
        "member_count": 1,
        "total_message_sent": len(one.messages),
        "thread_metadata": {
            "archived": one.archived,
            "archive_timestamp": iso(unix_seconds(one.id)),
            "auto_archive_duration": one.auto_archive_minutes,
            "locked": one.locked,
            "create_timestamp": iso(unix_seconds(one.id)),
        },
    }


def interaction_channel(world: World, one: Channel, person_id: str) -> JSON:
    """Return the partial channel of an interaction, with the person's permissions."""
    shape = channel(world, one)
    shape.pop("permission_overwrites", None)
    return shape | {"permissions": str(world.permissions(person_id, one))}


def guild(world: World) -> JSON:
    """Return a guild object, as GET /guilds/{id} answers."""
    one = world.guild
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
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "premium_progress_bar_enabled_user_updated_at": None,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
        "incidents_data": None,
        "hub_type": None,
    }


def guild_create(world: World) -> JSON:
    """Say what GUILD_CREATE carries; members beyond the bot itself need a privileged intent."""
    channels = world.channels.values()
    mine = world.guild.members[world.bot.id]
    return guild(world) | {
        "joined_at": iso(mine.joined_at),
        "large": False,
        "unavailable": False,
        "member_count": len(world.guild.members),
        "voice_states": [],
        "members": [member(world, mine)],
        "channels": [channel(world, c) for c in channels if not c.is_thread and not c.is_direct],
        "threads": [channel(world, c) for c in channels if c.is_thread],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "premium_progress_bar_enabled_user_updated_at": None,
    }


def application_flags(world: World) -> int:
    """Return the application's public flags, from the portal's switches."""
    limits = world.limits
    return (
        _USES_COMMANDS
        | _PRESENCES * limits.presences_enabled
        | _MEMBERS * limits.members_enabled
        | _MESSAGE_CONTENT * limits.message_content_enabled
    )


def application(world: World) -> JSON:
    """Return the application, as its own bot sees it."""
    flags = application_flags(world)
    return {
        "id": world.application_id,
        "name": APP_NAME,
        "icon": None,
        "description": "Animates pictures.",
        "type": None,
        "summary": "",
        "bot": user(world.bot),
        "bot_public": True,
        "bot_require_code_grant": False,
        "integration_types_config": {"0": {}},
        "verify_key": "0" * 64,
        "flags": flags,
        "flags_new": str(flags),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user(world.users[world.guild.owner_id]),
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "event_webhooks_url": None,
        "event_webhooks_status": 1,
        "event_webhooks_types": [],
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": [],
        "team": None,
        "rpc_origins": [],
        "hook": True,
    }


def app_permissions(world: World, one: Channel) -> str:
    """Return the bot's bits in a channel, as an interaction carries them."""
    if one.is_direct:
        return str(permissions.DIRECT)
    return str(world.permissions(world.bot.id, one))
