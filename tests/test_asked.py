"""Where authors are asked: through every door, the real bot, the local Discord, and a crash.

What the mediator decides is in `test_consent.py`; here is what people see, and the accounts.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio

from bot.policy import Consent
from bot.sandbox.person import Person, Started
from tests.test_doors import (
    CLAPPER,
    OTHERS,
    UNLIMITED,
    WIDE,
    Case,
    Door,
    answers,
    nothing_starts,
    one_clip,
    photo_of,
    standing,
)
from tests.town import EPHEMERAL, JSON, Town, told, town, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASK = Case("", {"consent": Consent.ASK})
every_door_to_others = pytest.mark.parametrize("door", OTHERS.values(), ids=OTHERS)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("town")) as made:
        made.discord.set_limits({"message_content_enabled": True, "rate_limits_enabled": False})
        async with made.bot(ANIMATE_MEMBER_MONTHLY_USD="unlimited", **UNLIMITED):
            yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def people(here: Town) -> AsyncIterator[Mapping[str, Person]]:
    async with Person(here.discord.url, "Noah") as noah, Person(here.discord.url, "Kim") as kim:
        yield {"Mia": here.mia, "Noah": noah, "Kim": kim}


@contextmanager
def asking(here: Town, who: Person, author: Person) -> Iterator[None]:
    """Have authors asked, and nobody remember it afterwards."""
    with standing(here, ASK, who, author):
        try:
            yield
        finally:
            with here.database() as db:
                db.execute("DELETE FROM approvals")


async def question(noah: Person, message: JSON) -> JSON:
    """Wait for the question below a picture."""

    def fits(one: JSON) -> bool:
        about = one.get("message_reference") or {}
        return about.get("message_id") == message["id"] and "May your picture" in told(one)

    return await noah.wait_for(fits)


async def says(noah: Person, message: JSON, words: str) -> JSON:
    return await noah.wait_for(lambda one: one["id"] == message["id"] and words in told(one))


async def word(who: Person, started: Started, words: str) -> JSON:
    """Wait for a private word after an interaction."""

    def fits(one: JSON) -> bool:
        return int(one["id"]) > int(started.id) and words in told(one)

    found = await who.wait_for(fits)
    assert found["flags"] & EPHEMERAL
    return found


@every_door_to_others
async def test_nothing_starts_until_the_author_allows_it_and_then_one_clip_is_made(
    here: Town, people: Mapping[str, Person], door: Door
) -> None:
    who, noah = people[door.who], people["Noah"]
    message = await photo_of(noah)
    with asking(here, who, noah):
        async with nothing_starts(here):
            knocked = await door.knock(who, message)
            asked = await question(noah, message)
            assert [one["id"] for one in asked["mentions"]] == [noah.id]
            del knocked
        async with one_clip(here) as made:
            await noah.press(asked, "Allow")
        (job,) = made
        assert job["member_id"] == int(who.id)
        assert job["picture_author_id"] == int(noah.id)
        over = await says(noah, asked, "agreed" if door is OTHERS["reaction"] else "Done")
        assert not [one for row in over["components"] for one in row["components"]]


@every_door_to_others
async def test_what_the_author_does_not_allow_costs_nothing_and_is_over(
    here: Town, people: Mapping[str, Person], door: Door
) -> None:
    who, noah = people[door.who], people["Noah"]
    message = await photo_of(noah)
    with asking(here, who, noah):
        async with nothing_starts(here):
            await door.knock(who, message)
            asked = await question(noah, message)
            await noah.press(asked, "Don't allow")
            await says(noah, asked, "Its author did not agree")


async def test_who_asks_is_told_privately_that_the_author_was_asked_and_what_they_said(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    with asking(here, mia, noah):
        started = await mia.menu(message, "Animate")
        answer = await mia.wait_for_reply(started)
        assert "Waiting for the author" in told(answer)
        assert "You were not charged." in told(answer)
        asked = await question(noah, message)
        await noah.press(asked, "Don't allow")
        await says(mia, answer, "Its author did not agree")


@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_a_button_that_somebody_else_sends_by_its_id_answers_nothing(
    here: Town, people: Mapping[str, Person], answer: str
) -> None:
    mia, noah, kim = here.mia, people["Noah"], people["Kim"]
    message = await photo_of(noah)
    with asking(here, mia, noah):
        await mia.menu(message, "Animate")
        asked = await question(noah, message)
        number = asked["components"][0]["components"][0]["custom_id"].rpartition(":")[2]
        for who in (kim, mia):
            async with nothing_starts(here):
                started = await who.press_raw(await who.seen(asked), f"consent:{answer}:{number}")
                await word(who, started, "Only <@")
        async with nothing_starts(here):
            await noah.press_raw(asked, f"consent:{answer}:{int(number) + 1}")
            await asyncio.sleep(0.3)  # discord.py hears of no button that its message does not have


async def test_a_reaction_that_is_taken_back_takes_the_question_back(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    with asking(here, mia, noah):
        async with nothing_starts(here):
            await mia.react(await mia.seen(message), CLAPPER)
            asked = await question(noah, message)
            await mia.unreact(await mia.seen(message), CLAPPER)
            await says(noah, asked, "Taken back")


async def test_a_reaction_that_is_taken_back_before_the_bot_knows_its_question_takes_it_back_too(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    post = {"method": "POST", "path": "/messages"}
    with asking(here, mia, noah):
        here.trouble_at_discord(do="stall", match=post, seconds=1, when="after")
        async with nothing_starts(here):
            await mia.react(await mia.seen(message), CLAPPER)
            asked = await question(noah, message)
            await mia.unreact(await mia.seen(message), CLAPPER)
            await says(noah, asked, "Taken back")


async def test_a_reaction_that_is_taken_back_before_its_picture_was_seen_asks_nobody(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    look = {"method": "GET", "path": f"/messages/{message['id']}"}
    with asking(here, mia, noah):
        stall = here.trouble_at_discord(do="stall", match=look, seconds=1)
        async with nothing_starts(here):
            await mia.react(await mia.seen(message), CLAPPER)
            await until(lambda: here.discord.faults.hits(stall))
            await mia.unreact(await mia.seen(message), CLAPPER)
            await asyncio.sleep(1.5)
        assert asked_of(here) == []


async def test_a_reaction_that_is_taken_back_while_its_question_is_posted_takes_it_back_too(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    post = {"method": "POST", "path": "/messages"}
    with asking(here, mia, noah):
        stall = here.trouble_at_discord(do="stall", match=post, seconds=1)
        async with nothing_starts(here):
            await mia.react(await mia.seen(message), CLAPPER)
            await until(lambda: here.discord.faults.hits(stall))
            await mia.unreact(await mia.seen(message), CLAPPER)
            await noah.wait_for(answers(message, "Taken back"))


async def test_a_reaction_that_is_taken_back_while_it_waits_for_its_turn_leaves_no_question_open(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    fetch = {"method": "GET", "path": "attachments/"}
    with asking(here, mia, noah):
        async with one_clip(here):
            stall = here.trouble_at_discord(do="stall", match=fetch, seconds=2)
            await here.animate(WIDE)
            await until(lambda: here.discord.faults.hits(stall))
            await mia.react(await mia.seen(message), CLAPPER)
            looked = f"/messages/{message['id']}"
            await until(lambda: any(looked in one.path for one in here.discord.requests))
            await asyncio.sleep(0.5)  # now it stands behind the picture before it
            await mia.unreact(await mia.seen(message), CLAPPER)
            await noah.wait_for(answers(message, "Taken back"))
        assert asked_of(here) == ["withdrawn"]


async def test_a_reaction_that_is_taken_back_leaves_what_was_asked_by_the_menu(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    with asking(here, mia, noah):
        async with nothing_starts(here):
            await mia.menu(await mia.seen(message), "Animate")
            asked = await question(noah, message)
            await mia.react(await mia.seen(message), CLAPPER)
            await asyncio.sleep(0.5)
            await mia.unreact(await mia.seen(message), CLAPPER)
            await asyncio.sleep(0.5)
        assert asked_of(here) == [None]
        async with one_clip(here):
            await noah.press(asked, "Allow")


def asked_of(here: Town) -> list[str | None]:
    """Return what became of each question that is known; None: it waits for its answer."""
    with here.database() as db:
        return [outcome for (outcome,) in db.execute("SELECT outcome FROM approvals ORDER BY id")]


async def test_a_question_outlives_a_crash(tmp_path: Any) -> None:
    async with town(tmp_path) as here, Person(here.discord.url, "Noah") as noah:
        async with here.bot(**UNLIMITED) as process:
            message = await photo_of(noah)
            with standing(here, ASK, here.mia, noah):
                pass
            policy = '{"consent": "ask"}'
            with here.database() as db:
                guild_id = here.guild_id
                db.execute("INSERT INTO policies VALUES (?, ?)", (guild_id, policy))
            await here.mia.menu(await here.mia.seen(message), "Animate")
            asked = await question(noah, message)
            await here.crash(process)
        async with here.bot(**UNLIMITED), one_clip(here):
            await noah.press(asked, "Allow")
