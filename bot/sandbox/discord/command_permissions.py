"""Who may use which command where: an admin's settings, kept by the guild, read by the bot.

Admins change them under Server Settings, Integrations; a bot's token only reads them.
"""

from aiohttp import web

from bot.sandbox.discord import guild_payloads
from bot.sandbox.discord.access import Access
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.errors import ApiError, PeopleError, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.guarded import guarded
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import Guild, World

_BODY_MAX = 1 << 20


class CommandPermissions:
    """Answers the bot's routes and the people's."""

    def __init__(self, world: World, access: Access, feed: Feed) -> None:
        self._world = world
        self._access = access
        self._feed = feed

    def add_routes(self, app: web.Application) -> None:
        """Register the people's route, under its rules, and the lever, which knows none."""
        app.router.add_put("/sandbox/command-permissions", guarded(self._set))
        app.router.add_patch("/sandbox/control/command", guarded(self._permit))

    async def index(self, request: web.Request) -> list[JSON]:
        """GET those of every command that has any, and the app's own."""
        guild = self._guild(request)
        return [
            guild_payloads.command_permissions(self._world, guild, command_id)
            for command_id in guild.command_permissions
        ]

    async def get(self, request: web.Request) -> JSON:
        """GET those of one command. Raises ApiError 10066 where there are none."""
        guild, command_id = self._guild(request), request.match_info["command_id"]
        if command_id not in guild.command_permissions:
            raise ApiError(Refusal.UNKNOWN_PERMISSIONS)
        return guild_payloads.command_permissions(self._world, guild, command_id)

    async def refuse(self, _request: web.Request) -> None:
        """PUT is for people, with a token of their own."""
        raise ApiError(Refusal.NOT_FOR_BOTS)

    async def _set(self, request: web.Request) -> None:
        """{"as", "guild_id", "command_id", "permissions": {id: true, false or null}}."""
        form = (await read_body(request, _BODY_MAX)).form
        guild = self._world.guilds.get(str(form.get("guild_id")))
        member = None if guild is None else guild.members.get(str(form.get("as")))
        wanted = Permission.MANAGE_GUILD | Permission.MANAGE_ROLES
        if guild is None or member is None:
            raise PeopleError(404, "There is no such server.")
        if self._world.base_permissions(member) & wanted != wanted:
            raise PeopleError(403, "You cannot change the integrations of this server.")
        command_id = str(form.get("command_id"))
        if command_id not in {self._world.application_id, *self._world.commands}:
            raise PeopleError(404, "There is no such command.")
        self._keep(guild, command_id, form.get("permissions") or {})

    async def _permit(self, request: web.Request) -> None:
        """Set who may use a command in the first guild, whoever asks.

        {"name": "quota", "permissions": {"<id of a member, a role or a channel>": true}}
        """
        form = (await read_body(request, _BODY_MAX)).form
        commands = self._world.commands.values()
        named = [one["id"] for one in commands if one["name"] == form.get("name")]
        if not named:
            raise PeopleError(404, f"There is no command {form.get('name')}.")
        guild = self._world.guilds.get(str(form.get("guild_id")), self._world.guild)
        for command_id in named:
            self._keep(guild, command_id, form.get("permissions") or {})

    def _keep(self, guild: Guild, command_id: str, permissions: JSON) -> None:
        kept = {target: bool(one) for target, one in permissions.items() if one is not None}
        guild.command_permissions.pop(command_id, None)
        if kept:
            guild.command_permissions[command_id] = kept
        self._feed.command_permissions_changed(guild, command_id)

    def _guild(self, request: web.Request) -> Guild:
        self._access.application(request.match_info["application_id"])
        return self._access.guild(request.match_info["guild_id"])
