"""What is in the world before anybody acts: two servers, their roles, rooms, people and stickers.

Called once by the world that it fills.
"""

from typing import TYPE_CHECKING

from bot.sandbox.discord import art, permissions
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.places import Sticker

if TYPE_CHECKING:
    from bot.sandbox.discord.world import World

_BOT_COLOR, _SUPPORTER_COLOR, _STAFF_COLOR, _ADMIN_COLOR = 0xA5B0FF, 0xF47FFF, 0x57D6C7, 0xF5B95F
_KEEPER_COLOR = 0x9ECE6A


def found(world: "World") -> None:
    """Fill an empty world, in which there is a bot already."""
    _pixel_garden(world)
    _night_owls(world)


def _pixel_garden(world: "World") -> None:
    """Four channels; two plain members, of whom one supports, a moderator and an admin."""
    owner = world.add_user("pixel", "Pixel", "#747f8d")
    guild = world.add_guild("Pixel Garden", owner)
    bots = world.add_role(guild, world.bot.username, 0, _BOT_COLOR, managed_by=world.bot.id)
    supporters = world.add_role(guild, "Supporter", 0, _SUPPORTER_COLOR)
    staff = world.add_role(guild, "Staff", int(Permission.MANAGE_MESSAGES), _STAFF_COLOR)
    admins = world.add_role(guild, "Admin", permissions.ADMIN, _ADMIN_COLOR)
    world.join(world.bot, bots)
    world.join(world.add_user("mia", "Mia", "#eb459e"))
    world.join(world.add_user("noah", "Noah", "#3ba55d"), supporters)
    world.join(world.add_user("ada", "Ada", "#faa61a"), admins, staff)
    world.join(world.add_user("kim", "Kim", "#1abc9c"), staff)
    world.add_channel("general", "Say hello, drop a picture")
    world.add_channel("studio", "Where pictures learn to move")
    gallery = world.add_channel("gallery", "Finished clips; the bot may look but not post")
    gallery.overwrites[world.bot.id] = (0, int(Permission.SEND_MESSAGES))
    world.add_channel("after-dark", "Age-restricted").nsfw = True
    for name, tags, kind, content in art.stickers():
        sticker_id = world.ids.next()
        guild.stickers[sticker_id] = Sticker(
            id=sticker_id, guild_id=guild.id, name=name, tags=tags, format=kind, content=content
        )


def _night_owls(world: "World") -> None:
    """Another server with the same bot: Noah is in both, Otto in this one only."""
    owner = world.add_user("owl", "Owl", "#747f8d")
    guild = world.add_guild("Night Owls", owner)
    bots = world.add_role(guild, world.bot.username, 0, _BOT_COLOR, managed_by=world.bot.id)
    keepers = world.add_role(guild, "Keeper", permissions.ADMIN, _KEEPER_COLOR)
    world.join(world.bot, bots, guild=guild)
    otto = world.add_user("otto", "Otto", "#9b59b6")
    world.join(otto, keepers, guild=guild)
    [noah] = [one for one in world.users.values() if one.username == "noah"]
    world.join(noah, guild=guild)
    world.add_channel("lobby", "Awake anyway", guild)
    world.add_channel("night-studio", "Pictures after midnight", guild)
