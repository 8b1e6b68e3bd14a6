"""Who gives whom which role: an admin in the page, or a test through the control interface."""

from aiohttp import web

from bot.sandbox.discord import client_payloads
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.errors import PeopleError
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.guarded import guarded
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import Member, Role, World

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
        """{"user_id": ..., "roles": [...]}: these, by name or id, and no others."""
        form = await _form(request)
        roles = [self._role(one) for one in form.get("roles") or []]
        return self._changed(self._member(form), [role.id for role in roles])

    async def _managed(self, request: web.Request) -> tuple[Member, Role]:
        """Return the member and the role of a request, if whoever asks may manage that role."""
        form = await _form(request)
        member, role = self._member(form), self._role(form.get("role_id"))
        mine = self._world.guild.members.get(str(form.get("as")))
        allowed = 0 if mine is None else self._world.base_permissions(mine)
        highest = max(
            (one.position for one in self._world.roles_of(str(form.get("as")))), default=0
        )
        if not allowed & Permission.MANAGE_ROLES or role.position >= highest or role.managed_by:
            raise PeopleError(403, "You cannot give or take this role.")
        return member, role

    def _changed(self, member: Member, roles: list[str]) -> JSON:
        member.roles = roles
        self._feed.member_changed(member)
        return client_payloads.person(self._world, self._world.users[member.user_id])

    def _member(self, form: JSON) -> Member:
        found = self._world.guild.members.get(str(form.get("user_id")))
        if found is None:
            raise PeopleError(404, "There is no such member.")
        return found

    def _role(self, wanted: object) -> Role:
        roles = self._world.guild.roles.values()
        found = next((one for one in roles if wanted in {one.id, one.name}), None)
        if found is None or found.id == self._world.guild.id:
            raise PeopleError(404, f"There is no role {wanted} to give or take.")
        return found


async def _form(request: web.Request) -> JSON:
    return (await read_body(request, _BODY_MAX)).form
