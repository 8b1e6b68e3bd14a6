"""What Discord would refuse in a command that an app registers. Pure; mistakes go to FormErrors."""

import re
from enum import IntEnum
from typing import Any

from bot.sandbox.discord.errors import FormErrors, FormPath
from bot.sandbox.discord.locales import LOCALES
from bot.sandbox.discord.message import JSON


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


def check_all(given: list[Any], errors: FormErrors) -> None:
    """Note what Discord would refuse in a list of commands."""
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
    _check_words(form, path, errors, strict=kind == CommandType.CHAT_INPUT)
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


def _check_words(form: JSON, path: FormPath, errors: FormErrors, *, strict: bool) -> None:
    """Note what is wrong with translations: of slash commands' names, as with names."""
    _check_dictionary(form, "description_localizations", path, errors)
    for locale, name in _check_dictionary(form, "name_localizations", path, errors).items():
        where = (*path, "name_localizations", locale)
        errors.text(where, name, 1, _NAME_MAX)
        if strict and isinstance(name, str) and (not _NAME.match(name) or name != name.lower()):
            message = "Command name is invalid"
            errors.add(where, "APPLICATION_COMMAND_INVALID_NAME", message)


def _check_dictionary(form: JSON, field: str, path: FormPath, errors: FormErrors) -> JSON:
    """Return a dictionary of translations, with what is no language noted, and what is too long."""
    words: JSON = form.get(field) or {}
    for locale, word in words.items():
        if locale not in LOCALES:
            message = f"Value must be one of {LOCALES}."
            errors.add((*path, field, locale), "ENUM_TYPE_COERCE", message)
        errors.text((*path, field, locale), word, 1, _DESCRIPTION_MAX)
    return words


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
    _check_words(option, where, errors, strict=True)
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
        _check_dictionary(choice, "name_localizations", (*where, "choices", index), errors)
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
