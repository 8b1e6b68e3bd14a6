"""Discord's JSON shapes of users, members, channels and the application.

Pure functions of the world; nothing is cached and nothing is changed. Guilds are in
`guild_payloads.py`, messages in `message_payloads.py`.
"""

from bot.sandbox.discord import permissions
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.snowflake import iso, unix_seconds
from bot.sandbox.discord.world import APP_NAME, Channel, Member, User, World

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
        "guild_id": one.guild_id,
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
                "type": 0 if target in world.guild_of(one).roles else 1,
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
        "approximate_guild_count": len(world.guilds_of(world.bot.id)),
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
