"""Embeds: their limits, and the attachments that they show. Pure; mistakes go to FormErrors."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.discord.cdn import Attachment
from bot.sandbox.discord.errors import FormErrors, FormPath

JSON = dict[str, Any]

_TEXT_MAX = {"title": 256, "description": 4096}
_INNER_MAX = {("footer", "text"): 2048, ("author", "name"): 256}
_FIELD_MAX = {"name": 256, "value": 1024}
_FIELDS_MAX, _TOTAL_MAX = 25, 6000


def checked(
    given: Any, most: int, files: Mapping[str, Attachment], errors: FormErrors
) -> list[JSON]:
    """Embeds as Discord echoes them. `most` is how many a message may have."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        errors.add(("embeds",), "BASE_TYPE_LIST", "Only iterables may be used in a ListType")
        return []
    if len(given) > most:
        errors.too_long(("embeds",), most)
    total = 0
    shapes = []
    for index, one in enumerate(given):
        total += _check(one, ("embeds", index), errors)
        shapes.append(_resolved(one, files))
    if total > _TOTAL_MAX:
        message = f"Embed size exceeds maximum size of {_TOTAL_MAX}"
        errors.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", message)
    return shapes


def _check(embed: JSON, path: FormPath, errors: FormErrors) -> int:
    """Note texts that are too long; returns the characters that count."""
    total = 0
    for name, most in _TEXT_MAX.items():
        total += _length(embed.get(name), (*path, name), most, errors)
    for (outer, inner), most in _INNER_MAX.items():
        text = (embed.get(outer) or {}).get(inner)
        total += _length(text, (*path, outer, inner), most, errors)
    fields = embed.get("fields") or []
    if len(fields) > _FIELDS_MAX:
        errors.too_long((*path, "fields"), _FIELDS_MAX)
    for index, field in enumerate(fields):
        where = (*path, "fields", index)
        for name, most in _FIELD_MAX.items():
            if not str(field.get(name) or "").strip():
                errors.add((*where, name), "BASE_TYPE_REQUIRED", "This field is required")
            total += _length(field.get(name), (*where, name), most, errors)
    return total


def _length(text: Any, path: FormPath, most: int, errors: FormErrors) -> int:
    if text is None:
        return 0
    if len(str(text)) > most:
        errors.too_long(path, most)
    return len(str(text))


def _resolved(embed: JSON, files: Mapping[str, Attachment]) -> JSON:
    shape = {name: value for name, value in embed.items() if value is not None}
    shape["type"] = "rich"
    for name in ("image", "thumbnail", "video"):
        url = (shape.get(name) or {}).get("url", "")
        if not url.startswith("attachment://"):
            continue
        found = files.get(url.removeprefix("attachment://"))
        if found is None:
            del shape[name]
            continue
        shape[name] = {
            "url": url,
            "proxy_url": url,
            "width": found.width or 0,
            "height": found.height or 0,
            "content_type": found.content_type,
            "attachment_id": found.id,
            "flags": 0,
        }
    return shape
