"""Application commands: what the bot registers, globally or for a guild.

What Discord would refuse in one is `command_checks.py`.
"""

from collections.abc import Iterator

from aiohttp import web

from bot.sandbox.discord.access import Access
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.command_checks import CommandType, check_all, check_command
from bot.sandbox.discord.errors import ApiError, FormErrors, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.front import Reply
from bot.sandbox.discord.locales import for_reader
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.world import World


class Commands:
    """Answers the command routes. The commands themselves are in the world."""

    def __init__(self, world: World, access: Access, feed: Feed) -> None:
        self._world = world
        self._access = access
        self._feed = feed

    async def index(self, request: web.Request) -> list[JSON]:
        """GET all commands of a scope; their translations only if they are asked for."""
        found = list(self._of(self._scope(request)))
        if request.query.get("with_localizations", "").lower() in {"1", "true"}:
            return found
        locale = request.headers.get("X-Discord-Locale") or request.headers.get("Accept-Language")
        return [for_reader(one, locale) for one in found]

    async def get(self, request: web.Request) -> JSON:
        """GET one command."""
        return self._find(request)

    async def overwrite(self, request: web.Request) -> list[JSON]:
        """PUT: this list is all commands of the scope from now on; equal names keep their ids."""
        scope = self._scope(request)
        body = await read_body(request, self._world.limits.request_limit_bytes)
        errors = FormErrors()
        given = body.payload if isinstance(body.payload, list) else []
        if not isinstance(body.payload, list):
            errors.add((), "BASE_TYPE_LIST", "Only iterables may be used in a ListType")
        check_all(given, errors)
        errors.check()
        before = {(one["type"], one["name"]): one for one in self._of(scope)}
        for command in before.values():
            del self._world.commands[command["id"]]
        made = [self._store(form, scope, before) for form in given]
        self._feed.commands_changed()
        return made

    async def create(self, request: web.Request) -> Reply:
        """POST one command: 201, or 200 where one of the same name and type is replaced."""
        scope = self._scope(request)
        body = await read_body(request, self._world.limits.request_limit_bytes)
        errors = FormErrors()
        check_command(body.form, (), errors)
        errors.check()
        before = {(one["type"], one["name"]): one for one in self._of(scope)}
        made = self._store(body.form, scope, before)
        self._feed.commands_changed()
        known = made["id"] in {one["id"] for one in before.values()}
        return Reply(200 if known else 201, made)

    async def edit(self, request: web.Request) -> JSON:
        """PATCH some fields of one command."""
        command = self._find(request)
        body = await read_body(request, self._world.limits.request_limit_bytes)
        form = {**command, **body.form}
        errors = FormErrors()
        check_command(form, (), errors)
        errors.check()
        before = {(form.get("type", 1), form["name"]): command}
        made = self._store(form, command.get("guild_id"), before)
        self._feed.commands_changed()
        return made

    async def delete(self, request: web.Request) -> None:
        """DELETE one command."""
        del self._world.commands[self._find(request)["id"]]
        self._feed.commands_changed()

    def _scope(self, request: web.Request) -> str | None:
        """Return the guild of guild commands; None for global ones."""
        self._access.application(request.match_info["application_id"])
        guild_id = request.match_info.get("guild_id")
        if guild_id is not None:
            self._access.guild(guild_id)
        return guild_id

    def _of(self, scope: str | None) -> Iterator[JSON]:
        return (one for one in self._world.commands.values() if one.get("guild_id") == scope)

    def _find(self, request: web.Request) -> JSON:
        scope = self._scope(request)
        found = self._world.commands.get(request.match_info["command_id"])
        if found is None or found.get("guild_id") != scope:
            raise ApiError(Refusal.UNKNOWN_COMMAND)
        return found

    def _store(self, form: JSON, scope: str | None, before: dict[tuple[int, str], JSON]) -> JSON:
        kind = form.get("type") or CommandType.CHAT_INPUT
        known = before.get((kind, form["name"]))
        wanted = form.get("default_member_permissions")
        command: JSON = {
            "id": known["id"] if known else self._world.ids.next(),
            "application_id": self._world.application_id,
            "version": self._world.ids.next(),
            "type": int(kind),
            "name": form["name"],
            "name_localizations": form.get("name_localizations"),
            "description": form.get("description") or "",
            "description_localizations": form.get("description_localizations"),
            "default_member_permissions": None if wanted is None else str(wanted),
            "dm_permission": form.get("dm_permission") is not False,
            "contexts": form.get("contexts"),
            "integration_types": form.get("integration_types") or [0],
            "nsfw": bool(form.get("nsfw")),
        }
        if kind == CommandType.CHAT_INPUT:
            command["options"] = [_option(one) for one in form.get("options") or []]
        if scope is not None:
            command["guild_id"] = scope
        self._world.commands[command["id"]] = command
        return command


def _option(form: JSON) -> JSON:
    """Return an option as Discord echoes it: without what was null."""
    option = {name: value for name, value in form.items() if value is not None}
    if "options" in option:
        option["options"] = [_option(one) for one in option["options"]]
    return option
