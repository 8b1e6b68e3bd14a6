"""Who gives whom which role: an admin in the page, or a test through the control interface."""

from aiohttp import web

from bot.sandbox.discord import client_payloads
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.errors import PeopleError
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.guarded import guarded
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import Guild, Member, Role, World

_BODY_MAX = 1 << 20


class Roles:
    """Answers the routes that change a member's roles."""

    def __init__(self, world: World, feed: Feed) -> None:
        self._world = world
        self._feed = feed

    def add_routes(self, app: web.Application) -> None:
        """Register the people's routes, under their rules, and the lever, which knows none."""
        app.router.add_put("/sandbox/roles", guarded(self._give))
        app.router.add_delete("/sandbox/roles", guarded(self._take))
        app.router.add_patch("/sandbox/control/member", guarded(self._assign))

    async def _give(self, request: web.Request) -> JSON:
        member, role = await self._managed(request)
        return self._changed(member, [*(one for one in member.roles if one != role.id), role.id])

    async def _take(self, request: web.Request) -> JSON:
        member, role = await self._managed(request)
        return self._changed(member, [one for one in member.roles if one != role.id])

    async def _assign(self, request: web.Request) -> JSON:
        """{"user_id": ..., "roles": [...]}: these, by name or id, and no others.

        In the first guild, unless there is a "guild_id".
        """
        form = await _form(request)
        guild = self._world.guilds.get(str(form.get("guild_id")), self._world.guild)
        roles = [self._role(guild, one) for one in form.get("roles") or []]
        return self._changed(self._member(guild, form), [role.id for role in roles])

    async def _managed(self, request: web.Request) -> tuple[Member, Role]:
        """Return the member and the role of a request, if whoever asks may manage that role."""
        form = await _form(request)
        guild = self._with_role(form.get("role_id"))
        member, role = self._member(guild, form), self._role(guild, form.get("role_id"))
        mine = guild.members.get(str(form.get("as")))
        allowed = 0 if mine is None else self._world.base_permissions(mine)
        given = self._world.roles_of(str(form.get("as")), guild)
        highest = max((one.position for one in given), default=0)
        if not allowed & Permission.MANAGE_ROLES or role.position >= highest or role.managed_by:
            raise PeopleError(403, "You cannot give or take this role.")
        return member, role

    def _changed(self, member: Member, roles: list[str]) -> JSON:
        member.roles = roles
        self._feed.member_changed(member)
        user = self._world.users[member.user_id]
        return client_payloads.person(self._world, user, [self._world.guilds[member.guild_id]])

    def _with_role(self, role_id: object) -> Guild:
        """Return the guild that has a role; the first one if none has."""
        every = self._world.guilds.values()
        return next((one for one in every if role_id in one.roles), self._world.guild)

    def _member(self, guild: Guild, form: JSON) -> Member:
        found = guild.members.get(str(form.get("user_id")))
        if found is None:
            raise PeopleError(404, "There is no such member.")
        return found

    def _role(self, guild: Guild, wanted: object) -> Role:
        roles = guild.roles.values()
        found = next((one for one in roles if wanted in {one.id, one.name}), None)
        if found is None or found.id == guild.id:
            raise PeopleError(404, f"There is no role {wanted} to give or take.")
        return found


async def _form(request: web.Request) -> JSON:
    return (await read_body(request, _BODY_MAX)).form
