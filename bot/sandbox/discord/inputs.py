"""What Discord would refuse in a component that people press or fill in. Pure.

Mistakes go to FormErrors. Rows, media and whole trees are `components.py`.
"""

from typing import Any

from bot.sandbox.discord.errors import FormErrors, FormPath
from bot.sandbox.discord.kinds import INTERACTIVE, JSON, SELECTS, Kind

K = Kind
_LINK_STYLE, _PREMIUM_STYLE = 5, 6
_OPTION_MAX, _BUTTON_LABEL_MAX, _URL_MAX = 100, 80, 512
_LABEL_MAX, _HINT_MAX, _PLACEHOLDER_MAX, _PROMPT_MAX, _TEXT_MAX = 45, 100, 150, 100, 4000
_STYLES = (1, 2)
#: How many options, at least and at most, and how many may be chosen.
_OPTIONS = {K.STRING_SELECT: (1, 25), K.RADIO_GROUP: (2, 10), K.CHECKBOX_GROUP: (1, 10)}
_CHOSEN_MAX = {K.CHECKBOX_GROUP: 10, K.FILE_UPLOAD: 10, **dict.fromkeys(SELECTS, 25)}


def check_button(shape: JSON, path: FormPath, errors: FormErrors) -> bool:
    """Note what is wrong with a button; returns whether it has a custom id."""
    style = shape.get("style")
    if style == _PREMIUM_STYLE:
        if "sku_id" not in shape:
            errors.required((*path, "sku_id"))
        return False
    if style == _LINK_STYLE:
        errors.text((*path, "url"), shape.get("url"), 1, _URL_MAX)
    if len(shape.get("label", "")) > _BUTTON_LABEL_MAX:
        errors.too_long((*path, "label"), _BUTTON_LABEL_MAX)
    if not shape.get("label") and not shape.get("emoji"):
        errors.add(path, "BUTTON_COMPONENT_INVALID", "A button needs a label or an emoji")
    return style != _LINK_STYLE


def check_label(shape: JSON, path: FormPath, errors: FormErrors) -> None:
    """Note what is wrong with a label around a field of a form."""
    errors.text((*path, "label"), shape.get("label"), 1, _LABEL_MAX)
    _check_length(shape, "description", _HINT_MAX, path, errors)
    inner = shape.get("component") or {}
    allowed = INTERACTIVE - {K.BUTTON}
    if inner.get("type") not in allowed:
        choices = ", ".join(str(int(kind)) for kind in sorted(allowed))
        message = f"Value of field 'type' must be one of ({choices})."
        errors.add((*path, "component", "type"), "UNION_TYPE_CHOICES", message)
    elif inner.get("disabled"):
        message = "A component of a modal cannot be disabled"
        errors.add((*path, "component", "disabled"), "COMPONENT_DISABLED_IN_MODAL", message)


def check_input(shape: JSON, path: FormPath, errors: FormErrors) -> None:
    """Note what is wrong with a field or a menu, apart from its custom id."""
    kind = shape["type"]
    if kind == K.TEXT_INPUT:
        _check_text_input(shape, path, errors)
        return
    _check_length(shape, "placeholder", _PLACEHOLDER_MAX, path, errors)
    if kind in _OPTIONS:
        _check_options(shape, path, errors)
    if kind in _CHOSEN_MAX:
        _check_counts(shape, path, errors)


def _check_text_input(shape: JSON, path: FormPath, errors: FormErrors) -> None:
    if shape.get("style") not in _STYLES:
        errors.add((*path, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")
    _check_length(shape, "placeholder", _PROMPT_MAX, path, errors)
    _check_length(shape, "value", _TEXT_MAX, path, errors)
    for name, least in (("min_length", 0), ("max_length", 1)):
        _check_range(shape.get(name, least), (*path, name), least, _TEXT_MAX, errors)


def _check_options(shape: JSON, path: FormPath, errors: FormErrors) -> None:
    options = shape.get("options") or []
    least, most = _OPTIONS[shape["type"]]
    if not least <= len(options) <= most:
        errors.bad_length((*path, "options"), least, most)
    values = [option.get("value") for option in options]
    for index, option in enumerate(options):
        where = (*path, "options", index)
        for name in ("label", "value"):
            errors.text((*where, name), option.get(name), 1, _OPTION_MAX)
        _check_length(option, "description", _OPTION_MAX, where, errors)
        if values.index(option.get("value")) != index:
            message = "The specified option value is already used"
            errors.add((*where, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)


def _check_counts(shape: JSON, path: FormPath, errors: FormErrors) -> None:
    most = _CHOSEN_MAX[shape["type"]]
    _check_range(shape.get("min_values", 1), (*path, "min_values"), 0, most, errors)
    _check_range(shape.get("max_values", 1), (*path, "max_values"), 1, most, errors)


def _check_range(value: Any, path: FormPath, least: int, most: int, errors: FormErrors) -> None:
    if not isinstance(value, int) or not least <= value <= most:
        message = f"int value should be between {least} and {most}."
        errors.add(path, "NUMBER_TYPE_RANGE", message)


def _check_length(shape: JSON, name: str, most: int, path: FormPath, errors: FormErrors) -> None:
    if len(str(shape.get(name) or "")) > most:
        errors.too_long((*path, name), most)
