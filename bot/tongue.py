"""Says a text in the reader's language. The English of the code is the key, and the fallback.

`say = tongue(…)`, then `say("{left} left", left=…)`, or `say.many("{n} clip", "{n} clips", n)`.
Words on a job name its person's locale; where somebody is being answered, `reading` was told whose
language it is, and `tongue()` knows. The translations are `locale/*/LC_MESSAGES/bot.po`, and the
`.mo` that Babel makes of them, which the standard library's `gettext` reads. Knows no text itself.
"""

import gettext
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import cache
from importlib.resources import as_file, files
from typing import TypeVar

from bot.wish import ENGLISH

T = TypeVar("T")

TRANSLATED = {"de": "de", "es-ES": "es", "es-419": "es"}
"""Discord's names of the languages that there are, and ours."""

_reader: ContextVar[str] = ContextVar("reader", default=ENGLISH)


class Tongue:
    """One language."""

    def __init__(self, found: gettext.NullTranslations) -> None:
        self._found = found

    def __call__(self, text: str, /, **values: object) -> str:
        """Return `text` in this language, with the values put into it."""
        said = self._found.gettext(text) if text else ""
        return said.format(**values) if values else said

    def many(self, one: str, more: str, n: int, /, **values: object) -> str:
        """Return the form of the text for `n`, which is also a value."""
        return self._found.ngettext(one, more, n).format(n=n, **values)

    def name(self, text: str) -> str:
        """Return what a command or an option is called where Discord speaks this language.

        Discord takes small letters and no spaces.
        """
        return self(text).lower().replace(" ", "-")

    def command(self, path: str) -> str:
        """Return a command as who reads this types it: "usage me" → "`/verbrauch ich`"."""
        return f"`/{' '.join(map(self.name, path.split()))}`"


def reading(locale: str) -> None:
    """Note, for what runs in this task from here on, in which language somebody is answered."""
    _reader.set(locale)


def tongue(locale: str | None = None) -> Tongue:
    """Return the language that Discord calls `locale`, or that of who is being answered.

    English where it is not translated.
    """
    return _tongue(_reader.get() if locale is None else locale)


def said_in(locale: str, worded: Callable[[], T]) -> T:
    """Return words in a language that is not of who is being answered."""

    def said() -> T:
        reading(locale)
        return worded()

    return copy_context().run(said)


def mark(text: str) -> str:
    """Return `text` as it is: it is said elsewhere, and Babel finds it here."""
    return text


@cache
def _tongue(locale: str) -> Tongue:
    name = TRANSLATED.get(locale)
    if name is None:
        return Tongue(gettext.NullTranslations())
    with as_file(files("bot").joinpath("locale")) as folder:
        return Tongue(gettext.translation("bot", folder, [name], fallback=True))
