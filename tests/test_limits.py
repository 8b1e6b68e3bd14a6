"""Limits hold when everybody asks at once: through the gateway, with the real bot, to the cent.

Admins set them in Discord, as they do in life. Afterwards three parties must agree: what people
were told, what the video service was asked for and billed, and the bot's own books.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.person import Person
from bot.sandbox.runware.outcomes import Outcome
from tests.town import (
    CLIP_WITHIN,
    EPHEMERAL,
    JSON,
    NO_LIMITS,
    NOT_CHARGED,
    PRICE,
    Town,
    photo_file,
    told,
    town,
)

RUSH = 50
CHANNELS = ("studio", "general", "after-dark")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Town]:
    """A town with a bot whose owner limits nothing; clips take their time."""
    async with town(tmp_path, render_seconds=0.5) as made, made.bot(**NO_LIMITS) as process:
        yield made
        await made.crash(process)  # all that counts has been looked at


@asynccontextmanager
async def another(here: Town, name: str) -> AsyncIterator[Person]:
    async with Person(here.discord.url, name) as person:
        yield person


async def set_limit(here: Town, target: str, /, **options: Any) -> str:
    """Have Ada, an admin, use `/quota set`, and return what she is told."""
    async with another(here, "Ada") as ada:
        answer = await ada.wait_for_reply(await ada.command(f"quota set {target}", **options))
        assert answer["flags"] & EPHEMERAL
        assert "✅ Limit set" in told(answer)
        return told(answer)


@dataclass
class Rush:
    """What people were told who asked at once."""

    accepted: list[JSON] = field(default_factory=list)
    refused: list[JSON] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """The refusals, each said to its sender alone and at no cost."""
        for answer in self.refused:
            assert answer["flags"] & EPHEMERAL, "everybody sees the refusal"
            assert NOT_CHARGED in told(answer)
        return [told(answer) for answer in self.refused]


async def rush(here: Town, person: Person, count: int) -> Rush:
    """Have somebody send `/animate` so many times at once, and wait for every answer.

    In several channels, because Discord lets a bot say no more than 30 private words a minute in
    one: whoever is refused beyond that is told later.
    """

    async def wish(number: int) -> JSON:
        where = CHANNELS[number % len(CHANNELS)]
        started = await here.animate(photo_file(), where=where, who=person)
        return await person.wait_for_reply(started, CLIP_WITHIN)

    found = Rush()
    for answer in await asyncio.gather(*map(wish, range(count))):
        (found.refused if answer["flags"] & EPHEMERAL else found.accepted).append(answer)
    return found


async def assert_all_agree(here: Town, accepted: int) -> None:
    """Compare the three parties, once every clip is there."""
    books = await here.settled()
    assert books.states == ["delivered"] * accepted
    assert all(books.of(job) == ["hold", "spend"] for job in books.jobs)
    assert len(await here.tasks()) == here.runware.ledger.accepted == accepted
    assert books.spent_micro == here.runware.ledger.billed_micro == accepted * PRICE
    assert books.held_micro == 0
    assert len(here.posts) == accepted
    assert here.trouble() == []


def dollars(clips: int) -> str:
    """The price of so many clips, and a little that is no whole clip."""
    return f"{Decimal(clips * PRICE + PRICE // 2) / 1_000_000}"


def used_micro(text: str, limit_micro: int) -> int:
    """What a refusal says is spent and held, whichever way it says it."""
    amounts = [int(Decimal(one) * 1_000_000) for one in re.findall(r"\$(\d+\.\d+)", text)]
    if "is held by clips in progress" in text:
        held, free, _wanted = amounts
        return limit_micro - free + held
    left, limit, *used, _wanted = amounts
    assert limit == limit_micro == left + sum(used)
    return sum(used)


def assert_the_figures_are_right(words: Sequence[str], clips: int) -> None:
    """Every refusal names the limit's own figures: what fits was taken, and nothing more."""
    limit = int(Decimal(dollars(clips)) * 1_000_000)
    assert {used_micro(text, limit) for text in words} == {clips * PRICE}


async def test_fifty_wishes_at_once_at_a_limit_for_seven_get_seven_clips(here: Town) -> None:
    said = await set_limit(here, "everyone", limit="month", amount=dollars(7))
    assert "Each member: $1.386 a month." in said

    got = await rush(here, here.mia, RUSH)

    assert (len(got.accepted), len(got.refused)) == (7, 43)
    assert all("your" in text or "You have" in text for text in got.words)
    assert all("resets <t:" in text for text in got.words)
    assert_the_figures_are_right(got.words, 7)
    await assert_all_agree(here, 7)


