"""What the real bot sends keeps Discord's published contract: its commands, in every language, and
all that it answers with.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox.discord.journal import Exchange
from tests.contract.openapi import MISSING, REFERENCE, contract
from tests.town import JSON, NO_LIMITS, Town, photo_file, town

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not REFERENCE.is_dir(), reason=MISSING),
]

WIDE = photo_file(640, 360)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("town")) as made, made.bot(**NO_LIMITS):
        yield made


def sent(here: Town) -> list[Exchange]:
    """The requests by which the bot published its commands."""
    found = [one for one in here.discord.requests if one.method == "PUT"]
    return [one for one in found if one.path.endswith("/commands")]


def parts(command: JSON) -> Iterator[JSON]:
    """A command, its subcommands, options and choices."""
    yield command
    for inner in (*command.get("options", ()), *command.get("choices", ())):
        yield from parts(inner)


async def test_the_commands_are_as_the_contract_has_them(here: Town) -> None:
    (exchange,) = sent(here)
    assert contract().template(exchange) is not None
    assert contract().mistakes(exchange) == []


async def test_every_description_comes_in_every_language(here: Town) -> None:
    (exchange,) = sent(here)
    missing = [
        (part["name"], language)
        for command in exchange.payload
        for part in parts(command)
        for language in ("de", "es-ES")
        if part.get("description") and language not in part["description_localizations"]
    ]
    assert missing == []
    (history,) = [one for one in exchange.payload if one["name"] == "history"]
    assert set(history["name_localizations"]) == {"de", "es-ES"}


async def test_all_that_it_says_is_as_the_contract_has_it(here: Town) -> None:
    mia = here.mia
    clip = await here.clip(await here.animate(WIDE))
    for button in ("Info", "Delete"):
        await mia.wait_for_reply(await mia.press(clip, button))
    commands: dict[str, dict[str, Any]] = {
        "history": {},
        "queue": {},
        "help": {},
        "settings": {},
        "usage me": {},
        "privacy show": {},
        "privacy export": {},
        "privacy delete": {},
        "animate": {"image": await mia.attach(WIDE, "photo.png"), "preview": True},
    }
    for name, options in commands.items():
        await mia.wait_for_reply(await mia.command(name, **options))
    async with here.person("Ada") as ada:
        for name in ("animate-admin setup", "animate-admin jobs", "quota view", "usage export"):
            await ada.wait_for_reply(await ada.command(name))
    picture = await mia.send("look", await mia.attach(WIDE, "photo.png"))
    started = await mia.menu(picture, "Animate with options…")
    await mia.form(started)
    found = [mistake for one in here.discord.requests for mistake in contract().mistakes(one)]
    assert list(dict.fromkeys(found)) == []
