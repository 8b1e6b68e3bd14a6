"""Who may use which command where: what a client lists, and what the server lets through."""

from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import Channel, World


def refusal(world: World, person_id: str, channel: Channel, command: JSON) -> str | None:
    """Say why a person cannot use a command in a channel that they see; None if they can."""
    allowed = world.permissions(person_id, channel)
    if not allowed & Permission.USE_APPLICATION_COMMANDS:
        return "You cannot use apps in this channel."
    contexts = command["contexts"]
    direct_allowed = command["dm_permission"] if contexts is None else 1 in contexts
    if not channel.is_direct and command.get("guild_id") not in {None, channel.guild_id}:
        return "This command is not available in this server."
    if channel.is_direct and (not direct_allowed or "guild_id" in command):
        return "This command is not available in direct messages."
    if command["nsfw"] and not channel.nsfw:
        return "This command is for age-restricted channels."
    if not channel.is_direct and not _permitted(world, person_id, channel, command):
        return "You do not have permission to use this command."
    return None


def _permitted(world: World, person_id: str, channel: Channel, command: JSON) -> bool:
    """Whether the server's own settings let a member use a command; else the command's default.

    The channel's entry can forbid it to all. The member's own entry decides; then those of their
    roles, of which one that allows is enough; then that of @everyone. A command without entries
    has those of the app.
    """
    guild = world.guild_of(channel)
    of_app = guild.command_permissions.get(world.application_id, {})
    entries = guild.command_permissions.get(command["id"], of_app)
    roles = world.roles_of(person_id, guild)
    of_roles = [entries[role.id] for role in roles if role.id in entries]
    allowed = world.permissions(person_id, channel)
    if allowed & Permission.ADMINISTRATOR:
        return True
    place = channel.parent_id if channel.is_thread else channel.id
    if not entries.get(place or "", entries.get(guild.everywhere, True)):
        return False
    if person_id in entries:
        return entries[person_id]
    if of_roles:
        return any(of_roles)
    everyone = entries.get(guild.id)
    return _has(allowed, command["default_member_permissions"]) if everyone is None else everyone


def _has(allowed: int, wanted: str | None) -> bool:
    """Whether all wanted bits are allowed. None wants nothing; "0" is for administrators only."""
    if wanted is None:
        return True
    return wanted != "0" and allowed & int(wanted) == int(wanted)