async def test_two_members_at_once_get_what_is_theirs_and_nothing_of_each_others(
    here: Town,
) -> None:
    await set_limit(here, "everyone", limit="day", amount=dollars(3))
    async with another(here, "Noah") as noah:
        both = await asyncio.gather(rush(here, here.mia, 25), rush(here, noah, 25))

    for got in both:
        assert (len(got.accepted), len(got.refused)) == (3, 22)
        assert_the_figures_are_right(got.words, 3)
    await assert_all_agree(here, 6)


async def test_two_roles_at_once_get_what_each_role_has(here: Town) -> None:
    await here.control("PATCH", "member", {"user_id": here.mia.id, "roles": ["Staff"]})
    allowed = {"Staff": 5, "Supporter": 2}
    for role, clips in allowed.items():
        role_id = here.mia.role_id(role)
        await set_limit(here, "role", role=role_id, limit="week", amount=dollars(clips))
    await set_limit(here, "everyone", limit="week", amount="0")  # and nobody else gets any

    here.discord.world.add_person("Zoe")
    async with another(here, "Noah") as noah, another(here, "Zoe") as zoe:
        people = (here.mia, noah)
        staff, supporter = await asyncio.gather(*(rush(here, one, 25) for one in people))
        outsider = await rush(here, zoe, 1)

    for got, clips in zip((staff, supporter), allowed.values(), strict=True):
        assert (len(got.accepted), len(got.refused)) == (clips, 25 - clips)
        assert_the_figures_are_right(got.words, clips)
    (text,) = outsider.words
    assert "🚫 No budget for you here" in text
    await assert_all_agree(here, 7)


async def test_a_roles_limit_holds_while_the_bot_has_not_heard_of_the_server_yet(
    here: Town,
) -> None:
    await here.control("PATCH", "member", {"user_id": here.mia.id, "roles": ["Staff"]})
    await set_limit(here, "role", role=here.mia.role_id("Staff"), limit="clips", amount="0")
    server = {"id": here.mia.state["guild"]["id"]}
    here.discord.gateway_server.publish("GUILD_DELETE", server, guild_id=None)

    got = await rush(here, here.mia, 2)

    assert got.accepted == []
    assert all("🚫 No clips for you here" in text for text in got.words)


async def test_the_servers_total_holds_for_all_members_together(here: Town) -> None:
    await set_limit(here, "server", limit="month", amount=dollars(7))
    await set_limit(here, "everyone", limit="month", amount=dollars(6))
    async with another(here, "Noah") as noah:
        both = await asyncio.gather(rush(here, here.mia, 25), rush(here, noah, 25))

    accepted = [len(got.accepted) for got in both]
    words = [text for got in both for text in got.words]
    assert (sum(accepted), len(words)) == (7, 43)
    by_server = [text for text in words if "This server" in text or "this server's" in text]
    assert by_server, "nobody was told that it is the server's limit"
    assert_the_figures_are_right(by_server, 7)
    await assert_all_agree(here, 7)


async def test_only_so_many_clips_are_in_progress_at_once(here: Town) -> None:
    await set_limit(here, "everyone", limit="clips", amount="2")
    here.runware.outcomes.add(Outcome(next="success", times=None, render_seconds=60))

    got = await rush(here, here.mia, RUSH)

    assert (len(got.accepted), len(got.refused)) == (2, 48)
    assert all("⏳ You have 2 clips in progress" in text for text in got.words)
    assert all("Your limit is 2 at a time." in text for text in got.words)


async def test_a_pause_between_clips_lets_one_of_fifty_through(here: Town) -> None:
    await set_limit(here, "everyone", limit="cooldown", amount="1h")

    got = await rush(here, here.mia, RUSH)

    assert (len(got.accepted), len(got.refused)) == (1, 49)
    assert all(re.search(r"You can start another clip <t:\d+:R>\.", text) for text in got.words)
    await assert_all_agree(here, 1)


async def test_a_member_who_was_handed_the_command_still_changes_nothing(here: Town) -> None:
    await set_limit(here, "everyone", limit="clips", amount="0")
    handed = {here.mia.state["guild"]["id"]: True}
    await here.control("PATCH", "command", {"name": "quota", "permissions": handed})

    wish = await here.mia.command("quota set everyone", limit="clips", amount="unlimited")
    answer = await here.mia.wait_for_reply(wish)

    assert answer["flags"] & EPHEMERAL
    assert "You need Manage Server for this. Nothing was changed." in told(answer)
    got = await rush(here, here.mia, 2)
    assert got.accepted == []
    assert all("🚫 No clips for you here" in text for text in got.words)
    assert not any("when one has finished" in text for text in got.words)
