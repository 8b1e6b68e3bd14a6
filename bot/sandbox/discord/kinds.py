"""The kinds of component, and walking over trees of them. Pure."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

JSON = dict[str, Any]


class Kind(IntEnum):
    """Component types."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


K = Kind
SELECTS = frozenset(
    {K.STRING_SELECT, K.USER_SELECT, K.ROLE_SELECT, K.MENTIONABLE_SELECT, K.CHANNEL_SELECT}
)
#: What a person can press or fill in.
INTERACTIVE = SELECTS | {
    K.BUTTON, K.TEXT_INPUT, K.FILE_UPLOAD, K.RADIO_GROUP, K.CHECKBOX_GROUP, K.CHECKBOX,
}  # fmt: skip


def without_nulls(given: JSON) -> JSON:
    """Return an object without the fields that are null, at any depth; Discord echoes none."""
    kept: JSON = {}
    for name, value in given.items():
        if isinstance(value, dict):
            kept[name] = without_nulls(value)
        elif isinstance(value, list):
            kept[name] = [without_nulls(one) if isinstance(one, dict) else one for one in value]
        elif value is not None:
            kept[name] = value
    return kept


def every(components: Any) -> Iterator[JSON]:
    """Every component of a tree, parents first."""
    for each in components or []:
        yield each
        yield from every(each.get("components"))
        yield from every([each[name] for name in ("accessory", "component") if name in each])
