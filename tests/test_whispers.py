"""Short answers where everybody reads along: to one person, once an hour, and gone in moments."""

import asyncio
from typing import Any, cast

import discord
import pytest

from bot.whispers import Whispers
from bot.words import Note, Tone
from tests.conftest import Clock

PAUSED = Note("Paused", "You were not charged.", Tone.WARNING)
BLOCKED = Note("Blocked", "You were not charged.", Tone.WARNING)
MIA, NOAH = 30, 31


class Said:
    """A message of the bot's."""

    def __init__(self) -> None:
        self.is_there = True

    async def delete(self) -> None:
        self.is_there = False


class Asked:
    """A message of somebody's, which can be answered."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.given: list[dict[str, Any]] = []
        self.problem: Exception | None = None

    async def reply(self, content: str, **given: Any) -> Said:
        if self.problem is not None:
            raise self.problem
        self.given.append({"content": content} | given)
        self.said.append(Said())
        return self.said[-1]


def whispers(clock: Clock | None = None, life: float = 0.01) -> Whispers:
    time = clock or Clock()
    return Whispers(lambda: time() / 1000, life)


async def say(here: Whispers, asked: Asked, member_id: int, note: Note) -> bool:
    return await here.say(cast("discord.Message", asked), member_id, note)


async def test_a_whisper_mentions_its_person_alone_and_goes_by_itself() -> None:
    here, asked = whispers(), Asked()
    assert await say(here, asked, MIA, PAUSED)
    (given,) = asked.given
    assert given["content"] == "<@30>"
    assert given["allowed_mentions"].to_dict() == {"parse": [], "users": [30]}
    assert given["embed"].title == "Paused"
    await asyncio.sleep(0.05)
    assert not asked.said[0].is_there


async def test_the_same_is_said_to_the_same_person_once_an_hour(clock: Clock) -> None:
    here, asked = whispers(clock), Asked()
    assert await say(here, asked, MIA, PAUSED)
    clock.forward(seconds=1800)
    assert not await say(here, asked, MIA, PAUSED)
    assert await say(here, asked, MIA, BLOCKED)
    assert await say(here, asked, NOAH, PAUSED)
    clock.forward(seconds=1799)
    assert not await say(here, asked, MIA, PAUSED)
    clock.forward(seconds=1)
    assert await say(here, asked, MIA, PAUSED)


@pytest.mark.parametrize("problem", [TimeoutError(), discord.DiscordException()], ids=repr)
async def test_where_it_cannot_be_said_nothing_breaks_and_it_is_not_tried_over_and_over(
    problem: Exception,
) -> None:
    here, asked = whispers(), Asked()
    asked.problem = problem
    assert not await say(here, asked, MIA, PAUSED)
    asked.problem = None
    assert not await say(here, asked, MIA, PAUSED)


async def test_what_is_there_as_the_bot_stops_goes_at_once() -> None:
    here, asked = whispers(life=60), Asked()
    await say(here, asked, MIA, PAUSED)
    await here.close(1.0)
    assert not asked.said[0].is_there
