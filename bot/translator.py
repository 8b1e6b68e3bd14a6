"""Tells Discord the commands' names, descriptions and choices in the languages that there are.

discord.py asks for each text when the commands are published. What is not translated is left out,
and Discord shows the English.
"""

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation, TranslationContextTypes, locale_str

from bot import picker
from bot.tongue import TRANSLATED, Tongue, tongue

_NAMES = (
    TranslationContextLocation.command_name,
    TranslationContextLocation.group_name,
    TranslationContextLocation.parameter_name,
)


class CommandTranslator(app_commands.Translator):
    """discord.py's own seam for this."""

    async def translate(
        self,
        string: locale_str,
        locale: discord.Locale,
        context: TranslationContextTypes,
    ) -> str | None:
        """Return a text in a language, or None where it is not translated."""
        if str(locale) not in TRANSLATED or locale is discord.Locale.latin_american_spanish:
            return None  # Discord itself falls back from the Spanish of America to that of Spain
        say = tongue(str(locale))
        is_a_menu = isinstance(context.data, app_commands.ContextMenu)  # takes any letters
        is_a_name = context.location in _NAMES and not is_a_menu
        said = say.name(string.message) if is_a_name else _said(string.message, say)
        return None if said == string.message else said


def _said(text: str, say: Tongue) -> str:
    """Say a text; of those with a figure in them, the words: "wide 16:9", "5 seconds"."""
    first, _, rest = text.partition(" ")
    if first in picker.SHAPES:
        return f"{say(first)} {rest}"
    if rest == "seconds":
        return say("{seconds} seconds", seconds=first)
    return say(text)
