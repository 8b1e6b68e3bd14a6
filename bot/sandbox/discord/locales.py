"""Discord's languages, and which word of a dictionary somebody reads. Pure."""

from collections.abc import Mapping
from typing import Any

JSON = dict[str, Any]

LOCALES = (
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl",
    "no", "pl", "pt-BR", "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi",
    "th", "zh-CN", "ja", "zh-TW", "ko",
)  # fmt: skip
#: Where a language is missing, this one is read instead.
_INSTEAD = {"en-US": "en-GB", "en-GB": "en-US", "es-419": "es-ES"}
_DICTIONARIES = {
    "name_localizations": "name_localized",
    "description_localizations": "description_localized",
}


def localized(words: Mapping[str, str] | None, locale: str) -> str | None:
    """Return the word for a language, if there is one."""
    known = words or {}
    return known.get(locale) or known.get(_INSTEAD.get(locale, ""))


def for_reader(command: JSON, locale: str | None) -> JSON:
    """Return a command without its dictionaries, with the words for one reader instead.

    At any depth: options and choices have words of their own.
    """
    shape: JSON = {}
    for name, value in command.items():
        if name in _DICTIONARIES:
            word = localized(value, locale) if locale else None
            if word is not None:
                shape[_DICTIONARIES[name]] = word
        elif name in {"options", "choices"}:
            shape[name] = [for_reader(one, locale) for one in value]
        else:
            shape[name] = value
    return shape
