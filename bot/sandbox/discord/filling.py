"""What a person's client makes of words: options, answers, components and mentions by their names.

Pure functions for `messenger.py` and `person.py`; they know the shapes that the page knows.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]

_SUB_COMMAND, _SUB_COMMAND_GROUP, _ATTACHMENT = 1, 2, 11
_BUTTON = 2
_SELECTS = frozenset({3, 5, 6, 7, 8})
_STRING_SELECT = 3
_RADIO_GROUP, _CHECKBOX_GROUP, _CHECKBOX = 21, 22, 23
_CHOOSING = frozenset({_STRING_SELECT, _RADIO_GROUP, _CHECKBOX_GROUP})
#: Where a component of a message or a form says what it is for.
_TEXTS = ("content", "label", "description", "placeholder")


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that was handed to Discord, ready for an option, a form or a message."""

    id: str
    spoiler: bool = False
    description: str | None = None

    def as_json(self) -> JSON:
        """Return it as a message takes it."""
        return {"id": self.id, "spoiler": self.spoiler, "description": self.description}


@dataclass(frozen=True, slots=True)
class Published:
    """A picture on the local web: its own link, and that of a page that shows it."""

    picture: str
    page: str


def nested(command: JSON, words: list[str], options: Mapping[str, Any]) -> list[JSON]:
    """Return options as the people's side takes them, inside the subcommands of `words`."""
    declared: list[JSON] = command.get("options") or []
    if words:
        inner = next(one for one in declared if one["name"] == words[0])
        return [
            {
                "name": words[0],
                "type": inner["type"],
                "options": nested(inner, words[1:], options),
            }
        ]
    kinds = {one["name"]: one["type"] for one in declared}
    return [
        {"name": name, "type": kinds.get(name, _kind(value)), "value": plain(value)}
        for name, value in options.items()
    ]


def focused(options: list[JSON], name: str) -> list[JSON]:
    """Return options with the one marked that a person is typing into."""
    inner = options
    while inner and inner[0]["type"] in {_SUB_COMMAND, _SUB_COMMAND_GROUP}:
        inner = inner[0]["options"]
    for option in inner:
        if option["name"] == name:
            option["focused"] = True
    return options


def plain(value: Any) -> Any:
    """Return a value as JSON takes it: an attached file is its id."""
    if isinstance(value, Attached):
        return value.id
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def answered(component: JSON, answers: Mapping[str, Any], label: str = "") -> JSON:
    """Return a component of a form with a person's answer in it.

    `answers` are by custom id or by the label above; a choice may be named by its own label.
    """
    shape: JSON = {
        name: component[name] for name in ("type", "id", "custom_id") if name in component
    }
    label = str(component.get("label") or label)
    if "components" in component:
        inner = component["components"]
        return shape | {"components": [answered(one, answers, label) for one in inner]}
    if "component" in component:
        return shape | {"component": answered(component["component"], answers, label)}
    for name in (str(component.get("custom_id")), label):
        if name in answers:
            value = plain(answers[name])
            if component["type"] in _CHOOSING:
                value = _values(component, value)
            shape["values" if isinstance(value, list) else "value"] = value
            return shape
    return shape | _default(component)


def component_named(message: JSON, wanted: str) -> JSON:
    """Return a message's button or menu by custom id, label, placeholder or emoji.

    Raises LookupError with the names of those that are there.
    """
    able = [one for one in _every(message["components"]) if "custom_id" in one or "url" in one]
    for one in able:
        if wanted in {one.get("custom_id"), *_names(one)}:
            return one
    there = ", ".join(next(_names(one), one.get("custom_id", "?")) for one in able)
    raise LookupError(f"this message has no {wanted!r}; it has: {there or 'no components'}")


def buttons_of(message: JSON) -> list[str]:
    """Return the labels, else the emoji, of a message's buttons that can be pressed, in order."""
    return [
        next(_names(one), "")
        for one in _every(message["components"])
        if one["type"] == _BUTTON and not one.get("disabled")
    ]


def chosen(select: JSON, values: tuple[str, ...], known: Callable[[str], str]) -> list[str]:
    """Return the values of a menu's choices, named by value or label; `known` finds ids by name."""
    if select["type"] == _STRING_SELECT:
        found = _values(select, list(values))
        return found if isinstance(found, list) else [found]
    return [known(one) for one in values] if select["type"] in _SELECTS else list(values)


def shown(message: JSON) -> str:
    """Return every word that a message shows: text, embeds, components, names of files."""
    words = [message["content"]]
    for embed in message["embeds"]:
        words += [embed.get("title"), embed.get("description")]
        for field in embed.get("fields") or []:
            words += [field["name"], field["value"]]
        words.append((embed.get("footer") or {}).get("text"))
    for one in _every(message["components"]):
        words += [one.get(name) for name in _TEXTS]
    words += [one["filename"] for one in message["attachments"]]
    return "\n".join(word for word in words if word)


def encoded(text: str, names: Mapping[str, str]) -> str:
    """Return a text with each "@Mia" and "#studio" as Discord writes it; `names` has the codes."""
    for name in sorted(names, key=len, reverse=True):
        pattern = rf"(^|[^\w<]){re.escape(name)}(?![\w-])"
        text = re.sub(pattern, lambda found, code=names[name]: found[1] + code, text)  # type: ignore[misc]
    return text


def _kind(value: Any) -> int:
    """Return an option type for a value of an option that the command does not have."""
    return _ATTACHMENT if isinstance(value, Attached) else 3


def _values(component: JSON, value: Any) -> Any:
    """Return the values of choices that are named by their labels or values."""
    if isinstance(value, list):
        return [_values(component, one) for one in value]
    by_label = {one["label"]: one["value"] for one in component.get("options") or []}
    return by_label.get(value, value)


def _default(component: JSON) -> JSON:
    """Return what a form sends of a component that nobody touched: how it was shown."""
    kind, options = component["type"], component.get("options") or []
    picked = [one["value"] for one in options if one.get("default")]
    if kind == _CHECKBOX:
        return {"value": bool(component.get("default"))}
    if kind == _RADIO_GROUP and picked:
        return {"value": picked[0]}
    if picked:
        return {"values": picked}
    if component.get("default_values"):
        return {"values": [one["id"] for one in component["default_values"]]}
    return {"value": component["value"]} if component.get("value") else {}


def _names(component: JSON) -> Iterator[str]:
    """Yield what people call a component, the plainest first."""
    yield from filter(None, (component.get("label"), component.get("placeholder")))
    emoji = (component.get("emoji") or {}).get("name")
    if emoji:
        yield emoji


def _every(components: list[JSON]) -> Iterator[JSON]:
    for one in components:
        yield one
        yield from _every(one.get("components") or [])
        yield from _every([one[name] for name in ("accessory", "component") if name in one])
