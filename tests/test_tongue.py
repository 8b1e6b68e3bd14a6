"""Every text is said in every language that there is, and with the same values in it."""

import gettext
import re
import string
from collections.abc import Iterator
from pathlib import Path

import discord
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from bot.client import AnimateBot
from bot.lifecycle import State
from bot.tongue import TRANSLATED, reading, tongue
from bot.translator import CommandTranslator
from bot.wish import Wish
from bot.words import animating, queued
from tests.conftest import JobFactory
from tests.corridor import model

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "bot" / "locale"
LANGUAGES = sorted(set(TRANSLATED.values()))
KEYWORDS = {"say": None, "many": (1, 2), "mark": None}
"""As the Makefile has them."""


def texts() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Where each text of the code is, and the text, or its forms for one and for more."""
    for folder in ("bot", "cogs"):
        for file, line, message, _, _ in extract_from_dir(
            ROOT / folder, [("**.py", "python")], keywords=KEYWORDS
        ):
            yield f"{folder}/{file}:{line}", message


def po(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "bot.po").open("rb") as file:
        return read_po(file)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def key(message: str | tuple[str, ...] | list[str]) -> str:
    return message if isinstance(message, str) else message[0]


def forms(message: Message | None) -> list[str]:
    """What a message is translated to: one text, or one for each number."""
    if message is None or message.fuzzy:
        return [""]
    said = message.string
    return [said or ""] if isinstance(said, str | None) else [one or "" for one in said]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_in_a_language(language: str) -> None:
    catalog = po(language)
    assert [where for where, text in texts() if not all(forms(catalog.get(key(text))))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_of_a_text_that_is_gone(language: str) -> None:
    known = {key(text) for _, text in texts()}
    found = {key(message.id) for message in po(language) if message.id}
    assert found - known == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_values_of_its_text_and_no_others(language: str) -> None:
    for message in po(language):
        if not message.id:
            continue
        wanted = fields(key(message.id))
        for form in forms(message):
            # A form for one may write it out; a place in a line may be told by its number.
            assert fields(form) - {"n"} in (wanted - {"n"}, wanted - {"n", "place"}), form


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_bot_reads_is_what_the_translators_wrote(language: str) -> None:
    with (FOLDER / language / "LC_MESSAGES" / "bot.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    written = {key(message.id): forms(message) for message in po(language) if message.id}
    assert written
    for message in po(language):
        match message.id:
            case "":
                continue
            case str(text):
                assert [compiled.gettext(text)] == forms(message), "run `make words`"
            case [one, more]:
                said = [compiled.ngettext(one, more, n) for n in (1, 2)]
                assert said == forms(message), "run `make words`"


def test_a_language_that_nobody_translated_is_answered_in_english() -> None:
    assert tongue("ja")("You were not charged.") == "You were not charged."


@pytest.mark.parametrize("locale", TRANSLATED)
def test_words_on_a_job_are_in_its_persons_language(job_factory: JobFactory, locale: str) -> None:
    theirs, english = (job_factory(wish=Wish(locale=one)) for one in (locale, "en-GB"))
    assert queued(theirs, 0) != queued(english, 0)
    rendering = job_factory(wish=Wish(locale=locale), state=State.RENDERING)
    assert animating(rendering).title == tongue(locale)("🎞️ Animating") != "🎞️ Animating"


async def test_who_is_being_answered_is_answered_in_their_language() -> None:
    reading("de")
    assert tongue()("You were not charged.") == tongue("de")("You were not charged.")
    assert tongue()("You were not charged.") != "You were not charged."


def told(value: object) -> Iterator[str]:
    """All names, descriptions and choices of a command, as people see them."""
    if isinstance(value, list):
        for one in value:
            yield from told(one)
    elif isinstance(value, dict):
        yield from (text for name in ("name", "description") if (text := value.get(name)))
        yield from told(value.get("options"))
        yield from told(value.get("choices"))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_nothing_of_a_command_is_missing_in_a_language(language: str) -> None:
    catalog = po(language)
    async with AnimateBot() as client:
        await client.load(model())
        commands = [command.to_dict(client.tree) for command in client.tree.get_commands()]
        names = {text for command in commands for text in told(command)}
        spoken = {
            text
            for text in names
            if not re.fullmatch(r"(wide|square|tall) \d+:\d+|\d+ seconds", text)
        }
        missing = [text for text in spoken if not all(forms(catalog.get(text)))]
        assert missing == []


async def test_discord_is_told_of_commands_in_other_languages() -> None:
    async with AnimateBot() as client:
        await client.load(model())
        translator = client.tree.translator
        assert isinstance(translator, CommandTranslator)
        command = client.tree.get_command("animate")
        assert command is not None
        payload = await command.get_translated_payload(client.tree, translator)
        assert payload["name_localizations"] == {"de": "animieren", "es-ES": "animar"}
        assert payload["description_localizations"].keys() == {"de", "es-ES"}


def test_each_locale_is_one_of_discords() -> None:
    assert set(TRANSLATED) <= {locale.value for locale in discord.Locale}


def test_a_text_is_said_where_babel_finds_it() -> None:
    """Before Python 3.12 it does not look into f-strings, and it knows functions by name alone."""
    hidden = []
    for path in (*(ROOT / "bot").glob("*.py"), *(ROOT / "cogs").glob("*.py")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if re.search(r"""tongue\([^()]*\)\(\s*f?["']|\{say\(\s*["']|\bsay\(\s*f["']""", line):
                hidden.append(f"{path.name}:{number}: {line.strip()}")
    assert hidden == []
