"""The bot's reactions on a picture: one for all who wait, then what became of it; never a fuss."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import discord
import pytest

from bot.lifecycle import Failure, Job, State
from bot.signs import Signs
from bot.wish import Door, Origin
from tests.conftest import make_job

ORIGIN = Origin(channel_id=5, message_id=7, key="attachment:9", author_id=31)


class Channel:
    """A client whose every channel is this one, with one message in it."""

    def __init__(self) -> None:
        self.user = "the bot"
        self.shown: list[str] = []
        self.calls: list[str] = []
        self.delay = 0.0
        self.problem: Callable[[str], Exception | None] = lambda _: None

    def get_partial_messageable(self, channel_id: int, guild_id: int) -> "Channel":
        assert (channel_id, guild_id) == (5, 1000)
        return self

    def get_partial_message(self, message_id: int) -> "Channel":
        assert message_id >= 7
        return self

    async def add_reaction(self, emoji: str) -> None:
        await asyncio.sleep(self.delay)
        await self._called(f"+{emoji}")
        self.shown.append(emoji)

    async def remove_reaction(self, emoji: str, user: object) -> None:
        assert user == self.user
        await self._called(f"-{emoji}")
        self.shown.remove(emoji)

    async def _called(self, what: str) -> None:
        await asyncio.sleep(0)
        self.calls.append(what)
        if (problem := self.problem(what)) is not None:
            raise problem


class Board:
    """Signs on a channel."""

    def __init__(self) -> None:
        self.channel = Channel()
        self.signs = Signs(cast("discord.Client", self.channel))

    async def show(self, *jobs: Job) -> list[str]:
        for job in jobs:
            self.signs.show(job)
        await asyncio.sleep(0.01)
        return self.channel.shown


def job(state: State = State.QUEUED, **changes: Any) -> Job:
    wish = {"door": Door.REACTION, "picture": ORIGIN, "status_message_id": None}
    return make_job(**wish | changes | {"state": state})


@pytest.fixture
def board() -> Board:
    return Board()


ENDS = [
    (State.DELIVERED, None, ["✅"]),
    (State.FAILED, Failure.DECLINED, ["⚠️"]),
    (State.FAILED, Failure.LOST, ["⚠️"]),
    (State.LOST, None, ["⚠️"]),
    (State.FAILED, Failure.CANCELLED, []),
]


@pytest.mark.parametrize(("state", "failure", "shown"), ENDS)
async def test_a_wait_is_signed_and_its_end_too(
    board: Board, state: State, failure: Failure | None, shown: list[str]
) -> None:
    waiting = job()
    assert await board.show(waiting) == ["⏳"]
    for at in (State.SUBMITTING, State.RENDERING, State.RENDERED):
        assert await board.show(replace(waiting, state=at)) == ["⏳"]
    assert board.channel.calls == ["+⏳"]
    assert await board.show(replace(waiting, state=state, failure=failure)) == shown


@pytest.mark.parametrize(("state", "failure", "shown"), ENDS)
async def test_an_end_after_a_restart_takes_the_sign_of_before_away(
    board: Board, state: State, failure: Failure | None, shown: list[str]
) -> None:
    board.channel.shown.append("⏳")
    assert await board.show(job(state, failure=failure)) == shown


async def test_a_lost_clip_that_turns_up_is_signed_as_done(board: Board) -> None:
    lost = job(State.LOST)
    board.channel.shown.append("⏳")
    await board.show(lost)
    assert await board.show(replace(lost, state=State.DELIVERED)) == ["✅"]


async def test_one_sign_stands_for_all_who_wait_until_the_last_has_theirs(board: Board) -> None:
    one, other = job(), job()
    assert await board.show(one, other) == ["⏳"]
    assert await board.show(replace(one, state=State.DELIVERED)) == ["⏳", "✅"]
    assert await board.show(replace(other, state=State.DELIVERED)) == ["✅"]


async def test_a_new_wish_wipes_off_what_became_of_the_one_before(board: Board) -> None:
    first = job()
    await board.show(first)
    await board.show(replace(first, state=State.FAILED, failure=Failure.DECLINED))
    assert await board.show(job()) == ["⏳"]


async def test_signs_that_follow_each_other_at_once_end_at_the_last(board: Board) -> None:
    waiting = job()
    assert await board.show(waiting, replace(waiting, state=State.DELIVERED)) == ["✅"]


async def test_what_discord_refuses_is_left_out_and_not_tried_again(board: Board) -> None:
    board.channel.problem = lambda what: TimeoutError() if what == "+⏳" else None
    waiting = job()
    assert await board.show(waiting) == []
    board.channel.problem = lambda what: discord.DiscordException() if what == "-⏳" else None
    assert await board.show(replace(waiting, state=State.DELIVERED)) == ["✅"]
    assert board.channel.calls == ["+⏳", "+✅", "-⏳"]


async def test_signs_that_take_too_long_are_not_waited_for_as_the_bot_stops(board: Board) -> None:
    board.channel.delay = 60.0
    board.signs.show(job())
    async with asyncio.timeout(2):
        await board.signs.close(0.05)


async def test_messages_are_forgotten_but_not_those_that_somebody_waits_for(board: Board) -> None:
    waiting = job()
    await board.show(waiting)
    for number in range(300):
        origin = replace(ORIGIN, message_id=100 + number)
        await board.show(job(State.DELIVERED, picture=origin))
    known = board.signs._messages  # noqa: SLF001 - what is forgotten shows nowhere else
    assert 7 in known
    assert len(known) <= 202
