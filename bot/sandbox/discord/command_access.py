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
    if channel.is_direct and not direct_allowed:
        return "This command is not available in direct messages."
    if command["nsfw"] and not channel.nsfw:
        return "This command is for age-restricted channels."
    if not channel.is_direct and not _has(allowed, command["default_member_permissions"]):
        return "You do not have permission to use this command."
    return None


def _has(allowed: int, wanted: str | None) -> bool:
    """Whether all wanted bits are allowed. None wants nothing; "0" is for administrators only."""
    if wanted is None or allowed & Permission.ADMINISTRATOR:
        return True
    return wanted != "0" and allowed & int(wanted) == int(wanted)
