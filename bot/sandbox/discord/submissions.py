"""A filled-in modal: what the person sent, laid over what the app asked for."""

from collections.abc import Callable, Sequence
from typing import Any

from bot.sandbox.discord.command_checks import OptionType
from bot.sandbox.discord.errors import PeopleError
from bot.sandbox.discord.kinds import INTERACTIVE, Kind, every
from bot.sandbox.discord.message import JSON

K = Kind
#: Finds what an id refers to and adds it to the resolved data; False if there is no such thing.
Resolve = Callable[[int, str, Sequence[int] | None], bool]

_RESOLVED = {
    K.USER_SELECT: OptionType.USER,
    K.ROLE_SELECT: OptionType.ROLE,
    K.MENTIONABLE_SELECT: OptionType.MENTIONABLE,
    K.CHANNEL_SELECT: OptionType.CHANNEL,
    K.FILE_UPLOAD: OptionType.ATTACHMENT,
}
_TEXT_MAX = 4000


def submitted(modal: JSON, given: list[JSON], resolve: Resolve, *, checked: bool) -> list[JSON]:
    """Return the components of a MODAL_SUBMIT interaction.

    Raises PeopleError 400 with a sentence for each field that is not right.
    """
    answers = {one["custom_id"]: one for one in every(given) if "custom_id" in one}
    errors: dict[str, str] = {}
    shapes = [_filled(one, answers, resolve, errors) for one in modal["components"]]
    if errors and checked:
        raise PeopleError(400, "Some fields are not right.", errors)
    return shapes


def _filled(
    asked: JSON, answers: dict[str, JSON], resolve: Resolve, errors: dict[str, str]
) -> JSON:
    """One component of the form with its answer in it; containers keep their shape."""
    shape: JSON = {"type": int(asked["type"]), "id": asked["id"]}
    if asked["type"] == K.ACTION_ROW:
        inner = asked["components"]
        return shape | {"components": [_filled(one, answers, resolve, errors) for one in inner]}
    if asked["type"] == K.LABEL:
        return shape | {"component": _filled(asked["component"], answers, resolve, errors)}
    if asked["type"] not in INTERACTIVE:
        return shape
    custom_id = asked["custom_id"]
    answer = answers.get(custom_id, {})
    value, wrong = _value(asked, answer, resolve)
    if wrong is not None:
        errors[custom_id] = wrong
    return shape | {"custom_id": custom_id} | value


def _value(asked: JSON, answer: JSON, resolve: Resolve) -> tuple[JSON, str | None]:
    """Return the answer in the form of its kind, and what is wrong with it, if anything."""
    kind = asked["type"]
    if kind == K.TEXT_INPUT:
        text = str(answer.get("value") or "")
        return {"value": text}, _wrong_text(asked, text)
    if kind == K.CHECKBOX:
        return {"value": bool(answer.get("value"))}, None
    if kind == K.RADIO_GROUP:
        choice = answer.get("value")
        missing = choice is None and asked.get("required", True)
        return {"value": choice}, "Choose one" if missing else _unlisted(asked, [choice])
    values = [str(one) for one in answer.get("values") or []]
    return {"values": values}, _wrong_values(asked, values, resolve)


def _wrong_text(asked: JSON, text: str) -> str | None:
    if not text:
        return "This field is required" if asked.get("required", True) else None
    if len(text) < asked.get("min_length", 0):
        return f"Enter at least {asked['min_length']} characters"
    most = asked.get("max_length", _TEXT_MAX)
    return f"Enter at most {most} characters" if len(text) > most else None


def _wrong_values(asked: JSON, values: list[str], resolve: Resolve) -> str | None:
    least = asked.get("min_values", 1 if asked.get("required", True) else 0)
    most = asked.get("max_values", len(asked.get("options") or []) or 1)
    if not values and not asked.get("required", True):
        return None
    if not least <= len(values) <= most:
        return f"Choose between {least} and {most}"
    referred = _RESOLVED.get(asked["type"])
    if referred is None:
        return _unlisted(asked, values)
    # A list, not a generator: each id has to be resolved even after one that is unknown.
    types = asked.get("channel_types")
    known = [resolve(referred, value, types) for value in values]
    return None if all(known) else "This does not exist"


def _unlisted(asked: JSON, values: list[Any]) -> str | None:
    known = {option["value"] for option in asked.get("options") or []} | {None}
    return None if known.issuperset(values) else "Choose one of the listed values"
