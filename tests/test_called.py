"""A command or an option is called in every text what the reader's Discord calls it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import admin_words
from bot.client import AnimateBot
from bot.errors import OptionRefused
from bot.log_words import digest
from bot.policy import Policy
from bot.policy_words import view
from bot.refusals import refusal
from bot.tongue import TRANSLATED, reading, tongue
from tests.corridor import model
from tests.test_log_words import DAY, figures
from tests.test_tongue import LANGUAGES, ROOT, forms, key, po, texts

DISCORDS = {"de": "de", "es": "es-ES"}
"""Under which name Discord is told a language of ours."""


def named(node: dict[str, Any], locale: str | None) -> str:
    """What Discord shows as the name of a command or an option."""
    theirs = node.get("name_localizations") or {}
    return f"{theirs.get(locale, node['name'])}"


def called(
    node: dict[str, Any], locale: str | None, above: tuple[str, str] = ("/", "/")
) -> Iterator[tuple[str, str]]:
    """Every command and option below: as it is in the code, and as Discord shows it."""
    ours, theirs = (f"{above[0]}{node['name']}", f"{above[1]}{named(node, locale)}")
    yield ours, theirs
    for one in node.get("options", ()):
        if one["type"] <= 2:  # another command, or a group of them
            yield from called(one, locale, (f"{ours} ", f"{theirs} "))
        else:
            yield one["name"], named(one, locale)


async def published(locale: str | None) -> dict[str, str]:
    async with AnimateBot() as client:
        await client.load(model())
        translator = client.tree.translator
        assert translator is not None
        found: dict[str, str] = {}
        for command in client.tree.get_commands():
            payload = await command.get_translated_payload(client.tree, translator)
            if payload.get("type", 1) == 1:  # no menu, which nobody types
                found |= dict(called(payload, locale))
        return found


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_translation_calls_commands_and_options_what_discord_calls_them(
    language: str,
) -> None:
    """What else is in backticks is to be typed as it is, such as `unlimited`, or is a value."""
    names = await published(DISCORDS[language])
    assert names["/history"] != "/history"
    wrong = []
    for message in po(language):
        if not message.id:
            continue
        wanted = sorted(names.get(one, one) for one in quoted(key(message.id)))
        wrong += [form for form in forms(message) if sorted(quoted(form)) != wanted]
    assert wrong == []


async def test_a_text_names_only_commands_that_there_are() -> None:
    names = await published(None)
    said = {one for _, text in texts() for one in quoted(key(text)) if one.startswith("/")}
    assert said - names.keys() == set()
    assert said > {"/history", "/usage me"}


def test_a_command_is_named_in_backticks_where_the_test_above_finds_it() -> None:
    bare = re.compile(r"(?<![\w`<*])/[a-z]")
    every = [key(text) for _, text in texts()]
    every += [form for language in LANGUAGES for one in po(language) for form in forms(one)]
    assert [text for text in every if bare.search(text)] == []


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """What is written in a file of code, without its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    silent = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in silent:
                yield node.lineno, text


async def test_no_command_is_named_past_the_translations() -> None:
    commands = {one for one in await published(None) if one.startswith("/")}
    translated = {one for _, text in texts() for one in ([text] if key(text) == text else text)}
    past = [
        f"{path.name}:{line}: {text}"
        for folder in ("bot", "cogs")
        for path in (ROOT / folder).glob("*.py")
        for line, text in strings(path)
        if commands & set(quoted(text)) and text not in translated
    ]
    assert past == []


@pytest.mark.parametrize(
    ("locale", "name", "command"),
    [
        ("de", "dauer", "`/verbrauch ich`"),
        ("es-ES", "duración", "`/consumo yo`"),
        ("es-419", "duración", "`/consumo yo`"),  # Discord shows the names of Spain there
        ("en-GB", "duration", "`/usage me`"),
        ("ja", "duration", "`/usage me`"),
    ],
)
def test_a_name_is_said_as_discord_shows_it(locale: str, name: str, command: str) -> None:
    assert (tongue(locale).name("duration"), tongue(locale).command("usage me")) == (name, command)


@pytest.mark.parametrize("locale", TRANSLATED)
async def test_each_name_is_said_as_it_is_published(locale: str) -> None:
    say = tongue(locale)
    for ours, theirs in (await published(DISCORDS[TRANSLATED[locale]])).items():
        path = ours.removeprefix("/")
        assert theirs == (f"{say.command(path)}".strip("`") if path != ours else say.name(ours))


# --- Names that are put into a text --------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "options", "said"),
    [
        ("de", {"duration": 7}, "`dauer` akzeptiert 5 oder 10 Sekunden."),
        ("de", {"guidance": 2}, "`treue` akzeptiert 0 bis 1."),
        ("de", {"prompt": "x"}, "`beschreibung` akzeptiert nichts; dieses Modell nimmt keine."),
        ("es-ES", {"duration": 7}, "`duración` admite 5 o 10 segundos."),
        ("es-419", {"size": (1, 1)}, "`forma` admite ancho 16:9, cuadrado 1:1, alto 9:16."),
    ],
)
async def test_a_refused_option_is_called_what_it_is_in_the_picker(
    locale: str, options: dict[str, Any], said: str
) -> None:
    reading(locale)
    with pytest.raises(OptionRefused) as refused:
        model().order(**({"size": None} | options))
    assert said in refusal(refused.value).body


async def test_an_option_that_cannot_be_read_is_called_what_it_is_in_the_picker() -> None:
    reading("de")
    assert admin_words.unclear("amount", "…").body.startswith("`betrag` ")


async def test_a_command_under_a_list_is_called_what_it_is_in_the_picker() -> None:
    reading("de")
    assert "`/animieren-verwaltung aufträge`" in digest(figures(), (DAY, DAY)).body
    assert "`/animieren-verwaltung gesperrt`" in view(Policy(), 0).body


async def test_a_command_that_cannot_be_clicked_yet_is_called_what_it_is_in_the_picker() -> None:
    reading("de")
    async with AnimateBot() as client:
        assert client.mention("privacy show") == "`/datenschutz zeig`"
