"""The options of a command as a person filled them in: checked as a client does, and resolved.

A client that lies is played with `unchecked`: then only the ids are looked up.
"""

from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.discord.command_checks import OptionType
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.resolved import Resolved

T = OptionType
_NESTED = frozenset({T.SUB_COMMAND, T.SUB_COMMAND_GROUP})
_REFERRING = frozenset({T.USER, T.CHANNEL, T.ROLE, T.MENTIONABLE, T.ATTACHMENT})
_STRING_MAX = 6000


@dataclass(slots=True)
class Options:
    """Fills options: `fill` returns them for the event; `errors` has a sentence for each mistake.

    Unless `checked`, there are no mistakes: the app gets what was given. So it does while the
    person is still typing.
    """

    resolved: Resolved
    checked: bool
    errors: dict[str, str] = field(default_factory=dict)

    def fill(self, declared: list[JSON], given: list[JSON]) -> list[JSON]:
        """Turn what a person gave into what the app gets, subcommand by subcommand.

        `declared` are the options of the command, or of the subcommand.
        """
        known = {option["name"]: option for option in declared}
        shapes = []
        for one in given:
            name, option = str(one.get("name")), known.get(one.get("name", ""))
            kind = one.get("type") or (option or {}).get("type") or T.STRING
            if option is None and self.checked:
                self.errors[name] = "This command has no such option"
            elif kind in _NESTED:
                inner = self.fill((option or {}).get("options") or [], one.get("options") or [])
                shapes.append({"name": name, "type": int(kind), "options": inner})
            else:
                shapes.append(self._one(name, kind, one, option))
        if self.checked:
            self._missing(declared, given)
        return shapes

    def _one(self, name: str, kind: int, one: JSON, option: JSON | None) -> JSON:
        value: Any = str(one.get("value")) if kind in _REFERRING else one.get("value")
        types = (option or {}).get("channel_types")
        found = kind not in _REFERRING or self.resolved.add(kind, value, types)
        if self.checked and option is not None:
            wrong = _wrong(option, kind, value) if found else "This does not exist"
            if wrong is not None:
                self.errors[name] = wrong
        shape: JSON = {"name": name, "type": int(kind), "value": value}
        return shape | {"focused": True} if one.get("focused") else shape

    def _missing(self, declared: list[JSON], given: list[JSON]) -> None:
        names = {one.get("name") for one in given}
        if any(option["type"] in _NESTED for option in declared):
            if not names:
                self.errors[declared[0]["name"]] = "Choose a subcommand"
            return
        for option in declared:
            if option.get("required") and option["name"] not in names:
                self.errors[option["name"]] = "This option is required"


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
