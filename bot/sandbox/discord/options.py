"""The options of a command as a person filled them in: checked as a client does, and resolved.

A client that lies is played with `unchecked`: then only the ids are looked up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.discord import payloads
from bot.sandbox.discord.cdn import Attachment, Cdn
from bot.sandbox.discord.commands import OptionType
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.world import World

T = OptionType
_NESTED = frozenset({T.SUB_COMMAND, T.SUB_COMMAND_GROUP})
_STRING_MAX = 6000


@dataclass(slots=True)
class Filled:
    """The outcome: options for the event, what they refer to, and a sentence for each mistake."""

    options: list[JSON] = field(default_factory=list)
    resolved: JSON = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


class Options:
    """Fills options."""

    def __init__(self, world: World, cdn: Cdn, uploads: Mapping[str, Attachment]) -> None:
        self._world = world
        self._cdn = cdn
        self._uploads = uploads

    def fill(
        self, declared: list[JSON], given: list[JSON], *, checked: bool, required: bool
    ) -> Filled:
        """Turn what a person gave into what the app gets.

        `declared` are the command's options; `required` is False while the person is still typing.
        """
        filled = Filled()
        filled.options = self._level(declared, given, filled, checked=checked, required=required)
        return filled

    def resolve(self, kind: int, value: Any, resolved: JSON) -> bool:
        """Add what an id refers to; False if there is no such thing."""
        found = False
        if kind in {T.USER, T.MENTIONABLE} and value in self._world.users:
            user = self._world.users[value]
            resolved.setdefault("users", {})[value] = payloads.user(user)
            member = self._world.guild.members.get(value)
            if member is not None:
                shape = payloads.member(self._world, member, with_user=False)
                allowed = str(self._world.base_permissions(member))
                del shape["mute"], shape["deaf"]
                resolved.setdefault("members", {})[value] = {**shape, "permissions": allowed}
            found = True
        elif kind in {T.ROLE, T.MENTIONABLE} and value in self._world.guild.roles:
            role = self._world.guild.roles[value]
            resolved.setdefault("roles", {})[value] = payloads.role(role)
            found = True
        elif kind == T.CHANNEL and value in self._world.channels:
            shape = payloads.channel(self._world, self._world.channels[value])
            shape.pop("permission_overwrites", None)
            resolved.setdefault("channels", {})[value] = {**shape, "permissions": "0"}
            found = True
        elif kind == T.ATTACHMENT and value in self._uploads:
            upload = self._cdn.as_json(self._uploads[value])
            resolved.setdefault("attachments", {})[value] = upload
            found = True
        return found

    def _level(
        self,
        declared: list[JSON],
        given: list[JSON],
        filled: Filled,
        *,
        checked: bool,
        required: bool,
    ) -> list[JSON]:
        """One level of options; subcommands nest."""
        known = {option["name"]: option for option in declared}
        shapes = []
        for one in given:
            name, option = str(one.get("name")), known.get(one.get("name", ""))
            kind = one.get("type") or (option or {}).get("type") or T.STRING
            if option is None and checked:
                filled.errors[name] = "This command has no such option"
                continue
            if kind in _NESTED:
                inner = self._level(
                    (option or {}).get("options") or [],
                    one.get("options") or [],
                    filled,
                    checked=checked,
                    required=required,
                )
                shapes.append({"name": name, "type": int(kind), "options": inner})
                continue
            shapes.append(self._one(name, kind, one, option, filled, checked=checked))
        if checked and required:
            self._missing(declared, given, filled)
        return shapes

    def _one(
        self, name: str, kind: int, one: JSON, option: JSON | None, filled: Filled, *, checked: bool
    ) -> JSON:
        value, focused = one.get("value"), bool(one.get("focused"))
        if kind in {T.USER, T.CHANNEL, T.ROLE, T.MENTIONABLE, T.ATTACHMENT}:
            value = str(value)
            if not self.resolve(kind, value, filled.resolved) and checked:
                filled.errors[name] = "This does not exist"
        if checked and option is not None and not focused:
            wrong = _wrong(option, kind, value)
            if wrong is not None:
                filled.errors[name] = wrong
        shape: JSON = {"name": name, "type": int(kind), "value": value}
        return shape | {"focused": True} if focused else shape

    def _missing(self, declared: list[JSON], given: list[JSON], filled: Filled) -> None:
        names = {one.get("name") for one in given}
        if any(option["type"] in _NESTED for option in declared):
            if not names:
                filled.errors[declared[0]["name"]] = "Choose a subcommand"
            return
        for option in declared:
            if option.get("required") and option["name"] not in names:
                filled.errors[option["name"]] = "This option is required"


def _wrong(option: JSON, kind: int, value: Any) -> str | None:
    """Say what a Discord client would say about a value, if anything."""
    if kind != option["type"]:
        return "This option takes something else"
    if kind == T.STRING:
        return _wrong_text(option, value)
    if kind in {T.INTEGER, T.NUMBER}:
        return _wrong_number(option, kind, value)
    if kind == T.BOOLEAN and not isinstance(value, bool):
        return "Choose True or False"
    return None


def _wrong_text(option: JSON, value: Any) -> str | None:
    if not isinstance(value, str):
        return "Enter a text"
    choices = option.get("choices")
    if choices and value not in {choice["value"] for choice in choices}:
        return "Choose one of the listed values"
    if len(value) < option.get("min_length", 0):
        return f"Enter at least {option['min_length']} characters"
    most = option.get("max_length", _STRING_MAX)
    return f"Enter at most {most} characters" if len(value) > most else None


def _wrong_number(option: JSON, kind: int, value: Any) -> str | None:
    numeric = isinstance(value, int) or (kind == T.NUMBER and isinstance(value, float))
    if not numeric or isinstance(value, bool):
        return "Enter a whole number" if kind == T.INTEGER else "Enter a number"
    choices = option.get("choices")
    if choices and value not in {choice["value"] for choice in choices}:
        return "Choose one of the listed values"
    if "min_value" in option and value < option["min_value"]:
        return f"Enter a number of at least {option['min_value']}"
    if "max_value" in option and value > option["max_value"]:
        return f"Enter a number of at most {option['max_value']}"
    return None
