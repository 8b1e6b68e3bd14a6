"""Says a text in the reader's language. The English of the code is the key, and the fallback.

`say = tongue(locale)`, then `say("{left} left", left=…)` or `say.many("{n} clip", "{n} clips", n)`.
The translations are `locale/*/LC_MESSAGES/bot.po`, and the `.mo` that Babel makes of them, which
the standard library's `gettext` reads. Knows no text itself.
"""

import gettext
from functools import cache
from importlib.resources import as_file, files

from bot.wish import ENGLISH

TRANSLATED = {"de": "de", "es-ES": "es", "es-419": "es"}
"""Discord's names of the languages that there are, and ours."""


class Tongue:
    """One language."""

    def __init__(self, found: gettext.NullTranslations) -> None:
        self._found = found

    def __call__(self, text: str, /, **values: object) -> str:
        """Return `text` in this language, with the values put into it."""
        return self._found.gettext(text).format(**values)

    def many(self, one: str, more: str, n: int, /, **values: object) -> str:
        """Return the form of the text for `n`, which is also a value."""
        return self._found.ngettext(one, more, n).format(n=n, **values)


@cache
def tongue(locale: str = ENGLISH) -> Tongue:
    """Return the language that Discord calls `locale`; English where it is not translated."""
    name = TRANSLATED.get(locale)
    if name is None:
        return Tongue(gettext.NullTranslations())
    with as_file(files("bot").joinpath("locale")) as folder:
        return Tongue(gettext.translation("bot", folder, [name], fallback=True))
