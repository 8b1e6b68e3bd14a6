"""Application commands: what the bot registers, globally or for the guild, and its checks."""

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

from aiohttp import web

from bot.sandbox.discord.access import Access
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.errors import ApiError, FormErrors, FormPath, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.front import Reply
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.world import World


class CommandType(IntEnum):
    """What a command is started from."""

    CHAT_INPUT = 1
    USER = 2
    MESSAGE = 3


class OptionType(IntEnum):
    """What an option takes."""

    SUB_COMMAND = 1
    SUB_COMMAND_GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


_NAME = re.compile(r"^[-_'\w]{1,32}$")
_NAME_MAX, _DESCRIPTION_MAX, _LIST_MAX, _TOTAL_MAX = 32, 100, 25, 8000
#: How many global commands of each type an app may have.
_COMMANDS_MAX = {CommandType.CHAT_INPUT: 100, CommandType.USER: 15, CommandType.MESSAGE: 15}
_SUBCOMMANDS = frozenset({OptionType.SUB_COMMAND, OptionType.SUB_COMMAND_GROUP})
_CHOOSING = frozenset({OptionType.STRING, OptionType.INTEGER, OptionType.NUMBER})


class Commands:
    """Answers the command routes. The commands themselves are in the world."""

    def __init__(self, world: World, access: Access, feed: Feed) -> None:
        self._world = world
        self._access = access
        self._feed = feed

    async def index(self, request: web.Request) -> list[JSON]:
        """GET all commands of a scope."""
        return list(self._of(self._scope(request)))

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
        _check_all(given, errors)
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


def _check_all(given: list[Any], errors: FormErrors) -> None:
    seen: set[tuple[int, str]] = set()
    for index, form in enumerate(given):
        check_command(form, (index,), errors)
        key = (form.get("type") or 1, form.get("name") or "")
        if key in seen:
            errors.add(
                (index,), "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            )  # fmt: skip
        seen.add(key)
    for kind, most in _COMMANDS_MAX.items():
        if sum(1 for one, _ in seen if one == kind) > most:
            errors.too_long((), most)


def check_command(form: JSON, path: FormPath, errors: FormErrors) -> None:
    """Note what Discord would refuse in one command."""
    kind = form.get("type") or CommandType.CHAT_INPUT
    if kind not in set(CommandType):
        errors.add((*path, "type"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3}.")
        return
    errors.text((*path, "name"), form.get("name"), 1, _NAME_MAX)
    if kind == CommandType.CHAT_INPUT:
        _check_name(form.get("name"), path, errors)
        errors.text((*path, "description"), form.get("description"), 1, _DESCRIPTION_MAX)
        _check_options(form.get("options") or [], path, errors)
        if _weight(form) > _TOTAL_MAX:
            message = f"Command exceeds maximum size ({_TOTAL_MAX})"
            errors.add(path, "APPLICATION_COMMAND_TOO_LARGE", message)
    elif form.get("description") or form.get("options"):
        code = "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET"
        message = "Context menu commands cannot have description"
        errors.add((*path, "description"), code, message)


def _check_name(name: Any, path: FormPath, errors: FormErrors) -> None:
    if isinstance(name, str) and (not _NAME.match(name) or name != name.lower()):
        message = "Command name is invalid"
        errors.add((*path, "name"), "APPLICATION_COMMAND_INVALID_NAME", message)


def _check_options(options: list[Any], path: FormPath, errors: FormErrors) -> None:
    if len(options) > _LIST_MAX:
        errors.too_long((*path, "options"), _LIST_MAX)
    if len({option.get("type") in _SUBCOMMANDS for option in options}) > 1:
        message = (
            "Sub-command and sub-command group option types are mutually exclusive to all other"
            " types"
        )
        errors.add((*path, "options"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message)
    optional_seen = False
    names: set[str] = set()
    for index, option in enumerate(options):
        where = (*path, "options", index)
        _check_option(option, where, errors)
        if option.get("required") and optional_seen:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            errors.add(where, code, "Required options must be placed before non-required options")
        optional_seen = optional_seen or not option.get("required")
        if option.get("name") in names:
            code = "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"
            errors.add((*where, "name"), code, "Option name already exists")
        names.add(str(option.get("name")))


def _check_option(option: JSON, where: FormPath, errors: FormErrors) -> None:
    if option.get("type") not in set(OptionType):
        errors.add((*where, "type"), "BASE_TYPE_CHOICES", "Unknown option type")
    errors.text((*where, "name"), option.get("name"), 1, _NAME_MAX)
    _check_name(option.get("name"), where, errors)
    errors.text((*where, "description"), option.get("description"), 1, _DESCRIPTION_MAX)
    choices = option.get("choices") or []
    if choices and (option.get("type") not in _CHOOSING or option.get("autocomplete")):
        errors.add((*where, "choices"), "BASE_TYPE_CHOICES", "This option cannot have choices")
    if option.get("autocomplete") and option.get("type") not in _CHOOSING:
        message = "This option cannot be completed automatically"
        errors.add((*where, "autocomplete"), "BASE_TYPE_CHOICES", message)
    if len(choices) > _LIST_MAX:
        errors.too_long((*where, "choices"), _LIST_MAX)
    for index, choice in enumerate(choices):
        name = choice.get("name")
        errors.text((*where, "choices", index, "name"), name, 1, _DESCRIPTION_MAX)
    if option.get("type") in _SUBCOMMANDS:
        _check_options(option.get("options") or [], where, errors)
        _check_depth(option, where, errors)


def _check_depth(option: JSON, where: FormPath, errors: FormErrors) -> None:
    """Note what is nested too deep: a group holds subcommands, a subcommand holds plain options."""
    fitting = (
        {OptionType.SUB_COMMAND}
        if option["type"] == OptionType.SUB_COMMAND_GROUP
        else set(OptionType) - _SUBCOMMANDS
    )
    for index, inner in enumerate(option.get("options") or []):
        if inner.get("type") in set(OptionType) - fitting:
            choices = ", ".join(str(int(one)) for one in sorted(fitting))
            message = f"Value of field 'type' must be one of ({choices})."
            errors.add((*where, "options", index, "type"), "BASE_TYPE_CHOICES", message)


def _weight(form: JSON) -> int:
    """Return the characters that count against a command's 8000."""
    total = len(str(form.get("name") or "")) + len(str(form.get("description") or ""))
    for choice in form.get("choices") or []:
        total += len(str(choice.get("name"))) + len(str(choice.get("value")))
    return total + sum(_weight(option) for option in form.get("options") or [])
